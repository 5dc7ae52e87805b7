import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cursor } from '../../src/state/sorted-list.ts'
import { SortedList } from '../../src/state/sorted-list.ts'

const compare = (left: number, right: number): number => left - right

const rest = (cursor: Cursor<number>): number[] => {
  const items: number[] = []
  for (let item = cursor.peek(); item !== undefined; item = cursor.peek()) {
    items.push(item)
    cursor.advance()
  }
  return items
}

/** Distinct numbers, enough of them to fill several chunks. */
const numbers = fc.uniqueArray(fc.nat(5_000), { minLength: 0, maxLength: 1_500, size: 'max' })

describe('a sorted list', () => {
  it('walks what was inserted and not removed, in order, from any bound and both ways', () => {
    fc.assert(
      fc.property(numbers, fc.nat(5_000), fc.nat(4), (inserted, bound, keepEvery) => {
        const list = new SortedList(compare)
        for (const item of inserted) list.insert(item)
        const kept = inserted.filter((item) => item % 5 >= keepEvery)
        for (const item of inserted) if (item % 5 < keepEvery) expect(list.remove(item)).toBe(true)
        const sorted = kept.toSorted(compare)
        expect(list.size).toBe(sorted.length)
        expect(list.first).toBe(sorted[0])
        expect(rest(list.cursor())).toEqual(sorted)
        expect(rest(list.cursor(undefined, true))).toEqual(sorted.toReversed())
        const fromBound = (item: number): number => item - bound
        expect(rest(list.cursor(fromBound))).toEqual(sorted.filter((item) => item >= bound))
        expect(rest(list.cursor(fromBound, true))).toEqual(
          sorted.filter((item) => item <= bound).toReversed(),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('says where nothing is to be removed', () => {
    const list = new SortedList(compare, [1, 3])
    expect(list.remove(2)).toBe(false)
    expect(rest(list.cursor())).toEqual([1, 3])
  })

  it('puts equal items behind each other', () => {
    const list = new SortedList<{ readonly at: number; readonly name: string }>(
      (left, right) => left.at - right.at,
    )
    for (const name of ['a', 'b', 'c']) list.insert({ at: 1, name })
    const cursor = list.cursor()
    expect(cursor.peek()?.name).toBe('a')
  })

  it('lets a cursor go on behind its last item, whatever changes around it', () => {
    fc.assert(
      fc.property(
        numbers,
        fc.array(fc.nat(5_000), { maxLength: 100 }),
        fc.boolean(),
        (given, changes, reverse) => {
          const list = new SortedList(compare, given.toSorted(compare))
          const items = new Set(given)
          const cursor = list.cursor(undefined, reverse)
          let last: number | undefined
          for (const change of changes) {
            const ahead = [...items].filter((item) =>
              last === undefined ? true : reverse ? item < last : item > last,
            )
            const expected =
              ahead.length === 0 ? undefined : reverse ? Math.max(...ahead) : Math.min(...ahead)
            expect(cursor.peek()).toBe(expected)
            if (expected !== undefined) last = expected
            cursor.advance()
            if (items.delete(change)) list.remove(change)
            else {
              items.add(change)
              list.insert(change)
            }
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
