import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GradualOrder } from '../../src/state/gradual-order.ts'

interface Row {
  readonly at: number
}

const compare = (left: Row, right: Row): number => left.at - right.at

/** Goes on for so many looks at the clock. */
const during = (slices: number): (() => boolean) => {
  let left = slices
  return () => left-- <= 0
}

const listed = (order: GradualOrder<Row>): readonly number[] => {
  const cursor = order.list.cursor()
  const found: number[] = []
  for (let row = cursor.peek(); row !== undefined; row = cursor.peek()) {
    found.push(row.at)
    cursor.advance()
  }
  return found
}

describe('an order that is made in slices', () => {
  const rows = Array.from({ length: 200 }, (_, index): Row => ({ at: (index * 77) % 200 }))
  const late = fc.nat(rows.length - 1)
  const change = fc.oneof(late, fc.constant('proceed' as const))

  it('holds every row once, whatever comes and goes meanwhile', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120, size: 'max' }), fc.nat(200), (changes, given) => {
        const live = new Set(rows.slice(0, given))
        const order = new GradualOrder([...live], compare, (row) => live.has(row))
        for (const each of changes) {
          if (each === 'proceed') {
            order.proceed(during(1))
            continue
          }
          const row = rows[each] as Row
          if (live.delete(row)) order.remove(row)
          else {
            live.add(row)
            order.insert(row)
          }
        }
        expect(order.proceed(() => false)).toBe(true)
        expect(listed(order)).toEqual([...live].toSorted(compare).map(({ at }) => at))
      }),
    )
  })

  it('is made in as many calls as it takes', () => {
    const order = new GradualOrder(rows, compare, () => true)
    expect(order.proceed(() => true)).toBe(false)
    expect(listed(order)).toEqual([])
    let calls = 0
    while (!order.proceed(during(1))) calls++
    expect(calls).toBeGreaterThan(3)
    expect(listed(order)).toEqual(rows.map((_, index) => index))
  })
})
