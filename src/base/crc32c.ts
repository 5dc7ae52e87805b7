import type { Bytes } from './bytes.ts'

/**
 * CRC-32C (Castagnoli), the checksum of record batches, eight bytes a step. One long table instead of eight small ones
 * keeps the look-ups in a single typed array, which is what makes it fast in V8.
 */
const table = /* @__PURE__ */ (() => {
  const built = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    built[byte] = crc
  }
  for (let index = 256; index < 8 * 256; index++) {
    const previous = built[index - 256] as number
    built[index] = (previous >>> 8) ^ (built[previous & 255] as number)
  }
  return built
})()

const at = (index: number): number => table[index] as number

export const crc32c = (bytes: Bytes, start = 0, end: number = bytes.length): number => {
  let crc = -1
  let position = start
  for (; position + 8 <= end; position += 8) {
    const low =
      crc ^
      ((bytes[position] as number) |
        ((bytes[position + 1] as number) << 8) |
        ((bytes[position + 2] as number) << 16) |
        ((bytes[position + 3] as number) << 24))
    crc =
      at(1792 + (low & 255)) ^
      at(1536 + ((low >>> 8) & 255)) ^
      at(1280 + ((low >>> 16) & 255)) ^
      at(1024 + (low >>> 24)) ^
      at(768 + (bytes[position + 4] as number)) ^
      at(512 + (bytes[position + 5] as number)) ^
      at(256 + (bytes[position + 6] as number)) ^
      at(bytes[position + 7] as number)
  }
  for (; position < end; position++) crc = (crc >>> 8) ^ at((crc ^ (bytes[position] as number)) & 255)
  return ~crc >>> 0
}
