import type { Bytes } from '../../base/bytes.ts'

/** Kafka prints its 16-byte ids as URL-safe base64 without padding; the broker keeps them in that form. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const values = new Map(Array.from(alphabet, (letter, value) => [letter, value]))

/** The id that means "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export const uuidFromBytes = (bytes: Bytes): string => {
  let text = ''
  for (let bit = 0; bit < 128; bit += 6) {
    const high = bytes[bit >> 3] as number
    const low = bytes[(bit >> 3) + 1] ?? 0
    text += alphabet[(((high << 8) | low) >> (10 - (bit & 7))) & 63]
  }
  return text
}

export const uuidToBytes = (text: string): Bytes => {
  const bytes = new Uint8Array(16)
  for (let index = 0; index < 22; index++) {
    const bit = index * 6
    const shifted = (values.get(text[index] ?? 'A') ?? 0) << (10 - (bit & 7))
    bytes[bit >> 3] = (bytes[bit >> 3] as number) | (shifted >> 8)
    if ((bit >> 3) + 1 < 16) bytes[(bit >> 3) + 1] = (bytes[(bit >> 3) + 1] as number) | (shifted & 255)
  }
  return bytes
}
