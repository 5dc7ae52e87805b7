import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { crc32c } from '../../src/base/crc32c.ts'
import { PartitionLog } from '../../src/broker/log/partition-log.ts'
import { readBatchHeader, transactionMarker, type BatchHeader } from '../../src/broker/log/record-batch.ts'
import { batchOf } from './support/batch.ts'

const header = (batch: Uint8Array): BatchHeader => readBatchHeader(batch) as BatchHeader

const append = (log: PartitionLog, batch: Uint8Array): number => log.append(batch, header(batch))

const newLog = (): PartitionLog => new PartitionLog(() => undefined)

/** Sizes of batches, from one record to more than a block of memory holds. */
const batches = fc.array(
  fc.record({ count: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 1, max: 3000 }) }),
  {
    maxLength: 40,
  },
)

const filled = (sizes: readonly { count: number; size: number }[]): PartitionLog => {
  const log = newLog()
  for (const { count, size } of sizes)
    append(log, batchOf(Array.from({ length: count }, () => 'x'.repeat(size))))
  return log
}

/** First and last offset of each batch in what was read. */
const ranges = (chunks: readonly Uint8Array[]): [number, number][] => {
  const bytes = concatBytes(...chunks)
  const found: [number, number][] = []
  for (let at = 0; at < bytes.length;) {
    const { baseOffset, lastOffsetDelta, sizeInBytes } = readBatchHeader(bytes, at) as BatchHeader
    found.push([baseOffset, baseOffset + lastOffsetDelta])
    at += sizeInBytes
  }
  return found
}

describe('a partition’s log', () => {
  it('numbers records without gaps, whatever the batches', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        const log = filled(sizes)
        const all = ranges(log.read(0, Infinity, Infinity, true).chunks)
        let next = 0
        for (const [first, last] of all) {
          expect(first).toBe(next)
          next = last + 1
        }
        expect(next).toBe(log.logEndOffset)
        expect(all.length).toBe(sizes.length)
      }),
    )
  })

  it('reads on from any offset, within any limit, to the end and once', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 20_000 }), (sizes, seed, maxBytes) => {
        const log = filled(sizes)
        const start = log.logEndOffset === 0 ? 0 : seed % log.logEndOffset
        let offset = start
        for (let guard = 0; offset < log.logEndOffset; guard++) {
          expect(guard).toBeLessThan(200)
          const read = log.read(offset, Infinity, maxBytes, true)
          const [first] = ranges(read.chunks)
          expect(first?.[0]).toBeLessThanOrEqual(offset)
          expect(first?.[1]).toBeGreaterThanOrEqual(offset)
          const batchCount = ranges(read.chunks).length
          expect(read.sizeInBytes <= maxBytes || batchCount === 1).toBe(true)
          offset = read.nextOffset
        }
        expect(log.read(offset, Infinity, maxBytes, true).chunks).toEqual([])
      }),
    )
  })

  it('knows how much there is to read without reading it', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.nat(), (sizes, from, to) => {
        const log = filled(sizes)
        const [offset, limit] = [from % (log.logEndOffset + 1), to % (log.logEndOffset + 1)]
        expect(log.bytesBetween(offset, limit)).toBe(log.read(offset, limit, Infinity, true).sizeInBytes)
      }),
    )
  })

  it('changes nothing in a batch but its base offset and leader epoch', () => {
    const log = newLog()
    append(log, batchOf(['first']))
    const batch = batchOf(['a', 'b'])
    append(log, batch)
    const [read = new Uint8Array()] = log.read(1, Infinity, Infinity, true).chunks
    expect(read.subarray(16)).toEqual(batch.subarray(16))
    expect(header(read)).toEqual({ ...header(batch), baseOffset: 1 })
  })

  it('keeps what it handed out as it was while more is appended', () => {
    const log = newLog()
    append(log, batchOf(['a']))
    const { chunks } = log.read(0, Infinity, Infinity, true)
    const before = concatBytes(...chunks)
    for (let index = 0; index < 500; index++) append(log, batchOf(['x'.repeat(100)]))
    expect(concatBytes(...chunks)).toEqual(before)
  })

  it('finds the first record at or after a time, as a look at every record would', () => {
    const times = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 4 }), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 51 }), (perBatch, wanted) => {
        const log = newLog()
        for (const timestamps of perBatch) append(log, batchOf(timestamps.map(String), { timestamps }))
        const flat = perBatch.flat()
        const offset = flat.findIndex((time) => time >= wanted)
        expect(log.offsetForTimestamp(wanted)).toEqual(
          offset === -1 ? undefined : { offset, timestamp: flat[offset] },
        )
        const latest = Math.max(...flat)
        expect(log.offsetOfMaxTimestamp()?.offset).toBe(flat.length === 0 ? undefined : flat.indexOf(latest))
      }),
    )
  })

  it('keeps the rest of a batch whose first records are deleted', () => {
    const log = filled([
      { count: 3, size: 10 },
      { count: 3, size: 10 },
    ])
    expect(log.deleteRecords(4)).toBe(4)
    expect(ranges(log.read(4, Infinity, Infinity, true).chunks)).toEqual([[3, 5]])
    expect(log.sizeInBytes).toBe(log.bytesBetween(4, 6))
    expect(() => log.deleteRecords(7)).toThrow('not within the log')
    expect(log.deleteRecords(-1)).toBe(6)
    expect(log.read(6, Infinity, Infinity, true).chunks).toEqual([])
    expect(append(log, batchOf(['next']))).toBe(6)
  })

  it('holds back what lies behind the first open transaction of any producer', () => {
    const log = newLog()
    const open = (producerId: number, baseSequence: number): number =>
      append(log, batchOf(['x'], { producerId, producerEpoch: 0, baseSequence, transactional: true }))
    const end = (producerId: number, commit: boolean): number =>
      append(log, transactionMarker(commit, producerId, 0, 0, 5))
    open(1, 0)
    open(2, 0)
    expect(log.lastStableOffset).toBe(0)
    end(1, true)
    expect(log.lastStableOffset).toBe(1)
    open(1, 1)
    end(2, false)
    expect(log.lastStableOffset).toBe(3)
    end(1, false)
    expect(log.lastStableOffset).toBe(log.logEndOffset)
    expect(log.abortedBetween(0, 10)).toEqual([
      { producerId: 2, firstOffset: 1, lastOffset: 4 },
      { producerId: 1, firstOffset: 3, lastOffset: 5 },
    ])
    expect(log.abortedBetween(5, 10)).toEqual([{ producerId: 1, firstOffset: 3, lastOffset: 5 }])
  })
})

it('crc32c agrees with its published check value', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
})
