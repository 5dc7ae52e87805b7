import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Bytes } from '../../base/bytes.ts'
import { Refusal } from '../protocol/errors.ts'
import { unpackLz4 } from './lz4.ts'
import { corrupt, tooLarge } from './output.ts'
import { unpackSnappy } from './snappy.ts'

const GZIP = 1
const SNAPPY = 2
const LZ4 = 3
const ZSTD = 4

/** The most that one batch may unpack to, whatever it claims: a few bytes can stand for gigabytes. */
const MAX_UNPACKED_BYTES = 128 << 20

/** Unpacks the records of a batch, for the broker's own look at them; clients get them as they were. */
export const decompress = (
  codec: number,
  bytes: Bytes,
  limit: number = MAX_UNPACKED_BYTES,
): Bytes | undefined => {
  if (codec === SNAPPY) return unpackSnappy(bytes, limit)
  if (codec === LZ4) return unpackLz4(bytes, limit)
  if (codec === GZIP) return unpack(limit, () => gunzipSync(bytes, { maxOutputLength: limit }))
  if (codec === ZSTD) return unpack(limit, () => zstdDecompressSync(bytes, { maxOutputLength: limit }))
  if (codec > ZSTD) throw new Refusal('UNKNOWN_SERVER_ERROR', `Unknown compression type id: ${codec}`)
  return undefined
}

const unpack = (limit: number, run: () => Bytes): Bytes => {
  try {
    return run()
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : corrupt()
  }
}
