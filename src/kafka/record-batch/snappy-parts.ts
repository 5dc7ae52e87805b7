import type { Bytes } from '../../base/bytes.ts'
import { readInt32 } from './batch-header.ts'
import { decompress, snappyCode } from './compression.ts'
import type { CompressedPart } from './compressed-part.ts'

/** Snappy: one block, or many in the frame of the Java library, which most clients write. Each block begins with its size. */
export const snappyParts = (bytes: Bytes): readonly CompressedPart[] => {
  if (!frameMagic.every((byte, index) => bytes[index] === byte)) return [partOf(bytes)]
  const parts: CompressedPart[] = []
  for (let at = frameHeaderBytes; at < bytes.length;) {
    const length = at + 4 > bytes.length ? -1 : readInt32(bytes, at)
    const end = at + 4 + length
    if (length < 0 || end > bytes.length) throw new RangeError('a block of snappy ends behind the bytes')
    parts.push(partOf(bytes.subarray(at + 4, end)))
    at = end
  }
  return parts
}

const frameMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
const frameHeaderBytes = 16

const partOf = (block: Bytes): CompressedPart => {
  const maxBytes = sizeOf(block)
  // Three bytes repeat 64 at the most: a size beyond that is none, and is not allocated.
  if (maxBytes > block.length * 22 + 64)
    throw new RangeError(`a block of snappy says it has ${maxBytes} bytes`)
  return { maxBytes, unpack: () => decompress(snappyCode, block) }
}

const sizeOf = (block: Bytes): number => {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index] ?? 0
    size += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) break
  }
  return size
}
