import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import { JoinRows } from '../../src/state/join-rows.ts'
import { regionOf } from '../../src/topic/record.ts'

interface Row {
  readonly key: string
  readonly time: number
  readonly sequence: number
}

const put = (rows: JoinRows, { key, time, sequence }: Row): void =>
  rows.append({
    key: regionOf(utf8Encode(key)),
    value: regionOf(utf8Encode(`${key} at ${time}`)),
    time,
    sequence,
    origin: { topic: 'left', partition: 0, offset: sequence },
  })

const found = (rows: JoinRows, key: string, from: number, to: number): readonly (readonly number[])[] =>
  rows.find(regionOf(utf8Encode(key)), from, to).map(({ time, sequence }) => [time, sequence])

const expected = (
  model: readonly Row[],
  key: string,
  from: number,
  to: number,
): readonly (readonly number[])[] =>
  model
    .filter((row) => row.key === key && row.time >= from && row.time <= to)
    .sort((left, right) => left.time - right.time || left.sequence - right.sequence)
    .map(({ time, sequence }) => [time, sequence])

/** Rows of many keys, mostly in the order of time, over several segments. */
const arrivals = fc
  .array(fc.record({ key: fc.nat(40).map(String), late: fc.nat(30) }), {
    minLength: 300,
    maxLength: 900,
    size: 'max',
  })
  .map((all) =>
    all.map(({ key, late }, index): Row => ({ key, time: Math.max(0, index - late), sequence: index })),
  )

describe('rows of a join', () => {
  it('are found by key and time, however late they came, while segments expire', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 50, max: 400 }), (all, retention) => {
        const rows = new JoinRows()
        let newest = -Infinity
        all.forEach((row, index) => {
          newest = Math.max(newest, row.time)
          while ((rows.oldest?.maxTime ?? Infinity) <= newest - retention) rows.dropOldest()
          if (row.time > newest - retention) put(rows, row)
          if (index % 50 > 0) return
          const model = all.slice(0, index + 1)
          for (const key of ['0', '1', '2'])
            expect(found(rows, key, newest - retention + 1, newest - 3)).toEqual(
              expected(model, key, newest - retention + 1, newest - 3),
            )
        })
      }),
      { numRuns: 20 },
    )
  })

  it('are found still when older segments were left to the disk', () => {
    fc.assert(
      fc.property(arrivals, (all) => {
        const rows = new JoinRows()
        for (const row of all) put(rows, row)
        const first = rows.segments[1]
        rows.evict(1)
        const kept =
          first === undefined
            ? []
            : all.slice(rows.segments.reduce((sum, { count }) => sum - count, all.length))
        for (const key of ['0', '1', '2', '40'])
          expect(found(rows, key, 0, Infinity)).toEqual(expected(kept, key, 0, Infinity))
      }),
      { numRuns: 20 },
    )
  })

  it('know their bytes and where they were read, also where a value fills more than a segment', () => {
    const rows = new JoinRows()
    const large = new Uint8Array(3_000_000).fill(7)
    rows.append({
      key: regionOf(utf8Encode('a')),
      value: regionOf(large),
      time: 1,
      sequence: 1,
      origin: undefined,
    })
    for (let sequence = 2; sequence < 9_000; sequence++) put(rows, { key: 'b', time: sequence, sequence })
    const [row] = rows.find(regionOf(utf8Encode('a')), 0, 10)
    expect(row?.bytes.subarray(row.keyEnd, row.end)).toEqual(large)
    expect(row?.place).toBeUndefined()
    const [other] = rows.find(regionOf(utf8Encode('b')), 8_000, 8_000)
    expect(other).toMatchObject({ place: { topic: 'left', partition: 0 }, offset: 8_000 })
    const before = rows.heldBytes
    rows.dropOldest()
    expect(rows.heldBytes).toBeLessThan(before - 3_000_000)
  })
})
