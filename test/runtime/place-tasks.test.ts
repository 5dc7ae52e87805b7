import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TaskId } from '../../src/runtime/assign-tasks.ts'
import type { Placement, StateHolder, StateSettings } from '../../src/runtime/place-tasks.ts'
import { placeTasks } from '../../src/runtime/place-tasks.ts'

const settings: StateSettings = { standbyReplicas: 0, acceptableRecoveryLag: 10, maxWarmupReplicas: 2 }

const holder = (
  memberId: string,
  owned: readonly TaskId[] = [],
  lags: Readonly<Record<TaskId, number>> = {},
  processId = memberId,
): StateHolder => ({ memberId, processId, owned: new Set(owned), lags: new Map(Object.entries(lags)) })

const tasks = ['0_0', '0_1', '0_2', '0_3', '0_4', '0_5']
const large = new Map(tasks.map((task) => [task, 1_000]))
const small = new Map(tasks.map((task) => [task, 5]))

const shown = (placed: ReadonlyMap<string, Placement>): Record<string, string> =>
  Object.fromEntries(
    Array.from(placed, ([member, { active, standby, warmup }]) => [
      member,
      [active, standby, warmup]
        .map((each) =>
          each
            .map((task) => task.slice(2))
            .toSorted()
            .join(''),
        )
        .join('|'),
    ]),
  )

describe('placing tasks by their state', () => {
  it('moves tasks with little state at once', () => {
    expect(shown(placeTasks(tasks, small, [holder('a', tasks), holder('b')], settings))).toEqual({
      a: '012||',
      b: '345||',
    })
  })

  it('lets tasks with much state run where it is while copies are made at their goal, a few at a time', () => {
    expect(shown(placeTasks(tasks, large, [holder('a', tasks), holder('b')], settings))).toEqual({
      a: '012345||',
      b: '||34',
    })
  })

  it('moves those whose copies have caught up, and goes on with the others', () => {
    const b = holder('b', [], { '0_3': 10, '0_4': 0 })
    expect(shown(placeTasks(tasks, large, [holder('a', tasks), b], settings))).toEqual({
      a: '0125||',
      b: '34||5',
    })
  })

  it('moves what the newcomer has a copy of, rather than anything else', () => {
    const b = holder('b', [], { '0_0': 0, '0_1': 0, '0_2': 3 })
    expect(shown(placeTasks(tasks, large, [holder('a', tasks), b], settings))).toEqual({
      a: '345||',
      b: '012||',
    })
  })

  it('gives the tasks of a lost process to their copies, and spreads them once there are others', () => {
    const members = [
      holder('b', ['0_2', '0_3'], { '0_0': 2, '0_1': 0 }),
      holder('c', ['0_4', '0_5'], { '0_2': 0 }),
    ]
    expect(shown(placeTasks(tasks, large, members, settings))).toEqual({ b: '0123||', c: '45||1' })
  })

  it('restores a task where least of it is missing, if nobody has it whole', () => {
    const members = [
      holder('a', ['0_0', '0_1', '0_2'], { '0_0': 900 }),
      holder('b', [], { '0_0': 300, '0_3': 500, '0_4': 500, '0_5': 500 }),
    ]
    expect(shown(placeTasks(tasks, large, members, settings))).toEqual({
      a: '12||0',
      b: '0345||',
    })
  })

  it('moves nothing in mid-restore to where hardly less is missing', () => {
    const members = [holder('a', tasks, { '0_5': 305 }), holder('b', [], { '0_3': 0, '0_4': 0, '0_5': 300 })]
    expect(shown(placeTasks(tasks, large, members, settings))).toEqual({ a: '0125||', b: '34||5' })
  })

  it('keeps copies on other processes, and lets them stay where they are', () => {
    const one = { ...settings, standbyReplicas: 1 }
    const members = [holder('a', ['0_0', '0_1', '0_2']), holder('b', ['0_3', '0_4', '0_5'])]
    expect(shown(placeTasks(tasks, large, members, one))).toEqual({ a: '012|345|', b: '345|012|' })
    const three = [
      holder('a', ['0_0', '0_1'], { '0_5': 4 }),
      holder('b', ['0_2', '0_3'], { '0_0': 0, '0_1': 0 }),
      holder('c', ['0_4', '0_5'], { '0_2': 0, '0_3': 900, '0_4': 0 }),
    ]
    expect(shown(placeTasks(tasks, large, three, one))).toEqual({
      a: '01|45|',
      b: '23|01|',
      c: '45|23|',
    })
  })

  it('keeps no copy on the process of the task itself, nor two on one', () => {
    const one = { ...settings, standbyReplicas: 2 }
    const members = [
      holder('a1', ['0_0', '0_1', '0_2'], {}, 'p'),
      holder('a2', ['0_3', '0_4', '0_5'], {}, 'p'),
    ]
    expect(shown(placeTasks(tasks, large, members, one))).toEqual({ a1: '012||', a2: '345||' })
  })

  it('has every task run once and copied as often as processes allow, whatever members hold', () => {
    const anyHolder = fc.record({
      process: fc.nat(3),
      owned: fc.array(fc.nat(5), { maxLength: 4 }),
      lags: fc.dictionary(fc.constantFrom(...tasks), fc.nat(30), { maxKeys: 5 }),
    })
    fc.assert(
      fc.property(
        fc.array(anyHolder, { minLength: 1, maxLength: 5 }),
        fc.dictionary(fc.constantFrom(...tasks), fc.nat(40), { noNullPrototype: true }),
        fc.record({
          standbyReplicas: fc.nat(3),
          acceptableRecoveryLag: fc.nat(20),
          maxWarmupReplicas: fc.nat(3),
        }),
        (holders, sizes, given) => {
          const members = holders.map(({ process, owned, lags }, index) =>
            holder(
              `m${index}`,
              owned.map((number) => `0_${number}`),
              lags,
              `p${process}`,
            ),
          )
          const sized = new Map(Object.entries(sizes))
          const placed = placeTasks(tasks, sized, members, given)
          expect([...placed.values()].flatMap(({ active }) => active).sort()).toEqual(tasks)
          const warmups = [...placed.values()].flatMap(({ warmup }) => warmup)
          expect(warmups.length).toBeLessThanOrEqual(given.maxWarmupReplicas)
          const processes = new Set(members.map(({ processId }) => processId))
          for (const task of tasks) {
            const processesWith = (kinds: readonly (keyof Placement)[]): readonly string[] =>
              members.flatMap(({ memberId, processId }) =>
                kinds.some((kind) => placed.get(memberId)?.[kind].includes(task)) ? [processId] : [],
              )
            const used = new Set(processesWith(['active', 'warmup']))
            const copies = processesWith(['standby'])
            expect(new Set([...used, ...copies]).size, 'on processes of their own').toBe(
              used.size + copies.length,
            )
            const wanted = sized.has(task) ? given.standbyReplicas : 0
            expect(copies.length).toBe(Math.min(processes.size - used.size, wanted))
          }
          const again = placeTasks(tasks, sized, members.toReversed(), given)
          expect(shown(again)).toEqual(shown(placed))
        },
      ),
    )
  })
})
