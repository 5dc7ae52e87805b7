import type { Bytes } from './bytes.ts'

/**
 * Big-endian fields in the order they are written, as Java's `ByteBuffer` lays them out: what composite keys and values
 * of stores are made of.
 */
export class ByteWriter {
  #bytes = new Uint8Array(64)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  byte(value: number): this {
    const position = this.#room(1)
    this.#view.setUint8(position, value)
    return this
  }

  int32(value: number): this {
    const position = this.#room(4)
    this.#view.setInt32(position, value)
    return this
  }

  /** A whole number within ±2^53; two 32-bit halves, as a bigint would cost an allocation. */
  int64(value: number): this {
    const position = this.#room(8)
    this.#view.setInt32(position, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(position + 4, value >>> 0)
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

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length)
  }

  /** To be asked for before `#bytes` or `#view` is named: it may put larger ones in their places. */
  #room(size: number): number {
    const position = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return position
  }
}

/** Reads what `ByteWriter` wrote; a read past the end throws a `RangeError`. */
export class ByteReader {
  readonly source: Bytes
  position: number
  readonly #view: DataView

  constructor(source: Bytes, start = 0, end: number = source.length) {
    this.source = source
    this.position = start
    this.#view = new DataView(source.buffer, source.byteOffset, end)
  }

  byte(): number {
    return this.#view.getUint8(this.#step(1))
  }

  int32(): number {
    return this.#view.getInt32(this.#step(4))
  }

  int64(): number {
    const position = this.#step(8)
    return this.#view.getInt32(position) * 0x1_0000_0000 + this.#view.getUint32(position + 4)
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

  #step(length: number): number {
    const position = this.position
    this.position += length
    if (this.position > this.#view.byteLength) throw new RangeError('the bytes end too early')
    return position
  }
}
