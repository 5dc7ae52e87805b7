import { Reader } from '@platformatic/kafka'
import type { Bytes } from '../base/bytes.ts'
import { checkCount, endTooEarly, malformedBytes } from '../base/malformed-bytes.ts'

/**
 * The reader of @platformatic/kafka's codecs, for the bytes of a broker that may be broken: the library's own believes
 * counts, and steps back where a length is negative, so that a few bytes keep it busy for minutes. What cannot be read
 * throws, here `BYTES_MALFORMED` and in the library's fixed fields its own error.
 */
export class BoundedReader extends Reader {
  static of(bytes: Bytes): BoundedReader {
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new BoundedReader(Reader.from(buffer).buffer)
  }

  override skip(length: number): this {
    if (length < 0 || length > this.remaining) throw endTooEarly()
    return super.skip(length)
  }

  override readUnsignedVarInt(): number {
    let value = 0
    for (let shift = 0; shift < maxVarintBits; shift += 7) {
      const byte = this.readUnsignedInt8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw malformedBytes('a varint does not end')
  }

  override readNullableString(compact = true, encoding: BufferEncoding = 'utf-8'): string | null {
    const length = compact ? this.readUnsignedVarInt() - 1 : this.readInt16()
    return length < 0 ? null : this.#take(length).toString(encoding)
  }

  override readNullableBytes(compact = true): Buffer | null {
    const length = compact ? this.readUnsignedVarInt() - 1 : this.readInt32()
    return length < 0 ? null : this.#take(length)
  }

  override readNullableArray<OutputType>(
    read: (reader: Reader, index: number) => OutputType,
    compact = true,
    discardTrailingTaggedFields = true,
  ): OutputType[] | null {
    const count = compact ? this.readUnsignedVarInt() - 1 : this.readInt32()
    if (count < 0) return null
    checkCount(count, this.remaining, 1)
    const items: OutputType[] = []
    for (let index = 0; index < count; index++) {
      items.push(read(this, index))
      if (discardTrailingTaggedFields) this.readTaggedFields()
    }
    return items
  }

  override readTaggedFields(): void {
    for (let count = checkCount(this.readUnsignedVarInt(), this.remaining, 2); count > 0; count--) {
      this.readUnsignedVarInt()
      this.skip(this.readUnsignedVarInt())
    }
  }

  #take(length: number): Buffer {
    const at = this.position
    this.skip(length)
    return this.buffer.slice(at, at + length)
  }
}

const maxVarintBits = 35
