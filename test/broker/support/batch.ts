import { concatBytes, utf8Encode, type Bytes } from '../../../src/base/bytes.ts'
import { crc32c } from '../../../src/base/crc32c.ts'

export interface BatchOptions {
  readonly timestamps?: readonly number[]
  readonly keys?: readonly (string | null)[]
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly attributes?: number
}

const varint = (value: number): number[] => {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  const bytes: number[] = []
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

const record = (index: number, timestampDelta: number, key: string | null, value: string): Bytes => {
  const body = concatBytes(
    Uint8Array.from([0, ...varint(timestampDelta), ...varint(index)]),
    field(key),
    field(value),
    Uint8Array.from([0]),
  )
  return concatBytes(Uint8Array.from(varint(body.length)), body)
}

const field = (text: string | null): Bytes => {
  if (text === null) return Uint8Array.from(varint(-1))
  const bytes = utf8Encode(text)
  return concatBytes(Uint8Array.from(varint(bytes.length)), bytes)
}

/** A record batch as a producer would send it, written independently of the broker's own code but for the checksum. */
export const batchOf = (values: readonly string[], options: BatchOptions = {}): Bytes => {
  const timestamps = options.timestamps ?? values.map(() => 0)
  const base = timestamps[0] ?? 0
  const records = values.map((value, index) =>
    record(
      index,
      (timestamps[index] ?? base) - base,
      options.keys === undefined ? `key-${index}` : (options.keys[index] ?? null),
      value,
    ),
  )
  const bytes = concatBytes(new Uint8Array(61), ...records)
  const view = new DataView(bytes.buffer)
  view.setInt32(8, bytes.length - 12)
  view.setInt32(12, -1)
  view.setInt8(16, 2)
  view.setInt16(21, (options.attributes ?? 0) | (options.transactional === true ? 16 : 0))
  view.setInt32(23, values.length - 1)
  view.setBigInt64(27, BigInt(base))
  view.setBigInt64(35, BigInt(Math.max(0, ...timestamps)))
  view.setBigInt64(43, BigInt(options.producerId ?? -1))
  view.setInt16(51, options.producerEpoch ?? -1)
  view.setInt32(53, options.baseSequence ?? -1)
  view.setInt32(57, values.length)
  view.setUint32(17, crc32c(bytes, 21))
  return bytes
}
