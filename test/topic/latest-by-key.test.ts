import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { utf8Decode } from '../../src/base/bytes.ts'
import { latestByKey } from '../../src/topic/latest-by-key.ts'
import type { RecordColumns } from '../../src/topic/record-columns.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'

interface Row {
  readonly key: string | null
  readonly value: string | null
}

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text))

const rowsOf = ({
  buffer,
  count,
  keyStarts,
  keyEnds,
  valueStarts,
  valueEnds,
}: RecordColumns): readonly Row[] =>
  Array.from({ length: count }, (_, row) => {
    const text = (start: number, end: number): string | null =>
      start < 0 ? null : utf8Decode(buffer, start, end)
    return {
      key: text(keyStarts[row] as number, keyEnds[row] as number),
      value: text(valueStarts[row] as number, valueEnds[row] as number),
    }
  })

const row = fc.record({
  key: fc.oneof(fc.constant(null), fc.integer({ max: 40, min: 0 }).map(String), fc.string({ maxLength: 3 })),
  value: fc.option(fc.string({ maxLength: 5 })),
})

it('the latest of each key are left, where they were, and so is what has no key', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 30 }), { maxLength: 6 }), (batches) => {
      let offset = 0
      const columns = batches.map((rows) =>
        columnsOf(
          rows.map(({ key, value }) => ({
            key: bytes(key),
            value: bytes(value),
            timestamp: ++offset * 10,
            offset,
          })),
        ),
      )
      const all = batches.flat()
      const isLatest = ({ key }: Row, at: number): boolean =>
        key === null || all.findLastIndex((other) => other.key === key) === at
      let at = 0
      const expected = batches.map((rows) => rows.filter((each) => isLatest(each, at++)))
      const latest = latestByKey(columns)
      expect(latest.map(rowsOf)).toEqual(expected)
      for (const { count, offsets, timestamps } of latest)
        for (let index = 0; index < count; index++)
          expect(timestamps[index]).toBe((offsets[index] as number) * 10)
    }),
  )
})

it('batches without an older record are handed on as they are', () => {
  const batch = columnsOf([
    { key: bytes('a'), value: null, timestamp: 1 },
    { key: bytes(''), value: null, timestamp: 2 },
  ])
  expect(latestByKey([batch])[0]).toBe(batch)
})
