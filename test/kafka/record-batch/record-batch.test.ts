import { Reader, createRecordsBatch, readRecordsBatches } from '@platformatic/kafka'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../../src/base/bytes.ts'
import { hexEncode, utf8Encode } from '../../../src/base/bytes.ts'
import { days } from '../../../src/base/duration.ts'
import { BatchBuilder } from '../../../src/kafka/record-batch/batch-builder.ts'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import { readRecords } from '../../../src/kafka/record-batch/read-records.ts'
import type { RecordColumns } from '../../../src/topic/record-columns.ts'
import { decodeHeaders } from '../../../src/topic/record-columns.ts'
import type { Row } from '../support/batches.ts'
import { marker, sealRows, storedBatch } from '../support/batches.ts'
import { rowsOf, valuesOf } from '../support/rows.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[]

const part = fc.option(fc.uint8Array({ maxLength: 200 }))
const row: fc.Arbitrary<Row> = fc.record({
  key: part,
  value: part,
  timestamp: fc.integer({ min: 0, max: days(20_000) }),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 20 }), part), { maxLength: 4 }),
})

const hexOrNull = (bytes: Bytes | null): string | null => (bytes === null ? null : hexEncode(bytes))

const comparable = ({ key, value, timestamp, headers }: Row): unknown => ({
  key: hexOrNull(key),
  value: hexOrNull(value),
  timestamp,
  headers: headers.map(([name, bytes]) => [name, hexOrNull(bytes)]),
})

const rowAt = (columns: RecordColumns, index: number): Row => {
  const slice = (start: number, end: number): Bytes | null =>
    start < 0 ? null : columns.buffer.subarray(start, end)
  return {
    key: slice(columns.keyStarts[index] as number, columns.keyEnds[index] as number),
    value: slice(columns.valueStarts[index] as number, columns.valueEnds[index] as number),
    timestamp: columns.timestamps[index] as number,
    headers: decodeHeaders(columns, index),
  }
}

const readAll = (bytes: Bytes, fetchOffset = 0): readonly Row[] => {
  const { columns } = readRecords(bytes, 0, bytes.length, { fetchOffset, checkCrcs: true })
  return Array.from({ length: columns.count }, (_, index) => rowAt(columns, index))
}

describe('a record batch', () => {
  it.each(codecs)('is read as it was written (%s)', (codec) => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const { bytes } = sealRows(rows, codec)
        expect(readAll(bytes).map(comparable)).toEqual(rows.map(comparable))
      }),
      { numRuns: 60 },
    )
  })

  it('has the same bytes where values are given as text, and takes none that is not all ASCII', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary' })), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 200 }), (values, memoryBytes) => {
        // In little memory, every text may be the first without room.
        const [asText, asBytes] = [new BatchBuilder(Buffer.alloc(memoryBytes + 61)), new BatchBuilder()]
        for (const [index, text] of values.entries()) {
          const buffer = utf8Encode(text)
          const value = { buffer, start: 0, end: buffer.length }
          const isAscii = buffer.every((byte) => byte < 0x80)
          expect(asText.append(null, text, index, [])).toBe(isAscii)
          if (!isAscii) asText.append(null, value, index, [])
          asBytes.append(null, value, index, [])
        }
        expect(hexEncode(asText.seal().bytes)).toBe(hexEncode(asBytes.seal().bytes))
      }),
    )
  })

  it('keeps timestamps that lie months apart, in both directions', () => {
    const timestamps = [
      days(19_000),
      days(19_030),
      days(18_000),
      days(19_000) + 2 ** 31,
      days(19_000) - 2 ** 31,
    ]
    const rows = timestamps.map((timestamp) => ({ key: null, value: null, timestamp, headers: [] }))
    expect(readAll(sealRows(rows).bytes).map(({ timestamp }) => timestamp)).toEqual(timestamps)
  })

  it('keeps keys of no bytes and of a megabyte', () => {
    const keys = [Buffer.alloc(0), Buffer.alloc(1_048_576, 'k'), null]
    const rows = keys.map((key) => ({ key, value: Buffer.from('v'), timestamp: 1, headers: [] }))
    expect(readAll(sealRows(rows).bytes).map(({ key }) => key?.length)).toEqual([0, 1_048_576, undefined])
  })

  it('is read by the client library as it was written', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (rows) => {
        const { bytes } = sealRows(rows)
        const [batch] = readRecordsBatches(Reader.from(Buffer.from(bytes)))
        const read = (batch?.records ?? []).map(({ key, value, timestampDelta, headers }) => ({
          key,
          value,
          timestamp: Number((batch?.firstTimestamp ?? 0n) + timestampDelta),
          headers: headers.map(([name, bytesOf]) => [String(name ?? ''), bytesOf] as const),
        }))
        expect(read.map(comparable)).toEqual(rows.map(comparable))
      }),
      { numRuns: 100 },
    )
  })

  it('of the client library is read', () => {
    const messages = ['a', 'bb', 'ccc'].map((value, index) => ({
      topic: 't',
      key: Buffer.from(`k${index}`),
      value: Buffer.from(value),
      timestamp: BigInt(1_700_000_000_000 + index),
      headers: new Map([[Buffer.from('h'), Buffer.from(value)]]),
    }))
    const batch = createRecordsBatch(messages, {
      compression: 'none',
      producerId: 7n,
      producerEpoch: 1,
    })
    expect(rowsOf(readRecords(batch.buffer, 0, batch.length, { fetchOffset: 0, checkCrcs: true }))).toEqual(
      ['a', 'bb', 'ccc'].map((value, index) => ({
        offset: index,
        timestamp: 1_700_000_000_000 + index,
        key: `k${index}`,
        value,
        headers: [['h', value]],
      })),
    )
  })

  it('whose bytes were changed is refused when checksums are checked', () => {
    const bytes = storedBatch(5, ['hello'])
    bytes[bytes.length - 2] = 33
    expect(() => readRecords(bytes, 0, bytes.length, { fetchOffset: 5, checkCrcs: true })).toThrow(
      expect.objectContaining({ code: 'BATCH_CORRUPT', place: { offset: 5 } }),
    )
  })
})

describe('reading a response', () => {
  const read = (
    parts: readonly Bytes[],
    fetchOffset: number,
    aborted?: readonly { producerId: number; firstOffset: number }[],
  ) => {
    const bytes = Buffer.concat([Buffer.from('before'), ...parts])
    const result = readRecords(bytes, 6, bytes.length, { fetchOffset, aborted })
    return {
      values: valuesOf(rowsOf(result)),
      offsets: rowsOf(result).map(({ offset }) => offset),
      next: result.nextOffset,
    }
  }

  it('begins in the middle of a batch', () => {
    expect(read([storedBatch(10, ['a', 'b', 'c']), storedBatch(13, ['d'])], 11)).toEqual({
      values: ['b', 'c', 'd'],
      offsets: [11, 12, 13],
      next: 14,
    })
  })

  it('ends before a batch that was cut off', () => {
    expect(read([storedBatch(0, ['a']), storedBatch(1, ['b', 'c']).subarray(0, 70)], 0)).toEqual({
      values: ['a'],
      offsets: [0],
      next: 1,
    })
  })

  it('stays where it is when nothing came', () => {
    expect(read([], 42)).toEqual({ values: [], offsets: [], next: 42 })
  })

  it('passes over markers', () => {
    expect(read([storedBatch(0, ['a'], 9, true), marker(1, 9, 'commit')], 0, [])).toEqual({
      values: ['a'],
      offsets: [0],
      next: 2,
    })
  })

  it('hides each of several aborted transactions of one producer, and shows what it committed between them', () => {
    const parts = [
      storedBatch(0, ['gone 1'], 9, true),
      marker(1, 9, 'abort'),
      storedBatch(2, ['kept'], 9, true),
      marker(3, 9, 'commit'),
      storedBatch(4, ['gone 2'], 9, true),
      storedBatch(5, ['other'], 8, true),
      marker(6, 9, 'abort'),
      marker(7, 8, 'commit'),
      storedBatch(8, ['later'], 9, true),
    ]
    const aborted = [
      { producerId: 9, firstOffset: 4 },
      { producerId: 9, firstOffset: 0 },
    ]
    expect(read(parts, 0, aborted)).toEqual({
      values: ['kept', 'other', 'later'],
      offsets: [2, 5, 8],
      next: 9,
    })
  })

  it('hides an aborted transaction whose marker lies beyond the response, and one that began before it', () => {
    const aborted = [{ producerId: 9, firstOffset: 2 }]
    expect(read([storedBatch(10, ['gone'], 9, true), storedBatch(11, ['plain'], 9)], 10, aborted)).toEqual({
      values: ['plain'],
      offsets: [11],
      next: 12,
    })
  })

  it('shows everything but markers to a reader of uncommitted data', () => {
    expect(read([storedBatch(0, ['open'], 9, true), marker(1, 9, 'abort')], 0)).toEqual({
      values: ['open'],
      offsets: [0],
      next: 2,
    })
  })

  it('puts compressed and plain batches in one set of columns', () => {
    const rows = (value: string): Row[] => [
      { key: null, value: Buffer.from(value), timestamp: 3, headers: [] },
    ]
    const second = sealRows(rows('zipped'), 'zstd')
    second.bytes[7] = 1
    expect(read([storedBatch(0, ['plain']), second.bytes], 0).values).toEqual(['plain', 'zipped'])
  })
})
