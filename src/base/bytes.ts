/**
 * Bytes are `Uint8Array`s everywhere. Node's `Buffer` is one, and where it exists its faster conversions are used;
 * nothing here imports it, so that the engine runs in a browser too.
 */
export type Bytes = Uint8Array

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const hasBuffer = typeof Buffer !== 'undefined'

export const utf8Encode: (text: string) => Bytes = hasBuffer
  ? (text) => Buffer.from(text, 'utf8')
  : (text) => encoder.encode(text)

/** Writes text as UTF-8 into `target`, as many whole characters as there is room for; returns how many bytes that took. */
export const utf8Write: (target: Bytes, text: string, at?: number) => number = hasBuffer
  ? (target, text, at = 0) => nodeUtf8Write.call(target, text, at)
  : (target, text, at = 0) => encoder.encodeInto(text, target.subarray(at)).written

type Utf8Write = (this: Bytes, text: string, at: number) => number
const nodeUtf8Write = (hasBuffer
  ? (Buffer.prototype as unknown as { utf8Write: Utf8Write }).utf8Write
  : undefined) as unknown as Utf8Write

/** Node's own slice of UTF-8: no view object is made, which a record at a time is worth it. */
const utf8Slice = hasBuffer
  ? (Buffer.prototype as unknown as { utf8Slice: (this: Bytes, start: number, end: number) => string })
      .utf8Slice
  : undefined

export const utf8Decode = (bytes: Bytes, start = 0, end: number = bytes.length): string => {
  const short =
    end - start <= longestShortText && end <= bytes.length ? shortAscii(bytes, start, end) : undefined
  if (short !== undefined) return short
  return utf8Slice === undefined
    ? decoder.decode(bytes.subarray(start, end))
    : utf8Slice.call(bytes, start, end)
}

/** A character for each byte. */
export const latin1Decode: (bytes: Bytes, start: number, end: number) => string = hasBuffer
  ? (bytes, start, end) => latin1Slice.call(bytes, start, end)
  : (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end))

const latin1Slice = (
  hasBuffer
    ? (Buffer.prototype as unknown as { latin1Slice: (this: Bytes, start: number, end: number) => string })
        .latin1Slice
    : undefined
) as (this: Bytes, start: number, end: number) => string

/**
 * A text of a few ASCII characters, as most keys are; undefined for any other. Node's own function takes some 140 ns for it,
 * nearly all of it on the way there and back: this takes 30 to 90.
 */
const shortAscii = (bytes: Bytes, start: number, end: number): string | undefined => {
  const codes = codesByLength[end - start]
  if (codes === undefined) return undefined
  let bits = 0
  for (let at = start, to = 0; at < end; at++, to++) {
    const code = bytes[at] as number
    codes[to] = code
    bits |= code
  }
  return bits < 0x80 ? String.fromCharCode(...codes) : undefined
}

/** Beyond it, Node's own function is as fast. */
const longestShortText = 16
const codesByLength: readonly number[][] = Array.from({ length: longestShortText + 1 }, (_, length) =>
  Array.from({ length }, () => 0),
)

/** Unsigned lexicographic order, as Kafka's `BytesComparator`. */
export const compareBytes: (left: Bytes, right: Bytes) => number = hasBuffer
  ? (left, right) => Buffer.compare(left, right)
  : (left, right) => {
      const length = Math.min(left.length, right.length)
      for (let index = 0; index < length; index++) {
        const difference = (left[index] as number) - (right[index] as number)
        if (difference !== 0) return difference
      }
      return left.length - right.length
    }

export const bytesEqual = (left: Bytes | null | undefined, right: Bytes | null | undefined): boolean =>
  left === right ||
  (left != null && right != null && left.length === right.length && compareBytes(left, right) === 0)

export const concatBytes = (...parts: readonly Bytes[]): Bytes => joinBytes(parts)

/** The same for as many as there are: arguments live on the stack, which a hundred thousand of them overflow. */
export const joinBytes = (parts: readonly Bytes[]): Bytes => {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    result.set(part, offset)
    offset += part.length
  }
  return result
}

/** A copy that pins nothing but itself. */
export const copyBytes = (bytes: Bytes): Bytes => new Uint8Array(bytes)

export const hexEncode: (bytes: Bytes) => string = hasBuffer
  ? (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  : (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export const hexDecode = (text: string): Bytes =>
  Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  )
