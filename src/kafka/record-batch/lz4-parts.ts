import type { Bytes } from '../../base/bytes.ts'
import { joinBytes } from '../../base/bytes.ts'
import type { CompressedPart } from './compressed-part.ts'
import { decompress, lz4Code } from './compression.ts'

/**
 * An LZ4 frame as parts: its blocks, which Kafka's clients write so that none refers to another, in frames of their own.
 * A frame whose blocks refer to each other is one part.
 */
export const lz4Parts = (bytes: Bytes): readonly CompressedPart[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < shortestFrame || view.getUint32(0, true) !== magic)
    throw new RangeError('the bytes are no frame of LZ4')
  const flags = view.getUint8(4)
  const blockMaxBytes = blockSizes[(view.getUint8(5) >>> 4) & 7]
  if (blockMaxBytes === undefined) throw new RangeError('a frame of LZ4 has no size of blocks')
  const frame = { bytes, view, flags, blockMaxBytes }
  const blocks = blocksOf(frame)
  if ((flags & isIndependent) !== 0) return groupsOf(frame, blocks)
  const maxBytes = blocks.reduce((sum, block) => sum + block.maxBytes, 0)
  return [{ maxBytes, unpack: () => decompress(lz4Code, bytes) }]
}

interface Frame {
  readonly bytes: Bytes
  readonly view: DataView
  readonly flags: number
  readonly blockMaxBytes: number
}

interface Block {
  readonly start: number
  readonly end: number
  readonly maxBytes: number
}

const magic = 0x184d2204
const shortestFrame = 11
const version = 0x40
const isIndependent = 0x20
const hasBlockChecksums = 0x10
const hasContentSize = 0x08
const hasDictionary = 0x01
const blockSizes = [undefined, undefined, undefined, undefined, 65_536, 262_144, 1_048_576, 4_194_304]

const blocksOf = ({ view, flags, blockMaxBytes }: Frame): readonly Block[] => {
  const blocks: Block[] = []
  const checksumBytes = (flags & hasBlockChecksums) === 0 ? 0 : 4
  let start = 7 + ((flags & hasContentSize) === 0 ? 0 : 8) + ((flags & hasDictionary) === 0 ? 0 : 4)
  for (;;) {
    if (start + 4 > view.byteLength) throw new RangeError('a frame of LZ4 has no end')
    const word = view.getUint32(start, true)
    if (word === 0) return blocks
    const length = word & 0x7fff_ffff
    const end = start + 4 + length + checksumBytes
    if (end > view.byteLength) throw new RangeError('a block of LZ4 ends behind the bytes')
    // One byte repeats 255 at the most.
    blocks.push({ start, end, maxBytes: Math.min(blockMaxBytes, length * 255) })
    start = end
  }
}

const groupsOf = (frame: Frame, blocks: readonly Block[]): readonly CompressedPart[] => {
  const parts: CompressedPart[] = []
  for (let first = 0; first < blocks.length;) {
    let next = first
    let maxBytes = 0
    for (; next < blocks.length && maxBytes < groupBytes; next++) maxBytes += (blocks[next] as Block).maxBytes
    const start = (blocks[first] as Block).start
    const end = (blocks[next - 1] as Block).end
    parts.push({ maxBytes, unpack: () => decompress(lz4Code, frameOf(frame, start, end)) })
    first = next
  }
  return parts
}

const groupBytes = 1_048_576

/** A frame of some blocks of another. */
const frameOf = ({ bytes, view, flags }: Frame, start: number, end: number): Bytes => {
  const header = new Uint8Array(7)
  const headerFlags = version | isIndependent | (flags & hasBlockChecksums)
  const blockSize = view.getUint8(5) & 0x70
  new DataView(header.buffer).setUint32(0, magic, true)
  header[4] = headerFlags
  header[5] = blockSize
  header[6] = (hash32([headerFlags, blockSize]) >>> 8) & 0xff
  return joinBytes([header, bytes.subarray(start, end), new Uint8Array(4)])
}

/** xxHash32 of fewer than four bytes. */
const hash32 = (bytes: readonly number[]): number => {
  let hash = (0x1656_67b1 + bytes.length) | 0
  for (const byte of bytes) {
    hash = (hash + Math.imul(byte, 0x1656_67b1)) | 0
    hash = Math.imul((hash << 11) | (hash >>> 21), 0x9e37_79b1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca77)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae3d)
  return hash ^ (hash >>> 16)
}
