import type { Bytes } from '../../base/bytes.ts'
import { Refusal } from '../protocol/errors.ts'

/** The bytes that a decoder has unpacked so far, which its back references point into. */
export class Output {
  #bytes: Bytes = new Uint8Array(1024)
  #length = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  append(bytes: Bytes): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Repeats what lies `distance` back; the two may overlap, which is how runs are written. */
  repeat(distance: number, length: number): void {
    if (distance <= 0 || distance > this.#length) throw corrupt()
    this.#reserve(length)
    for (let index = 0; index < length; index++) {
      this.#bytes[this.#length] = this.#bytes[this.#length - distance] as number
      this.#length++
    }
  }

  result(): Bytes {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(length: number): void {
    const needed = this.#length + length
    if (needed <= this.#bytes.length) return
    if (needed > this.#limit) throw tooLarge(this.#limit)
    const grown = new Uint8Array(Math.min(needed * 2, this.#limit))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

export const corrupt = (): Refusal =>
  new Refusal('CORRUPT_MESSAGE', 'the compressed part of a batch cannot be unpacked')

export const tooLarge = (limit: number): Refusal =>
  new Refusal('MESSAGE_TOO_LARGE', `the batch unpacks to more than ${limit} bytes`)
