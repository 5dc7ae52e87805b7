import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sleep } from '../../src/base/clock.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { createBrokerCore } from '../../src/broker/index.ts'
import { heartbeatSchema } from '../../src/broker/protocol/apis/heartbeat.ts'
import { joinGroupSchema } from '../../src/broker/protocol/apis/join-group.ts'
import { leaveGroupSchema } from '../../src/broker/protocol/apis/leave-group.ts'
import { syncGroupSchema } from '../../src/broker/protocol/apis/sync-group.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { settle, WireClient } from './support/wire-client.ts'

const groupId = 'group'
const SESSION_MS = 6_000
const REBALANCE_MS = 10_000
const HEARTBEAT_MS = 1_000

/** A member that follows the classic protocol as clients do, until it leaves or dies. */
class LoopingMember {
  readonly #core: BrokerCore
  readonly #clock: ManualClock
  readonly #groupInstanceId: string | null
  #client: WireClient
  #runs = true
  memberId = ''
  generationId = -1
  assignment = ''

  constructor(core: BrokerCore, clock: ManualClock, groupInstanceId: string | null) {
    this.#core = core
    this.#clock = clock
    this.#groupInstanceId = groupInstanceId
    this.#client = new WireClient(core)
  }

  async run(): Promise<void> {
    while (this.#runs) {
      try {
        if (await this.#joins()) await this.#heartbeats()
      } catch {
        // The connection was closed under it: it goes on with another.
        this.#client = new WireClient(this.#core)
        await sleep(this.#clock, 100)
      }
    }
  }

  /** Answers get lost: the client connects again and asks again. */
  disconnect(): void {
    this.#client.close()
  }

  async leave(): Promise<void> {
    this.die()
    const member = { memberId: this.memberId, groupInstanceId: this.#groupInstanceId, reason: null }
    await new WireClient(this.#core).call(leaveGroupSchema, 5, { groupId, members: [member] })
  }

  die(): void {
    this.#runs = false
    this.#client.close()
  }

  async #joins(): Promise<boolean> {
    const joined = await this.#client.call(joinGroupSchema, 9, {
      groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.memberId,
      groupInstanceId: this.#groupInstanceId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array() }],
    })
    if (joined.errorCode === Errors.MEMBER_ID_REQUIRED) this.memberId = joined.memberId
    if (joined.errorCode === Errors.UNKNOWN_MEMBER_ID) this.memberId = ''
    if (joined.errorCode !== Errors.NONE) return false
    this.memberId = joined.memberId
    this.generationId = joined.generationId
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    return this.#syncs(leads ? joined.members.map(({ memberId }) => memberId) : [])
  }

  async #syncs(members: readonly string[]): Promise<boolean> {
    const synced = await this.#client.call(syncGroupSchema, 5, {
      ...this.#identity(),
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: members.map((memberId) => ({
        memberId,
        assignment: Buffer.from(`${this.generationId}:${memberId}`),
      })),
    })
    if (synced.errorCode === Errors.UNKNOWN_MEMBER_ID) this.memberId = ''
    this.assignment = Buffer.from(synced.assignment).toString()
    return synced.errorCode === Errors.NONE
  }

  async #heartbeats(): Promise<void> {
    for (;;) {
      await sleep(this.#clock, HEARTBEAT_MS)
      const { errorCode } = await this.#client.call(heartbeatSchema, 4, this.#identity())
      if (errorCode === Errors.UNKNOWN_MEMBER_ID) this.memberId = ''
      if (errorCode !== Errors.NONE) return
    }
  }

  #identity() {
    const { generationId, memberId } = this
    return { groupId, generationId, memberId, groupInstanceId: this.#groupInstanceId }
  }
}

const passTime = async (clock: ManualClock, durationMs: number): Promise<void> => {
  for (let passed = 0; passed < durationMs; passed += 250) {
    clock.advance(250)
    await settle()
  }
}

const event = fc.record({
  what: fc.constantFrom('start', 'startStatic', 'leave', 'die', 'disconnect', 'wait'),
  whom: fc.nat(),
  afterMs: fc.integer({ min: 0, max: 8_000 }),
})

describe('a group settles', () => {
  it('on its living members, whatever has happened before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 14 }), async (events) => {
        const clock = new ManualClock()
        const core = createBrokerCore({
          clock,
          onInternalError: (error) => expect.unreachable(String(error)),
        })
        const living: LoopingMember[] = []
        const started: Promise<void>[] = []
        const start = (groupInstanceId: string | null): void => {
          const member = new LoopingMember(core, clock, groupInstanceId)
          living.push(member)
          started.push(member.run())
        }
        let instances = 0
        for (const { what, whom, afterMs } of events) {
          const [member] = living.length === 0 ? [] : living.slice(whom % living.length)
          if (what === 'start') start(null)
          else if (what === 'startStatic') start(`instance-${instances++}`)
          else if (what === 'disconnect') member?.disconnect()
          else if (what !== 'wait' && member !== undefined) {
            living.splice(living.indexOf(member), 1)
            if (what === 'die') member.die()
            else await member.leave()
          }
          await passTime(clock, afterMs)
        }
        await passTime(clock, 2 * (SESSION_MS + REBALANCE_MS))
        const group = core.broker.groups.groups.get(groupId)
        const generation = group?.generationId
        await passTime(clock, SESSION_MS + REBALANCE_MS)
        expect(group?.generationId).toBe(generation)
        const ids = living.map(({ memberId }) => memberId).sort()
        expect([...(group?.members.keys() ?? [])].sort()).toEqual(ids)
        expect(group?.state ?? 'Empty').toBe(living.length === 0 ? 'Empty' : 'Stable')
        for (const { generationId, memberId, assignment } of living) {
          expect(generationId).toBe(group?.generationId)
          // A static member that came back keeps the assignment of its former id.
          if (memberId.startsWith('test-')) expect(assignment).toBe(`${generationId}:${memberId}`)
        }
        for (const member of living) member.die()
        core.close()
        await passTime(clock, 2 * HEARTBEAT_MS)
        await Promise.all(started)
      }),
      { numRuns: 200 },
    )
  })
})
