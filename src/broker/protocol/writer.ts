import { utf8Encode, type Bytes } from '../../base/bytes.ts'
import { uuidToBytes } from './uuid.ts'
import { setInt64 } from './int64.ts'

/**
 * Writes the primitives of the Kafka protocol into a list of chunks. Record batches join the list by reference,
 * so that a fetch of a megabyte copies only the few bytes around it.
 */
export class Writer {
  readonly #chunks: Bytes[] = []
  #buffer: Bytes
  #view: DataView
  #start = 0
  #position = 0
  #flushedLength = 0

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity)
    this.#view = new DataView(this.#buffer.buffer)
  }

  get length(): number {
    return this.#flushedLength + this.#position - this.#start
  }

  int8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }

  int64(value: number): void {
    const at = this.#reserve(8)
    setInt64(this.#view, at, value)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.int8((rest & 127) | 128)
      rest = Math.floor(rest / 128)
    }
    this.int8(rest)
  }

  uuid(text: string): void {
    this.raw(uuidToBytes(text))
  }

  raw(bytes: Bytes): void {
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** Adds bytes without copying them; they must not change afterwards. */
  reference(bytes: Bytes): void {
    this.#flush()
    this.#chunks.push(bytes)
    this.#flushedLength += bytes.length
  }

  static utf8(text: string): Bytes {
    return utf8Encode(text)
  }

  chunks(): readonly Bytes[] {
    this.#flush()
    return this.#chunks
  }

  #flush(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#flushedLength += this.#position - this.#start
    this.#start = this.#position
  }

  /** May replace the view, so ask for room first. Chunks already handed out keep the old buffer; only the unfinished tail moves to the new one. */
  #reserve(length: number): number {
    if (this.#position + length > this.#buffer.length) {
      const tail = this.#buffer.subarray(this.#start, this.#position)
      const grown = new Uint8Array(Math.max((tail.length + length) * 2, 256))
      grown.set(tail)
      this.#buffer = grown
      this.#view = new DataView(grown.buffer)
      this.#position = tail.length
      this.#start = 0
    }
    const at = this.#position
    this.#position += length
    return at
  }
}
