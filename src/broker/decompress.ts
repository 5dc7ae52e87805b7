import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Decompress } from './log/records.ts'

const GZIP = 1
const ZSTD = 4

/** What Node can unpack. Snappy and LZ4 batches are stored and served all the same; only looking inside is not done. */
export const decompress: Decompress = (codec, bytes) => {
  if (codec === GZIP) return gunzipSync(bytes)
  if (codec === ZSTD) return zstdDecompressSync(bytes)
  return undefined
}
