import type { Bytes } from '../../base/bytes.ts'
import { corrupt, Output } from './output.ts'

/** Snappy: bare, or in the blocks of the Java library, which most Kafka clients write. */
const FRAMED = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
const FRAME_HEADER_LENGTH = 16

export const unpackSnappy = (bytes: Bytes, limit: number): Bytes => {
  const output = new Output(limit)
  if (!FRAMED.every((byte, index) => bytes[index] === byte)) {
    unpackBlock(bytes, output)
    return output.result()
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = FRAME_HEADER_LENGTH; at + 4 <= bytes.length;) {
    const length = view.getInt32(at)
    if (length < 0 || at + 4 + length > bytes.length) throw corrupt()
    unpackBlock(bytes.subarray(at + 4, at + 4 + length), output)
    at += 4 + length
  }
  return output.result()
}

const unpackBlock = (block: Bytes, output: Output): void => {
  let at = 0
  const byte = (): number => {
    const value = block[at++]
    if (value === undefined) throw corrupt()
    return value
  }
  const littleEndian = (length: number): number => {
    let value = 0
    for (let index = 0; index < length; index++) value += byte() * 256 ** index
    return value
  }
  // The unpacked length stands first; the output grows by itself.
  while (byte() >= 128);
  while (at < block.length) {
    const tag = byte()
    const kind = tag & 3
    if (kind === 0) {
      const length = tag >>> 2 < 60 ? (tag >>> 2) + 1 : littleEndian((tag >>> 2) - 59) + 1
      if (at + length > block.length) throw corrupt()
      output.append(block.subarray(at, at + length))
      at += length
    } else if (kind === 1) output.repeat(((tag >>> 5) << 8) | byte(), ((tag >>> 2) & 7) + 4)
    else output.repeat(littleEndian(kind === 2 ? 2 : 4), (tag >>> 2) + 1)
  }
}
