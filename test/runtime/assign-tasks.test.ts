import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignTasks } from '../../src/runtime/assign-tasks.ts'

const tasksUpTo = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index % 3}_${index}`)

describe('assignTasks', () => {
  it('gives a member that comes back what it had', () => {
    const before = assignTasks(
      ['0_0', '0_1', '0_2', '0_3'],
      [
        { memberId: 'a', previousTasks: ['0_2', '0_3'] },
        { memberId: 'b', previousTasks: ['0_0', '0_1'] },
      ],
    )
    expect(before).toEqual(
      new Map([
        ['a', ['0_2', '0_3']],
        ['b', ['0_0', '0_1']],
      ]),
    )
  })

  it('takes from the loaded what a newcomer needs, and nothing else', () => {
    const after = assignTasks(
      ['0_0', '0_1', '0_2', '0_3'],
      [
        { memberId: 'a', previousTasks: ['0_0', '0_1', '0_2', '0_3'] },
        { memberId: 'b', previousTasks: [] },
      ],
    )
    expect(after.get('a')).toEqual(['0_0', '0_1'])
    expect(after.get('b')).toEqual(['0_2', '0_3'])
  })

  it('orders tasks by number, not by text', () => {
    const all = assignTasks(['0_10', '0_9', '1_0'], [{ memberId: 'a', previousTasks: [] }])
    expect(all.get('a')).toEqual(['0_9', '0_10', '1_0'])
  })

  it('assigns every task once, balanced, whatever members remember', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.array(fc.array(fc.nat(40), { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        (count, memories) => {
          const tasks = tasksUpTo(count)
          const members = memories.map((memory, index) => ({
            memberId: `m${index}`,
            previousTasks: memory.map((each) => `${each % 3}_${each}`),
          }))
          const assigned = assignTasks(tasks, members)
          expect([...assigned.values()].flat().sort()).toEqual(tasks.toSorted())
          const sizes = [...assigned.values()].map(({ length }) => length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          for (const subTopology of ['0', '1', '2']) {
            const of = [...assigned.values()].map(
              (each) => each.filter((task) => task.startsWith(subTopology)).length,
            )
            expect(Math.max(...of) - Math.min(...of)).toBeLessThanOrEqual(1)
          }
        },
      ),
    )
  })

  it('takes of each sub-topology its share, as their tasks cost about the same', () => {
    const all = ['0_0', '0_1', '1_0', '1_1']
    const after = assignTasks(all, [
      { memberId: 'a', previousTasks: all },
      { memberId: 'b', previousTasks: [] },
    ])
    expect(after.get('b')).toEqual(['0_1', '1_1'])
  })

  it('moves nothing while members and tasks stay the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 6 }), (count, memberCount) => {
        const fresh = Array.from({ length: memberCount }, (_, index) => ({
          memberId: `m${index}`,
          previousTasks: [],
        }))
        const first = assignTasks(tasksUpTo(count), fresh)
        const settled = [...first].map(([memberId, previousTasks]) => ({ memberId, previousTasks }))
        expect(assignTasks(tasksUpTo(count), settled)).toEqual(first)
      }),
    )
  })
})
