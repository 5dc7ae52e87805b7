import type { Bytes } from '../base/bytes.ts'
import { hexEncode, utf8Decode } from '../base/bytes.ts'

/** A key as messages show it: text where its bytes are some, hex otherwise, cut where it is long. */
export const textOfKey = (source: Bytes, start: number, end: number): string => {
  const bytes = source.subarray(start, Math.min(end, start + longestKey))
  const text = utf8Decode(bytes)
  const shown = unreadable.test(text) ? `0x${hexEncode(bytes)}` : text
  return end - start > longestKey ? `${shown}...` : shown
}

const longestKey = 64

/** Control characters, and what stands for bytes that are no UTF-8. */
const unreadable = /[\p{Cc}\uFFFD]/u
