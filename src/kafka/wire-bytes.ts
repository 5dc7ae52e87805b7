import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import { checkCount, endTooEarly, malformedBytes } from '../base/malformed-bytes.ts'
import { uuidBytes, uuidDecode, uuidEncode } from '../base/uuid.ts'
import {
  readInt16,
  readInt32,
  readInt64,
  writeInt16,
  writeInt32,
  writeInt64,
} from './record-batch/batch-header.ts'

/** Writes the compact encoding of Kafka's newer request versions; grows as needed. */
export class WireWriter {
  #buffer: Buffer
  #position = 0

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get bytes(): Bytes {
    return this.#buffer.subarray(0, this.#position)
  }

  // Where there is no room, a larger buffer takes the place of this one: each field makes room first, and asks for the
  // buffer only then. As one expression, the buffer would be the one from before.
  int8(value: number): this {
    const at = this.#advance(1)
    this.#buffer[at] = value
    return this
  }

  int16(value: number): this {
    const at = this.#advance(2)
    writeInt16(this.#buffer, at, value)
    return this
  }

  int32(value: number): this {
    const at = this.#advance(4)
    writeInt32(this.#buffer, at, value)
    return this
  }

  int64(value: number): this {
    const at = this.#advance(8)
    writeInt64(this.#buffer, at, value)
    return this
  }

  unsignedVarint(value: number): this {
    let rest = value
    while (rest >= 0x80) {
      this.int8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.int8(rest)
  }

  raw(bytes: Bytes): this {
    const at = this.#advance(bytes.length)
    this.#buffer.set(bytes, at)
    return this
  }

  /** A string or byte array with its length plus one in front; 0 stands for null. */
  compactString(text: string | null): this {
    return text === null ? this.unsignedVarint(0) : this.compactBytes(utf8Encode(text))
  }

  compactBytes(bytes: Bytes): this {
    return this.unsignedVarint(bytes.length + 1).raw(bytes)
  }

  /** No text is no id: all zeros. */
  uuid(text: string): this {
    return this.raw(uuidEncode(text))
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.unsignedVarint(items.length + 1)
    for (const item of items) write(item)
    return this
  }

  noTags(): this {
    return this.int8(0)
  }

  #advance(length: number): number {
    const at = this.#position
    const end = at + length
    if (end > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, end))
      larger.set(this.#buffer.subarray(0, at))
      this.#buffer = larger
    }
    this.#position = end
    return at
  }
}

/**
 * Reads the compact encoding, and the classic one of the group protocol. The bytes are a stranger's: no read passes their
 * end, and no count or length is believed before the bytes left could hold it. What cannot be read throws
 * `BYTES_MALFORMED`.
 */
export class WireReader {
  readonly bytes: Bytes
  position = 0

  constructor(bytes: Bytes) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  int16(): number {
    return readInt16(this.bytes, this.skip(2))
  }

  int32(): number {
    return readInt32(this.bytes, this.skip(4))
  }

  int64(): number {
    return readInt64(this.bytes, this.skip(8))
  }

  unsignedVarint(): number {
    let result = 0
    for (let shift = 0; shift < maxVarintBits; shift += 7) {
      const byte = this.bytes[this.skip(1)] as number
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return result >>> 0
    }
    throw malformedBytes('a varint does not end')
  }

  compactString(): string | null {
    const length = this.unsignedVarint() - 1
    return length < 0 ? null : this.#text(length)
  }

  uuid(): string {
    const at = this.skip(uuidBytes)
    return uuidDecode(this.bytes.subarray(at, at + uuidBytes))
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(Math.max(0, this.unsignedVarint() - 1), 1, read)
  }

  /** A text behind 16 bits of length. */
  string(): string {
    return this.#text(this.int16())
  }

  /** A copy of the bytes behind 32 bits of length; null where that is negative. */
  nullableBytes(): Bytes | null {
    const length = this.int32()
    if (length < 0) return null
    const at = this.skip(length)
    return new Uint8Array(this.bytes.subarray(at, at + length))
  }

  /** Items of `itemBytes` bytes each at the least, behind 32 bits of count. */
  array<T>(itemBytes: number, read: () => T): T[] {
    return this.#items(this.int32(), itemBytes, read)
  }

  /** The tagged fields; `read` gets each with a reader of its own bytes. */
  tags(read: (tag: number, payload: WireReader) => void): void {
    for (let count = this.#tagCount(); count > 0; count--) {
      const tag = this.unsignedVarint()
      const length = this.unsignedVarint()
      const at = this.skip(length)
      read(tag, new WireReader(this.bytes.subarray(at, at + length)))
    }
  }

  skipTags(): void {
    for (let count = this.#tagCount(); count > 0; count--) {
      this.unsignedVarint()
      this.skip(this.unsignedVarint())
    }
  }

  /** Steps over that many bytes and returns where they begin. */
  skip(length: number): number {
    const at = this.position
    if (length < 0 || at + length > this.bytes.length) throw endTooEarly()
    this.position = at + length
    return at
  }

  /** Each tag takes two bytes at the least: its number and its length. */
  #tagCount(): number {
    return checkCount(this.unsignedVarint(), this.remaining, 2)
  }

  #text(length: number): string {
    const at = this.skip(length)
    return utf8Decode(this.bytes, at, at + length)
  }

  #items<T>(count: number, itemBytes: number, read: () => T): T[] {
    checkCount(count, this.remaining, itemBytes)
    const items: T[] = []
    for (let index = 0; index < count; index++) items.push(read())
    return items
  }
}

/** Five bytes of seven bits: what 32 bits take. */
const maxVarintBits = 35
