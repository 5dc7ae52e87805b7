import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../../src/base/fault.ts'
import type { Bytes } from '../../../src/base/bytes.ts'
import {
  headerLength,
  lastOffsetDeltaAt,
  lengthAt,
  recordCountAt,
  writeInt32,
} from '../../../src/kafka/record-batch/batch-header.ts'
import { BatchSlices } from '../../../src/kafka/record-batch/batch-slices.ts'
import type { RecordSlice } from '../../../src/kafka/record-batch/batch-slices.ts'
import { compress, compressionCode } from '../../../src/kafka/record-batch/compression.ts'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import { scanBatches } from '../../../src/kafka/record-batch/scan-batches.ts'
import { sealRows, storedBatch } from '../support/batches.ts'
import { rowsOf } from '../support/rows.ts'

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const megabyte = 1_048_576
/** The library writes one block of snappy, and blocks of 4 MB of lz4. */
const largestSlice = { gzip: 2 * megabyte, zstd: 2 * megabyte, lz4: 6 * megabyte, snappy: 21 * megabyte }

const slicesOf = (bytes: Bytes, fetchOffset = 0, maxRecordBytes = 64 * megabyte): BatchSlices =>
  new BatchSlices(
    scanBatches(bytes, 0, bytes.length, { fetchOffset, checkCrcs: false, topic: 't', partition: 1 }),
    fetchOffset,
    maxRecordBytes,
  )

const readAll = async (slices: BatchSlices): Promise<readonly RecordSlice[]> => {
  const all: RecordSlice[] = []
  while (!slices.isDone) all.push(await slices.next())
  return all
}

const faultOf = async (work: Promise<unknown>): Promise<Fault> => {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

/** A batch of these values, as a broker would have stored it. */
const batchOf = (values: readonly Bytes[], compression: Compression, baseOffset = 0): Buffer => {
  const rows = values.map((value) => ({ key: Buffer.from('k'), value, timestamp: 5, headers: [] }))
  const batch = Buffer.from(sealRows(rows, compression).bytes)
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  return batch
}

/** The batch with the bytes of its records replaced, compressed as before. */
const withRecords = (batch: Buffer, records: Bytes): Buffer => {
  const bytes = Buffer.concat([batch.subarray(0, headerLength), records])
  writeInt32(bytes, lengthAt, bytes.length - 12)
  return bytes
}

const zeros = (count: number, size: number): readonly Bytes[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(size).fill(index, 0, 1))

const firstBytes = (slices: readonly RecordSlice[]): readonly (number | undefined)[] =>
  slices.flatMap(({ columns: { buffer, count, valueStarts } }) =>
    Array.from({ length: count }, (_, row) => buffer[valueStarts[row] as number]),
  )

describe('compressed batches', () => {
  it.each(codecs)('are read when their turn comes, small ones together (%s)', async (codec) => {
    const batches = Array.from({ length: 100 }, (_, at) => batchOf([randomBytes(5_000)], codec, at))
    const slices = slicesOf(Buffer.concat(batches))
    const first = await slices.next()
    expect(first.columns.count).toBeLessThan(80)
    expect(slices.firstOffset).toBe(first.nextOffset)
    const all = [first, ...(await readAll(slices))]
    expect(all.flatMap((slice) => rowsOf(slice).map(({ offset }) => offset))).toEqual(
      Array.from({ length: 100 }, (_, at) => at),
    )
    expect(all.at(-1)?.nextOffset).toBe(100)
  })

  it.each(codecs)('that become large come in slices (%s)', async (codec) => {
    const batch = batchOf(zeros(200, 100_000), codec, 10)
    expect(batch.length).toBeLessThan(1_500_000)
    const slices = slicesOf(Buffer.concat([batch, storedBatch(210, ['after'])]), 10)
    const all = await readAll(slices)
    expect(firstBytes(all).slice(0, 200)).toEqual(Array.from({ length: 200 }, (_, at) => at))
    expect(firstBytes(all).length).toBe(201)
    expect(Math.max(...all.map(({ unpackedBytes }) => unpackedBytes))).toBeLessThan(largestSlice[codec])
    expect(all.at(-1)?.nextOffset).toBe(211)
    for (const { columns, nextOffset } of all.slice(0, -2))
      expect(nextOffset).toBe((columns.offsets[columns.count - 1] as number) + 1)
  })

  it.each(codecs)('that become large begin at the offset that was asked for (%s)', async (codec) => {
    const all = await readAll(slicesOf(batchOf(zeros(200, 100_000), codec), 150))
    expect(firstBytes(all)).toEqual(Array.from({ length: 50 }, (_, at) => 150 + at))
    expect(all[0]?.columns.offsets[0]).toBe(150)
  })

  it.each(codecs)('may have a record that is larger than a slice (%s)', async (codec) => {
    const values = [Buffer.alloc(20 * megabyte, 'a'), Buffer.from('b')]
    expect(firstBytes(await readAll(slicesOf(batchOf(values, codec))))).toEqual([97, 98])
  })

  it.each(codecs)('with a record above the bound are refused with their place (%s)', async (codec) => {
    const bytes = batchOf([Buffer.from('a'), Buffer.alloc(20 * megabyte, 'b')], codec, 7)
    expect(await faultOf(readAll(slicesOf(bytes, 7, 8 * megabyte)))).toMatchObject({
      code: 'BATCH_TOO_LARGE',
      message: expect.stringMatching(/8388608 are allowed.*raise inputBufferMaxBytes.* to 9 with/),
      place: { topic: 't', partition: 1, offset: 7 },
    })
  })

  it.each(codecs)('that become large are refused where they are not what they say (%s)', async (codec) => {
    const records = sealRows(
      zeros(60, 100_000).map((value) => ({ key: null, value, timestamp: 5, headers: [] })),
    ).bytes.subarray(headerLength)
    const whole = batchOf(zeros(60, 100_000), codec)
    const packed = compress(codec, records)
    const cut = withRecords(whole, packed.subarray(0, packed.length - 20))
    const more = withRecords(whole, compress(codec, Buffer.concat([records, Buffer.from([2, 0])])))
    const fewer = withRecords(whole, packed)
    writeInt32(fewer, recordCountAt, 61)
    writeInt32(fewer, lastOffsetDeltaAt, 60)
    const endless = withRecords(whole, compress(codec, Buffer.alloc(6 * megabyte, 255)))
    expect(compressionCode(codec)).toBeGreaterThan(0)
    for (const bytes of [cut, more, fewer, endless])
      expect(await faultOf(readAll(slicesOf(bytes)))).toMatchObject({
        code: 'BATCH_CORRUPT',
        place: { topic: 't', partition: 1 },
      })
  })

  it('that cannot be read end the slice of those before them', async () => {
    const good = batchOf([Buffer.from('a')], 'gzip', 0)
    const bad = withRecords(batchOf([Buffer.from('b')], 'gzip', 1), Buffer.from('no gzip'))
    const slices = slicesOf(Buffer.concat([good, bad]))
    expect((await slices.next()).nextOffset).toBe(1)
    expect(slices.isDone).toBe(false)
    expect(() => slices.next()).toThrow(
      expect.objectContaining({ place: expect.objectContaining({ offset: 1 }) }),
    )
  })

  it('are left alone where they are closed half way', async () => {
    const slices = slicesOf(batchOf(zeros(200, 100_000), 'zstd'))
    await slices.next()
    expect(slices.isBegun).toBe(true)
    slices.close()
    expect(slices.isDone).toBe(true)
  })
})
