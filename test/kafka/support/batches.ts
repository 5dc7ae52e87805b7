import type { Bytes } from '../../../src/base/bytes.ts'
import type { Headers } from '../../../src/topic/headers.ts'
import { BatchBuilder } from '../../../src/kafka/record-batch/batch-builder.ts'
import type { SealedBatch, Region } from '../../../src/kafka/record-batch/batch-builder.ts'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import {
  attributesAt,
  controlFlag,
  crcAt,
  writeInt32,
  writeInt64,
} from '../../../src/kafka/record-batch/batch-header.ts'
import { crc32c } from '../../../src/kafka/record-batch/crc32c.ts'

export interface Row {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly timestamp: number
  readonly headers: Headers
}

export const sealRows = (rows: readonly Row[], compression: Compression = 'none'): SealedBatch => {
  const builder = new BatchBuilder(Buffer.alloc(64))
  for (const { key, value, timestamp, headers } of rows)
    builder.append(whole(key), whole(value), timestamp, headers)
  return builder.seal(compression)
}

export const whole = (bytes: Bytes | null): Region | null =>
  bytes === null ? null : { buffer: bytes, start: 0, end: bytes.length }

/** A batch of text values at an offset, as a broker would have stored it. */
export const storedBatch = (
  baseOffset: number,
  values: readonly string[],
  producerId = -1,
  transactional = false,
): Bytes => {
  const sealed = sealRows(
    values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: 1, headers: [] })),
  )
  sealed.stamp(producerId, 0, 0, transactional)
  writeInt64(sealed.bytes, 0, baseOffset)
  return sealed.bytes
}

/** The marker that ends a transaction in the log. */
export const marker = (baseOffset: number, producerId: number, kind: 'commit' | 'abort'): Bytes => {
  const key = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0])
  const sealed = sealRows([{ key, value: Buffer.alloc(6), timestamp: 1, headers: [] }])
  sealed.stamp(producerId, 0, -1, true)
  writeInt64(sealed.bytes, 0, baseOffset)
  sealed.bytes[attributesAt + 1] = (sealed.bytes[attributesAt + 1] as number) | controlFlag
  writeInt32(sealed.bytes, crcAt, crc32c(sealed.bytes.subarray(attributesAt)))
  return sealed.bytes
}
