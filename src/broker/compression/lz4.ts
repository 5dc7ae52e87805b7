import type { Bytes } from '../../base/bytes.ts'
import { corrupt, Output } from './output.ts'

/** The LZ4 frame format, without looking at its checksums: the batch has one of its own. */
const MAGIC = 0x184d2204
const HAS_CONTENT_SIZE = 8
const HAS_BLOCK_CHECKSUM = 16
const HAS_DICTIONARY_ID = 1
const SHORTEST_MATCH = 4

export const unpackLz4 = (bytes: Bytes, limit: number): Bytes => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw corrupt()
  const flags = view.getUint8(4)
  let at = 7 + ((flags & HAS_CONTENT_SIZE) === 0 ? 0 : 8) + ((flags & HAS_DICTIONARY_ID) === 0 ? 0 : 4)
  const output = new Output(limit)
  while (at + 4 <= bytes.length) {
    const word = view.getUint32(at, true)
    if (word === 0) return output.result()
    const length = word & 0x7fffffff
    const block = bytes.subarray(at + 4, at + 4 + length)
    if (word >>> 31 === 1) output.append(block)
    else unpackBlock(block, output)
    at += 4 + length + ((flags & HAS_BLOCK_CHECKSUM) === 0 ? 0 : 4)
  }
  throw corrupt()
}

/** Sequences of literals and a match each; the last has no match. */
const unpackBlock = (block: Bytes, output: Output): void => {
  let at = 0
  const byte = (): number => {
    const value = block[at++]
    if (value === undefined) throw corrupt()
    return value
  }
  const longer = (length: number): number => {
    let total = length
    if (length === 15) {
      for (let more = 255; more === 255; total += more) more = byte()
    }
    return total
  }
  while (at < block.length) {
    const token = byte()
    const literals = longer(token >>> 4)
    if (at + literals > block.length) throw corrupt()
    output.append(block.subarray(at, at + literals))
    at += literals
    if (at === block.length) return
    const distance = byte() | (byte() << 8)
    output.repeat(distance, longer(token & 15) + SHORTEST_MATCH)
  }
}
