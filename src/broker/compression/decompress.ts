import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Bytes } from '../../base/bytes.ts'
import type { Decompress } from '../log/records.ts'
import { unpackLz4 } from './lz4.ts'
import { corrupt } from './output.ts'
import { unpackSnappy } from './snappy.ts'

const GZIP = 1
const SNAPPY = 2
const LZ4 = 3
const ZSTD = 4

/** Unpacks the records of a batch, for the broker's own look at keys and timestamps; clients get them as they were. */
export const decompress: Decompress = (codec, bytes) => {
  if (codec === SNAPPY) return unpackSnappy(bytes)
  if (codec === LZ4) return unpackLz4(bytes)
  if (codec === GZIP) return orCorrupt(() => gunzipSync(bytes))
  if (codec === ZSTD) return orCorrupt(() => zstdDecompressSync(bytes))
  return undefined
}

const orCorrupt = (unpack: () => Bytes): Bytes => {
  try {
    return unpack()
  } catch {
    throw corrupt()
  }
}
