import type { Bytes } from './bytes.ts'
import { hexEncode } from './bytes.ts'

/** Topic ids: 16 bytes on the wire, and 32 hexadecimal digits with dashes everywhere else. No text is no id: all zeros. */
export const uuidEncode = (text: string): Bytes => {
  const bytes = new Uint8Array(uuidBytes)
  let digits = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === dash) continue
    const place = digits++ >> 1
    bytes[place] = ((bytes[place] as number) << 4) | digitOf(code)
  }
  return bytes
}

export const uuidDecode = (bytes: Bytes): string => {
  const hex = hexEncode(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export const uuidBytes = 16

const dash = 0x2d

/** Letters in upper and lower case differ by one bit, which no digit changes by. */
const digitOf = (code: number): number => (code < 0x40 ? code - 0x30 : (code | 0x20) - 0x57)
