import { compressionsAlgorithms } from '@platformatic/kafka'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { decompress } from '../../src/broker/compression/decompress.ts'
import { createBrokerCore } from '../../src/broker/index.ts'
import { crc32c } from '../../src/base/crc32c.ts'
import { listOffsetsSchema } from '../../src/broker/protocol/apis/list-offsets.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { batchOf } from './support/batch.ts'
import { WireClient } from './support/wire-client.ts'

const codecs = [
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
] as const

const compress = (codec: (typeof codecs)[number][0], bytes: Uint8Array): Uint8Array =>
  compressionsAlgorithms[codec].compressSync(Buffer.from(bytes))

/**
 * Bytes with runs and repetitions, which is what makes a compressor look back. Never none: the library's compressors
 * fail on nothing once their memory has grown, and no record batch is empty.
 */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 300 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((parts) =>
    concatBytes(...parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))),
  )

/** As the Java library frames Snappy: a header, and blocks with their lengths. */
const javaSnappy = (...blocks: Uint8Array[]): Uint8Array =>
  concatBytes(
    Uint8Array.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ...blocks.flatMap((block) => {
      const packed = compress('snappy', block)
      const length = Buffer.alloc(4)
      length.writeInt32BE(packed.length)
      return [length, packed]
    }),
  )

describe('what a client has compressed', () => {
  it.each(codecs)('%s is unpacked to what it was', (name, codec) => {
    fc.assert(
      fc.property(repetitive, (bytes) => {
        expect(Buffer.from(decompress(codec, compress(name, bytes)) ?? []).equals(bytes)).toBe(true)
      }),
    )
  })

  it('snappy in the blocks of the Java library is unpacked too', () => {
    fc.assert(
      fc.property(fc.array(repetitive, { maxLength: 3 }), (blocks) => {
        const unpacked = decompress(2, javaSnappy(...blocks)) ?? new Uint8Array()
        expect(Buffer.from(unpacked).equals(concatBytes(...blocks))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it.each(codecs)('%s that is cut is corrupt, and no surprise', (name, codec) => {
    const packed = compress(name, Buffer.from('abcabcabcabcabcabcabc-'.repeat(20)))
    for (let length = 1; length < packed.length; length++) {
      let unpacked: Uint8Array | undefined
      try {
        unpacked = decompress(codec, packed.subarray(0, length))
      } catch (error) {
        expect(error).toMatchObject({ errorName: 'CORRUPT_MESSAGE' })
        continue
      }
      // Bare Snappy has no end: what is cut between two elements is just shorter.
      expect([name, (unpacked?.length ?? 0) < 440]).toEqual(['snappy', true])
    }
  })
})

describe('the broker looks into compressed batches', () => {
  let client: WireClient

  beforeEach(() => {
    client = new WireClient(
      createBrokerCore({
        clock: new ManualClock(10_000),
        decompress,
        topics: [{ name: 'plain' }, { name: 'compacted', configs: { 'cleanup.policy': 'compact' } }],
      }),
    )
  })

  const produce = async (topic: string, records: Uint8Array): Promise<number | undefined> => {
    const { responses } = await client.call(produceSchema, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    })
    return responses[0]?.partitionResponses[0]?.errorCode
  }

  const compressed = (name: (typeof codecs)[number][0], codec: number, plain: Uint8Array): Uint8Array => {
    const batch = concatBytes(plain.subarray(0, 61), compress(name, plain.subarray(61)))
    const view = new DataView(batch.buffer)
    view.setInt32(8, batch.length - 12)
    view.setInt16(21, codec)
    view.setUint32(17, crc32c(batch, 21))
    return batch
  }

  it.each(codecs)('to find an offset by time within %s', async (name, codec) => {
    const batch = batchOf(['a', 'b', 'c'], { timestamps: [1_000, 2_000, 3_000] })
    expect(await produce('plain', compressed(name, codec, batch))).toBe(Errors.NONE)
    const { topics } = await client.call(listOffsetsSchema, 9, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, timestamp: 1_500 }] }],
    })
    expect(topics[0]?.partitions[0]).toMatchObject({ offset: 1, timestamp: 2_000 })
  })

  it.each(codecs)('to refuse records without a key within %s', async (name, codec) => {
    const keyless = batchOf(['a'], { keys: [null] })
    expect(await produce('compacted', compressed(name, codec, keyless))).toBe(Errors.INVALID_RECORD)
    expect(await produce('compacted', compressed(name, codec, batchOf(['a'])))).toBe(Errors.NONE)
  })
})

describe('a compressed batch that a client sends', () => {
  const sent = async (codec: number, body: Uint8Array) => {
    const core = createBrokerCore({ clock: new ManualClock(0), decompress, topics: [{ name: 'in' }] })
    const plain = batchOf(['x'], { attributes: codec })
    const records = concatBytes(plain.subarray(0, 61), body)
    const view = new DataView(records.buffer)
    view.setInt32(8, records.length - 12)
    view.setUint32(17, crc32c(records, 21))
    const { responses } = await new WireClient(core).call(produceSchema, 11, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'in', partitionData: [{ index: 0, records }] }],
    })
    return responses[0]?.partitionResponses[0]
  }
  const packed = (name: (typeof codecs)[number][0], body: Uint8Array): Uint8Array => compress(name, body)

  it.each(codecs)('%s is taken where it holds the records that its header says', async (name, codec) => {
    expect((await sent(codec, packed(name, batchOf(['x']).subarray(61))))?.errorCode).toBe(Errors.NONE)
  })

  it.each(codecs)('%s that cannot be unpacked is refused with its topic and partition', async (_, codec) => {
    expect(await sent(codec, Uint8Array.from([0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9]))).toMatchObject({
      errorCode: Errors.UNKNOWN_SERVER_ERROR,
      errorMessage: expect.stringContaining('(topic in, partition 0)'),
    })
  })

  it.each(codecs)('%s with other records than its header says is refused', async (name, codec) => {
    const body = packed(name, batchOf(['x', 'y']).subarray(61))
    expect((await sent(codec, body))?.errorCode).toBe(Errors.INVALID_RECORD)
  })

  it('of an unknown codec is refused', async () => {
    expect((await sent(5, new Uint8Array(20)))?.errorCode).toBe(Errors.UNKNOWN_SERVER_ERROR)
  })

  it.each(codecs)('%s unpacks to no more than its limit', (name, codec) => {
    const bomb = packed(name, new Uint8Array(4 << 20))
    expect(() => decompress(codec, bomb, 1 << 20)).toThrow('unpacks to more than 1048576 bytes')
    expect(decompress(codec, bomb, 4 << 20)?.length).toBe(4 << 20)
  })

  it('is refused as too large where it unpacks to more than the broker takes', async () => {
    const bomb = packed('zstd', new Uint8Array(130 << 20))
    expect(await sent(4, bomb)).toMatchObject({
      errorCode: Errors.MESSAGE_TOO_LARGE,
      errorMessage: expect.stringContaining('(topic in, partition 0)'),
    })
  })
})
