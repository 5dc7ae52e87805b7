import type { Bytes } from './bytes.ts'
import { checkCount, endTooEarly } from './malformed-bytes.ts'

/**
 * Big-endian fields in the order they are written, as Java's `ByteBuffer` lays them out: what composite keys and values
 * of stores are made of. Every state access makes some, so the working memory is lent from a pool, and bytes are written
 * one by one: a view object for each would cost more than what it writes. A writer is of no use after `finish`.
 */
export class ByteWriter {
  #bytes: Uint8Array = spares.pop() ?? new Uint8Array(256)
  #length = 0

  byte(value: number): this {
    const position = this.#room(1)
    this.#bytes[position] = value
    return this
  }

  int32(value: number): this {
    const position = this.#room(4)
    this.#put32(position, value)
    return this
  }

  /** A whole number within ±2^53; two 32-bit halves, as a bigint would cost an allocation. */
  int64(value: number): this {
    const position = this.#room(8)
    this.#put32(position, Math.floor(value / 0x1_0000_0000))
    this.#put32(position + 4, value | 0)
    return this
  }

  bytes(value: Bytes): this {
    // The position first: making room replaces the buffer.
    const position = this.#room(value.length)
    this.#bytes.set(value, position)
    return this
  }

  /** A 32-bit length and the bytes; -1 for null. */
  sized(value: Bytes | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).bytes(value)
  }

  /** What was written, as bytes of its own; the writer ends here, and its buffer serves the next one. */
  finish(): Bytes {
    const result = this.#bytes.slice(0, this.#length)
    if (spares.length < 8 && this.#bytes.length <= 65_536) spares.push(this.#bytes)
    this.#bytes = noBytes
    this.#length = 0
    return result
  }

  #put32(position: number, value: number): void {
    const bytes = this.#bytes
    bytes[position] = value >>> 24
    bytes[position + 1] = value >>> 16
    bytes[position + 2] = value >>> 8
    bytes[position + 3] = value
  }

  #room(size: number): number {
    const position = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return position
  }
}

/** Buffers of writers that have ended: composite keys are made by the million, and a buffer costs more than its bytes. */
const spares: Uint8Array[] = []
const noBytes = new Uint8Array(0)

/** Reads what `ByteWriter` wrote; a read past the end, or of a negative length, throws `BYTES_MALFORMED`. */
export class ByteReader {
  readonly source: Bytes
  position: number
  readonly #end: number

  constructor(source: Bytes, start = 0, end: number = source.length) {
    this.source = source
    this.position = start
    this.#end = end
  }

  byte(): number {
    return this.source[this.#step(1)] as number
  }

  int32(): number {
    return this.#uint32() | 0
  }

  int64(): number {
    const high = this.int32()
    return high * 0x1_0000_0000 + this.#uint32()
  }

  /** Items of `itemBytes` bytes each at the least, behind a 32-bit count; none where that is negative. */
  items<T>(itemBytes: number, read: () => T): T[] {
    const count = Math.max(0, this.int32())
    checkCount(count, this.#end - this.position, itemBytes)
    return Array.from({ length: count }, read)
  }

  /** Steps over that many bytes and returns where they begin. */
  skip(length: number): number {
    return this.#step(length)
  }

  bytes(length: number): Bytes {
    const start = this.#step(length)
    return this.source.subarray(start, start + length)
  }

  sized(): Bytes | null {
    const length = this.int32()
    return length < 0 ? null : this.bytes(length)
  }

  #uint32(): number {
    const position = this.#step(4)
    const { source } = this
    const low =
      ((source[position + 1] as number) << 16) |
      ((source[position + 2] as number) << 8) |
      (source[position + 3] as number)
    return (source[position] as number) * 0x100_0000 + low
  }

  #step(length: number): number {
    const position = this.position
    if (length < 0 || position + length > this.#end) throw endTooEarly()
    this.position = position + length
    return position
  }
}
