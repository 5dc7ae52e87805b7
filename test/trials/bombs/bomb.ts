import { once } from 'node:events'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { Bytes } from '../../../src/base/bytes.ts'
import { systemClock } from '../../../src/base/system-clock.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { TcpTransport } from '../../../src/kafka/connection/tcp-transport.ts'
import { produceV11Api } from '../../../src/kafka/produce/produce-codec.ts'
import {
  attributesAt,
  crcAt,
  headerLength,
  lastOffsetDeltaAt,
  lengthAt,
  recordCountAt,
  writeInt32,
} from '../../../src/kafka/record-batch/batch-header.ts'
import { BatchBuilder } from '../../../src/kafka/record-batch/batch-builder.ts'
import { gzipCode, zstdCode } from '../../../src/kafka/record-batch/compression.ts'
import { crc32c } from '../../../src/kafka/record-batch/crc32c.ts'

/** A batch that becomes far larger than it is, as a producer may send it. */
export interface Bomb {
  readonly codec: 'gzip' | 'zstd'
  /** Of zstd, as a power of two: how much of what it has written the decompressor keeps. */
  readonly windowLog?: number
  readonly records: number
  readonly valueOf: (index: number) => Bytes
}

/** Compresses as it goes: the batch is never in memory as a whole. */
export const bombOf = async ({ codec, windowLog, records, valueOf }: Bomb): Promise<Bytes> => {
  const packer =
    codec === 'gzip'
      ? createGzip({ level: 9 })
      : createZstdCompress({
          params: windowLog === undefined ? {} : { [constants.ZSTD_c_windowLog]: windowLog },
        })
  const packed: Buffer[] = []
  packer.on('data', (chunk: Buffer) => packed.push(chunk))
  for (let index = 0; index < records; index++) {
    const value = valueOf(index)
    const head = Buffer.concat([Buffer.from([0, 0]), varint(index), Buffer.from([1]), varint(value.length)])
    const record = [varint(head.length + value.length + 1), head, value, Buffer.from([0])]
    if (!packer.write(Buffer.concat(record))) await once(packer, 'drain')
  }
  packer.end()
  await once(packer, 'end')
  return batchOf(Buffer.concat(packed), records, codec === 'gzip' ? gzipCode : zstdCode)
}

const batchOf = (body: Bytes, records: number, codec: number): Bytes => {
  const builder = new BatchBuilder()
  builder.append(null, null, Date.now(), [])
  const bytes = Buffer.concat([builder.seal().bytes.subarray(0, headerLength), body])
  writeInt32(bytes, lengthAt, bytes.length - 12)
  bytes[attributesAt + 1] = codec
  writeInt32(bytes, lastOffsetDeltaAt, records - 1)
  writeInt32(bytes, recordCountAt, records)
  writeInt32(bytes, crcAt, crc32c(bytes.subarray(attributesAt)))
  return bytes
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = (value << 1) >>> 0
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** Sends a batch as it is to each of these partitions. */
export const sendBatch = async (
  brokers: string,
  topic: string,
  partitions: number,
  batch: Bytes,
): Promise<void> => {
  const transport = new TcpTransport({ brokers, clientId: 'bomb' })
  const cluster = new Cluster({ transport, clock: systemClock })
  try {
    await cluster.topic(topic)
    for (let partition = 0; partition < partitions; partition++) {
      const leader = cluster.leaderOf(topic, partition)
      if (leader === undefined) throw new Error(`${topic}-${partition} has no leader`)
      const [produced] = await cluster.callBroker(leader, 'control', produceV11Api, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 60_000,
        topics: [{ topic, partitions: [{ partition, batch }] }],
        sizeInBytes: batch.length,
      })
      if (produced?.errorCode !== 0)
        throw new Error(`${topic}-${partition} refused it: ${produced?.errorCode} ${produced?.errorMessage}`)
    }
  } finally {
    await transport.close()
  }
}
