import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../../src/base/fault.ts'
import type { Bytes } from '../../../src/base/bytes.ts'
import {
  attributesAt,
  crcAt,
  headerLength,
  lastOffsetDeltaAt,
  lengthAt,
  magicAt,
  recordCountAt,
  writeInt32,
} from '../../../src/kafka/record-batch/batch-header.ts'
import { crc32c } from '../../../src/kafka/record-batch/crc32c.ts'
import { BatchSlices } from '../../../src/kafka/record-batch/batch-slices.ts'
import type { RecordColumns } from '../../../src/topic/record-columns.ts'
import { decodeHeaders } from '../../../src/topic/record-columns.ts'
import { scanBatches } from '../../../src/kafka/record-batch/scan-batches.ts'
import { sealRows, storedBatch } from '../support/batches.ts'

const place = { topic: 'orders', partition: 3 }

/** The records of a response of one batch, as the fetcher reads them. */
const read = async (bytes: Bytes): Promise<RecordColumns> => {
  const found = scanBatches(bytes, 0, bytes.length, { fetchOffset: 0, ...place })
  if (found.problem?.kind === 'corrupt') throw found.problem.fault
  const { columns } = await new BatchSlices(found, 0, 67_108_864).next()
  return columns
}

const withCrc = (bytes: Bytes): Bytes => {
  writeInt32(bytes, crcAt, crc32c(bytes.subarray(attributesAt)))
  return bytes
}

/** A batch whose records are these bytes, as a producer may have sent it. */
const batchOf = (records: readonly number[] | Bytes, count = 1, codec = 0): Bytes => {
  const bytes = Buffer.alloc(headerLength + records.length)
  bytes.set(storedBatch(0, ['x']).subarray(0, headerLength))
  bytes.set(records, headerLength)
  writeInt32(bytes, lengthAt, bytes.length - 12)
  writeInt32(bytes, recordCountAt, count)
  writeInt32(bytes, lastOffsetDeltaAt, 9)
  bytes[attributesAt + 1] = codec
  return withCrc(bytes)
}

const changed = (change: (bytes: Bytes) => void): Bytes => {
  const bytes = storedBatch(0, ['first', 'second'])
  change(bytes)
  return withCrc(bytes)
}

/** Zigzag numbers of one byte: 2 is 1, 4 is 2, 1 is -1. A record: length, attributes, time, offset, key, value, headers. */
const whole = [16, 0, 0, 0, 2, 107, 2, 118, 0]

describe('a batch that is not what it says', () => {
  it('is read where it is right', async () => {
    expect((await read(batchOf(whole))).count).toBe(1)
  })

  it.each<readonly [string, Bytes, RegExp]>([
    [
      'a value length that reaches into the next record',
      batchOf([...[16, 0, 0, 0, 2, 107, 12, 118, 0], ...whole], 2),
      /length of a record/,
    ],
    [
      'a key length that reaches into the next record',
      batchOf([...[16, 0, 0, 0, 20, 107, 2, 118, 0], ...whole], 2),
      /length of a record/,
    ],
    ['bytes behind its headers', batchOf([18, 0, 0, 0, 2, 107, 2, 118, 0, 7]), /length of a record/],
    ['more headers than it holds', batchOf([16, 0, 0, 0, 2, 107, 2, 118, 254]), /length of a record/],
    [
      '2147483647 headers',
      batchOf([24, 0, 0, 0, 2, 107, 2, 118, 254, 255, 255, 255, 15]),
      /length of a record/,
    ],
    ['a negative count of headers', batchOf([16, 0, 0, 0, 2, 107, 2, 118, 1]), /length of a record/],
    ['a header without name', batchOf([20, 0, 0, 0, 2, 107, 2, 118, 2, 1, 0]), /length of a record/],
    ['a record of no bytes', batchOf([0, ...whole]), /exceeds/],
    ['a record of a negative length', batchOf([3, ...whole]), /exceeds/],
    ['a record that ends behind it', batchOf([18, ...whole.slice(1)]), /exceeds/],
    ['an offset outside of it', batchOf([16, 0, 0, 40, 2, 107, 2, 118, 0]), /offset outside/],
    ['a negative offset', batchOf([16, 0, 0, 1, 2, 107, 2, 118, 0]), /offset outside/],
    ['a number that does not end', batchOf(Buffer.alloc(1_000_000, 255)), /exceeds/],
    [
      'a time that does not end',
      batchOf(Buffer.concat([Buffer.from([254, 255, 3, 0]), Buffer.alloc(32_800, 255)])),
      /cannot be read/,
    ],
    ['fewer records than bytes', batchOf([...whole, ...whole], 1), /more than the records it counts/],
    ['more records than bytes', batchOf(whole, 2), /no room/],
    ['2147483647 records', batchOf(whole, 2 ** 31 - 1), /no room/],
    ['a negative number of records', batchOf(whole, -1), /negative/],
    ['another format', changed((bytes) => (bytes[magicAt] = 1)), /format is 1/],
    ['a negative length', changed((bytes) => writeInt32(bytes, lengthAt, -1)), /shorter than its header/],
    [
      'a wrong checksum',
      storedBatch(0, ['x']).map((byte, at) => (at === headerLength + 7 ? byte ^ 1 : byte)),
      /checksum/,
    ],
    ['an unknown codec', batchOf(whole, 1, 7), /unknown codec \(7\)/],
    ['bytes that are no gzip', batchOf(whole, 1, 1), /decompressed/],
    ['bytes that are no snappy', batchOf(whole, 1, 2), /decompressed/],
    ['bytes that are no lz4', batchOf(whole, 1, 3), /decompressed/],
    ['bytes that are no zstd', batchOf(whole, 1, 4), /decompressed/],
  ])('%s: the fault names where it is and how to continue', async (_what, bytes, why) => {
    const thrown: unknown = await read(bytes).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(Fault)
    expect(thrown).toMatchObject({ code: 'BATCH_CORRUPT', place, message: expect.stringMatching(why) })
    expect((thrown as Fault).place.offset).toBeTypeOf('number')
    expect((thrown as Fault).remedy).toMatch(/continue after the batch.* to \d+ with kafka-consumer-groups/)
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'whatever bytes are changed (%s), records stay within their batch or it is a fault',
    async (codec) => {
      const row = { key: Buffer.from('key'), value: Buffer.from('value'), timestamp: 1 }
      const headers = [['name', Buffer.from('of the header')]] as const
      const { bytes } = sealRows(
        [
          { ...row, headers },
          { ...row, headers: [] },
          { ...row, headers },
        ],
        codec,
      )
      const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const damaged = Buffer.from(bytes)
          for (const [at, byte] of changes) damaged[at] = byte
          try {
            const columns = await read(withCrc(damaged))
            let end = 0
            for (let index = 0; index < columns.count; index++) {
              expect(columns.keyEnds[index]).toBeGreaterThanOrEqual(end)
              expect(columns.valueEnds[index]).toBeGreaterThanOrEqual(columns.keyEnds[index] as number)
              end = columns.valueEnds[index] as number
              decodeHeaders(columns, index)
            }
            expect(end).toBeLessThanOrEqual(columns.buffer.length)
          } catch (error) {
            expect(error).toBeInstanceOf(Fault)
          }
        }),
        { numRuns: 300 },
      )
    },
  )
})

describe('a response', () => {
  const scan = (bytes: Bytes, fetchOffset = 0) =>
    scanBatches(bytes, 0, bytes.length, { fetchOffset, ...place })

  it('that brings a damaged batch behind whole ones brings those first', () => {
    const damaged = storedBatch(1, ['b'])
    damaged[crcAt] = (damaged[crcAt] as number) ^ 1
    const { batches, nextOffset, problem } = scan(Buffer.concat([storedBatch(0, ['a']), damaged]))
    expect([batches.length, nextOffset, problem?.kind]).toEqual([1, 1, 'corrupt'])
  })

  it('that cuts its last batch off is as usual, and one that cuts its first off is not', () => {
    const cut = storedBatch(1, ['b', 'c']).subarray(0, 70)
    expect(scan(Buffer.concat([storedBatch(0, ['a']), cut])).problem).toBeUndefined()
    expect(scan(cut, 1).problem).toEqual({ kind: 'cut', sizeInBytes: storedBatch(1, ['b', 'c']).length })
    expect(scan(cut.subarray(0, 5), 1).problem).toEqual({ kind: 'cut', sizeInBytes: headerLength })
  })

  it('whose batches all lie before the offset that was asked for is not waited on again and again', () => {
    const { problem } = scan(storedBatch(0, ['a']), 5)
    expect(problem).toMatchObject({ kind: 'corrupt', fault: { place: { ...place, offset: 5 } } })
  })
})
