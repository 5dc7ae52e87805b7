import type { Bytes } from '../base/bytes.ts'
import { hexEncode, utf8Decode } from '../base/bytes.ts'
import { quoted } from '../base/printable.ts'

/** A key for the contents of a fault: quoted text where its bytes are UTF-8, hex otherwise, cut where it is long. */
export const textOfKey = (source: Bytes, start: number, end: number): string => {
  const bytes = source.subarray(start, Math.min(end, start + longestKey))
  const text = utf8Decode(bytes)
  const shown = unreadable.test(text) ? `0x${hexEncode(bytes)}` : quoted(text)
  return end - start > longestKey ? `${shown}...` : shown
}

const longestKey = 64

/** Control characters, and what stands for bytes that are no UTF-8. */
const unreadable = /[\p{Cc}\uFFFD]/u
