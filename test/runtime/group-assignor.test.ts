import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import type { GroupMember } from '../../src/kafka/group/group-membership.ts'
import { planApplication } from '../../src/runtime/application-plan.ts'
import type { TaskId } from '../../src/runtime/assign-tasks.ts'
import { taskAssignor, tasksOfPartitions } from '../../src/runtime/group-assignor.ts'
import { decodeAssignmentData, encodeMemberData } from '../../src/runtime/group-data.ts'

const planOf = (topics: number, partitions: number) =>
  planApplication(
    topology('reading', (builder) => {
      for (let index = 0; index < topics; index++)
        builder.stream(topic(`t${index}`, { value: string })).forEach(() => {})
    }),
    'reading',
    () => partitions,
  )

type Plan = ReturnType<typeof planOf>

/** A group by what each member owns, as the protocol would have it between two rounds. */
class Group {
  readonly #plan: Plan
  readonly owned = new Map<string, readonly TaskId[]>()
  readonly moves: TaskId[] = []

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** One round; tells whether another follows. */
  async round(): Promise<boolean> {
    const plan = this.#plan
    const members = Array.from(this.owned, ([memberId, tasks]): GroupMember => ({
      memberId,
      groupInstanceId: null,
      topics: plan.topics,
      ownedPartitions: tasks.flatMap((task) => plan.inputsOf(task)),
      generationId: 1,
      userData: encodeMemberData({ processId: memberId, tasks, standbys: new Map() }),
    }))
    const assignor = taskAssignor({
      planOf: () => plan,
      settings: { standbyReplicas: 0, acceptableRecoveryLag: 0, maxWarmupReplicas: 1 },
      ownData: () => ({ processId: '', tasks: [], standbys: new Map() }),
      onForeignMember: () => undefined,
      sizesOf: () => Promise.resolve(new Map()),
    })
    const dealt = await assignor.assign(members)
    let isRevoked = false
    let isAnnounced = false
    for (const [memberId, before] of this.owned) {
      const { partitions = [], userData = null } = dealt.get(memberId) ?? {}
      const tasks = tasksOfPartitions(plan, partitions)
      for (const task of before) if (!tasks.includes(task)) isRevoked = true
      for (const [other, kept] of this.owned)
        if (other !== memberId && tasks.some((task) => kept.includes(task)))
          throw new Error(`${memberId} was given what ${other} had not given up`)
      isAnnounced = decodeAssignmentData(userData).followUp
    }
    for (const [memberId, before] of [...this.owned]) {
      const tasks = tasksOfPartitions(plan, dealt.get(memberId)?.partitions ?? [])
      this.moves.push(...before.filter((task) => !tasks.includes(task)))
      this.owned.set(memberId, tasks)
    }
    if (isAnnounced !== isRevoked) throw new Error('the next round was not announced as it is')
    return isRevoked
  }
}

describe('cooperative rounds', () => {
  it('end after two, with every task at one member, whoever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.tuple(fc.boolean(), fc.nat(5)), { maxLength: 8 }),
        async (topics, partitions, changes) => {
          const plan = planOf(topics, partitions)
          const group = new Group(plan)
          for (const [comes, number] of [[true, 0] as const, ...changes]) {
            if (comes) group.owned.set(`m${number}`, group.owned.get(`m${number}`) ?? [])
            else if (group.owned.size > 1) group.owned.delete(`m${number}`)
            if (await group.round()) expect(await group.round()).toBe(false)
            expect([...group.owned.values()].flat().sort()).toEqual([...plan.tasks].sort())
            expect(await group.round()).toBe(false)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('move what the newcomer gets, and at most one more for each further sub-topology, for the balance', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        async (topics, partitions, count) => {
          const group = new Group(planOf(topics, partitions))
          for (let number = 0; number < count; number++) group.owned.set(`m${number}`, [])
          while (await group.round());
          group.moves.length = 0
          group.owned.set('newcomer', [])
          while (await group.round());
          const share = group.owned.get('newcomer')?.length ?? 0
          expect(group.moves.length).toBeGreaterThanOrEqual(share)
          expect(group.moves.length).toBeLessThanOrEqual(share + topics - 1)
        },
      ),
      { numRuns: 60 },
    )
  })
})
