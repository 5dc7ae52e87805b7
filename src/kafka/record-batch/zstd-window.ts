import type { Bytes } from '../../base/bytes.ts'

/**
 * How much of what it has written a decompressor of zstd keeps for these bytes, which may be several frames: the largest
 * window that one of them asks for (RFC 8878, section 3.1.1.1). Blocks are skipped, not read. What is no frame ends the walk,
 * and the decompressor refuses it.
 */
export const zstdWindowBytes = (bytes: Bytes): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let largest = 0
  try {
    for (let at = 0; at < bytes.length;) {
      const magic = view.getUint32(at, true)
      if ((magic & 0xff_ff_ff_f0) >>> 0 === skippableMagic) {
        at += 8 + view.getUint32(at + 4, true)
        continue
      }
      if (magic !== frameMagic) break
      const frame = readFrameHeader(view, at + 4)
      largest = Math.max(largest, frame.windowBytes)
      at = endOfBlocks(view, frame.end) + frame.checksumBytes
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return largest
}

const frameMagic = 0xfd_2f_b5_28
const skippableMagic = 0x18_4d_2a_50

interface FrameHeader {
  readonly windowBytes: number
  readonly checksumBytes: number
  readonly end: number
}

/** A header says how large the window is, or that it is the whole content, whose size then follows. */
const readFrameHeader = (view: DataView, start: number): FrameHeader => {
  const descriptor = view.getUint8(start)
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const checksumBytes = (descriptor & 0b100) === 0 ? 0 : 4
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] as number
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  if (!isSingleSegment)
    return {
      windowBytes: windowOf(view.getUint8(start + 1)),
      checksumBytes,
      end: start + 2 + dictionaryBytes + sizeBytes,
    }
  const sizeAt = start + 1 + dictionaryBytes
  return { windowBytes: contentBytes(view, sizeAt, sizeBytes), checksumBytes, end: sizeAt + sizeBytes }
}

/** An exponent in the upper five bits, and eighths in the lower three. */
const windowOf = (descriptor: number): number => {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 0b111)
}

const contentBytes = (view: DataView, at: number, sizeBytes: number): number => {
  if (sizeBytes === 1) return view.getUint8(at)
  if (sizeBytes === 2) return view.getUint16(at, true) + 256
  return sizeBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}

/** Each block has a header of three bytes: whether it is the last, its kind, its size. Of a run, a single byte is stored. */
const endOfBlocks = (view: DataView, start: number): number => {
  for (let at = start; ;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const isRun = ((header >> 1) & 0b11) === 1
    at += 3 + (isRun ? 1 : header >> 3)
    if ((header & 1) === 1) return at
  }
}
