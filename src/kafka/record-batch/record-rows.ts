import type { Bytes } from '../../base/bytes.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
import { corruptBatch } from './corrupt-batch.ts'
import type { RecordBatch } from './record-batch.ts'

/**
 * The hot loop of reading: one pass over the bytes of records, with the varints read in place. Lengths only ever move
 * the position on, so a record whose parts end where it ends has all of them within itself: one comparison a record.
 */
export class RecordRows {
  readonly #buffer: Bytes
  readonly #offsets: Float64Array
  readonly #timestamps: Float64Array
  readonly #keyStarts: Int32Array
  readonly #keyEnds: Int32Array
  readonly #valueStarts: Int32Array
  readonly #valueEnds: Int32Array
  readonly #headersStarts: Int32Array
  #count = 0
  #position = 0

  constructor(buffer: Bytes, capacity: number) {
    this.#buffer = buffer
    this.#offsets = new Float64Array(capacity)
    this.#timestamps = new Float64Array(capacity)
    this.#keyStarts = new Int32Array(capacity)
    this.#keyEnds = new Int32Array(capacity)
    this.#valueStarts = new Int32Array(capacity)
    this.#valueEnds = new Int32Array(capacity)
    this.#headersStarts = new Int32Array(capacity)
  }

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Forgets all but the first so many. */
  truncate(count: number): void {
    this.#count = count
  }

  columns(): RecordColumns {
    return {
      buffer: this.#buffer,
      count: this.#count,
      offsets: this.#offsets,
      timestamps: this.#timestamps,
      keyStarts: this.#keyStarts,
      keyEnds: this.#keyEnds,
      valueStarts: this.#valueStarts,
      valueEnds: this.#valueEnds,
      headersStarts: this.#headersStarts,
    }
  }

  /** Reads so many records of a batch, which fill the bytes from `start` to `end`; those before `fetchOffset` are left out. */
  read(batch: RecordBatch, start: number, end: number, count: number, fetchOffset: number): void {
    this.#position = start
    this.#readAll(batch, end, count, fetchOffset)
    if (this.#position !== end) throw corruptBatch(batch.place, 'it holds more than the records it counts')
  }

  /** The loop alone: what came behind it would be compiled before it ever ran, so V8 would leave the compiled loop there. */
  #readAll(batch: RecordBatch, end: number, count: number, fetchOffset: number): void {
    const { baseOffset, baseTimestamp, lastOffsetDelta, appendTime } = batch
    const buffer = this.#buffer
    for (let index = 0; index < count; index++) {
      const length = this.#varint()
      const recordEnd = this.#position + length
      if (recordEnd > end || length <= 0) fail(batch, 'a record exceeds it')
      this.#position++ // attributes, which no version uses
      const timestamp = baseTimestamp + this.#varlong()
      const delta = this.#varint()
      if (delta < 0 || delta > lastOffsetDelta) fail(batch, 'a record has an offset outside of it')
      const offset = baseOffset + delta
      if (offset >= fetchOffset) {
        this.#row(offset, appendTime ?? timestamp)
        if (this.#position + 1 !== recordEnd || buffer[this.#position] !== 0)
          this.#checkHeaders(batch, recordEnd)
      }
      this.#position = recordEnd
    }
  }

  #row(offset: number, timestamp: number): void {
    const row = this.#count++
    this.#offsets[row] = offset
    this.#timestamps[row] = timestamp
    const keyLength = this.#varint()
    this.#keyStarts[row] = keyLength < 0 ? -1 : this.#position
    if (keyLength > 0) this.#position += keyLength
    this.#keyEnds[row] = this.#position
    const valueLength = this.#varint()
    this.#valueStarts[row] = valueLength < 0 ? -1 : this.#position
    if (valueLength > 0) this.#position += valueLength
    this.#valueEnds[row] = this.#position
    this.#headersStarts[row] = this.#buffer[this.#position] === 0 ? -1 : this.#position
  }

  /** Apart from the loop, so that the compiler inlines what nearly all records need. */
  #checkHeaders(batch: RecordBatch, recordEnd: number): void {
    this.#skipHeaders()
    if (this.#position !== recordEnd)
      fail(batch, 'the length of a record is not that of its key, value and headers')
  }

  /** A count or a length that lies ends at the end of the bytes, or elsewhere than the record does. */
  #skipHeaders(): void {
    const end = this.#buffer.length
    const count = this.#varint()
    if (count < 0) this.#position = end + 1
    for (let index = 0; index < count && this.#position <= end; index++) {
      const nameLength = this.#varint()
      this.#position += nameLength < 0 ? end : nameLength
      const valueLength = this.#varint()
      if (valueLength > 0) this.#position += valueLength
    }
  }

  #varint(): number {
    const buffer = this.#buffer
    let byte = buffer[this.#position++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let result = byte & 0x7f
    for (let shift = 7; ; shift += 7) {
      byte = buffer[this.#position++] as number
      result |= (byte & 0x7f) << shift
      if (byte < 0x80 || shift >= 28) return (result >>> 1) ^ -(result & 1)
    }
  }

  /** 64 bits; small ones, which nearly all are, take the way of 32. */
  #varlong(): number {
    const buffer = this.#buffer
    let byte = buffer[this.#position++] as number
    let result = byte & 0x7f
    let shift = 7
    for (; byte >= 0x80 && shift < 28; shift += 7) {
      byte = buffer[this.#position++] as number
      result |= (byte & 0x7f) << shift
    }
    if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
    let wide = BigInt(result)
    for (let wideShift = 28n; byte >= 0x80 && wideShift < 70n; wideShift += 7n) {
      byte = buffer[this.#position++] as number
      wide |= BigInt(byte & 0x7f) << wideShift
    }
    return Number(BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n)))
  }
}

const fail = (batch: RecordBatch, why: string): never => {
  throw corruptBatch(batch.place, why)
}
