import type { Bytes } from '../base/bytes.ts'
import { latin1Decode, utf8Decode } from '../base/bytes.ts'

/**
 * The texts of a batch, for readers that keep nothing of them, as `JSON.parse`. Each call of Node's decoder takes some
 * 250 ns, nearly all of it on the way there and back. So texts that are read one after the other are decoded together: a
 * window of the batch becomes one text, a character for each byte, of which a text that is all ASCII is a slice.
 *
 * The bytes must not change.
 */
export class BatchTexts {
  readonly #bytes: Bytes
  /** So many bytes stand before the first whole word of memory. */
  readonly #skipped: number
  /** The bytes behind those, four in each. */
  #words: Uint32Array = noWords
  #window = ''
  #start = 0
  #end = 0
  /** Where the last text ended that was read outside of a window. */
  #lastEnd = -Infinity

  constructor(bytes: Bytes) {
    this.#bytes = bytes
    this.#skipped = -bytes.byteOffset & 3
  }

  /** A caller that keeps the text keeps the memory of a whole window. */
  textOf(start: number, end: number): string {
    if (start < this.#start || end > this.#end) this.#look(start, end)
    return start >= this.#start && end <= this.#end && this.#isAscii(start, end)
      ? this.#window.slice(start - this.#start, end - this.#start)
      : utf8Decode(this.#bytes, start, end)
  }

  /** Opens a window where this text comes soon after the one before it, and both are small. */
  #look(start: number, end: number): void {
    const isNext = start >= this.#lastEnd && start - this.#lastEnd <= nearBytes
    this.#lastEnd = end
    if (!isNext || end - start > nearBytes) return
    const { buffer, byteOffset, length } = this.#bytes
    this.#start = start
    this.#end = Math.min(length, start + windowBytes)
    this.#window = latin1Decode(this.#bytes, this.#start, this.#end)
    if (this.#words !== noWords || length < this.#skipped + wordBytes) return
    const skipped = this.#skipped
    this.#words = new Uint32Array(buffer, byteOffset + skipped, (length - skipped) >>> 2)
  }

  #isAscii(start: number, end: number): boolean {
    const bytes = this.#bytes
    const skipped = this.#skipped
    const firstWord = (start - skipped + 3) >> 2
    const lastWord = (end - skipped) >> 2
    let bits = 0
    for (let at = start, to = Math.min(end, firstWord * 4 + skipped); at < to; at++)
      bits |= bytes[at] as number
    for (let at = firstWord; at < lastWord; at++) bits |= this.#words[at] as number
    for (let at = Math.max(start, lastWord * 4 + skipped); at < end; at++) bits |= bytes[at] as number
    return (bits & 0x8080_8080) === 0
  }
}

const noWords = new Uint32Array(0)
const wordBytes = 4
const windowBytes = 32_768
const nearBytes = 4_096
