import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Bytes } from '../../base/bytes.ts'
import type { CompressedPart } from './compressed-part.ts'
import { decompress, gzipCode, lz4Code, snappyCode, zstdCode } from './compression.ts'
import { lz4Parts } from './lz4-parts.ts'
import { snappyParts } from './snappy-parts.ts'
import { zstdWindowBytes } from './zstd-window.ts'

/**
 * Decompression with a bound, as a few bytes can stand for gigabytes: what is small comes as a whole, in one call, and
 * what is large comes in pieces, of which only one is in memory.
 */

/** Undefined where it would be more than `maxBytes`. */
export const decompressWhole = (codec: number, bytes: Bytes, maxBytes: number): Bytes | undefined => {
  switch (codec) {
    case gzipCode:
      return upTo(() => gunzipSync(bytes, { maxOutputLength: maxBytes }))
    case zstdCode:
      return upTo(() => zstdDecompressSync(bytes, { maxOutputLength: maxBytes }))
    default: {
      const size = partsOf(codec, bytes).reduce((sum, part) => sum + part.maxBytes, 0)
      return size > maxBytes ? undefined : decompress(codec, bytes)
    }
  }
}

/** `onLarge` is called for a piece that may have more than `maxBytes`, and must throw. */
export async function* decompressPieces(
  codec: number,
  bytes: Bytes,
  maxBytes: number,
  onLarge: (sizeInBytes: number) => never,
): AsyncGenerator<Bytes, void, undefined> {
  if (codec === gzipCode || codec === zstdCode) {
    const stream = codec === gzipCode ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize })
    stream.end(bytes)
    yield* stream
    return
  }
  for (const part of partsOf(codec, bytes)) {
    if (part.maxBytes > maxBytes) onLarge(part.maxBytes)
    yield part.unpack()
  }
}

/** What `decompressPieces` keeps for as long as it is read, beside the piece that it gives. */
export const workingBytesOf = (codec: number, bytes: Bytes): number =>
  codec === zstdCode ? zstdWindowBytes(bytes) : 0

const chunkSize = 262_144

const partsOf = (codec: number, bytes: Bytes): readonly CompressedPart[] => {
  if (codec === snappyCode) return snappyParts(bytes)
  if (codec === lz4Code) return lz4Parts(bytes)
  throw new RangeError(`unknown codec (${codec})`)
}

const upTo = (run: () => Bytes): Bytes | undefined => {
  try {
    return run()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw error
  }
}
