import { compressionsAlgorithms, compressionsAlgorithmsByBitmask } from '@platformatic/kafka'
import type { Bytes } from '../../base/bytes.ts'

/** The codecs of record batches, all without native code of ours: zlib's are Node's, the rest the library's. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The number that a codec has in the attributes of a batch. */
export const compressionCode = (compression: Compression): number =>
  compressionsAlgorithms[compression].bitmask

export const gzipCode = 1
export const snappyCode = 2
export const lz4Code = 3
export const zstdCode = 4

export const compress = (compression: Compression, bytes: Bytes): Bytes =>
  compression === 'none' ? bytes : compressionsAlgorithms[compression].compressSync(asBuffer(bytes))

export const decompress = (code: number, bytes: Bytes): Bytes => {
  const codec = compressionsAlgorithmsByBitmask[code]
  if (codec === undefined) throw new RangeError(`unknown codec (${code})`)
  return codec.decompressSync(asBuffer(bytes))
}

const asBuffer = (bytes: Bytes): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
