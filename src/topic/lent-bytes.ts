import type { Bytes } from '../base/bytes.ts'
import { utf8Write } from '../base/bytes.ts'
import type { RawRegion } from './record.ts'
import type { SerdePart, Serializer } from './serde.ts'
import { fixedOf, textOf, serialized } from './serde.ts'

/**
 * Serialises what is copied at once, as into a batch. Text and numbers are written to memory that serves the next one
 * too: a buffer made for each value costs twice what writing it does, and all of them are the collector's.
 */
export class LentBytes {
  readonly #part: SerdePart
  #memory: Bytes = new Uint8Array(smallestMemory)

  constructor(part: SerdePart = 'value') {
    this.#part = part
  }

  /** The bytes of a value, valid until the next call. The topic or the store is that of the faults. */
  regionOf<T>(serializer: Serializer<T>, value: T, topic?: string, store?: string): RawRegion {
    const part = this.partOf(serializer, value, topic, store)
    return typeof part === 'string' ? this.regionOfText(part) : part
  }

  /** The same, or the text whose UTF-8 they are: a writer may have a place for it already. */
  partOf<T>(serializer: Serializer<T>, value: T, topic?: string, store?: string): RawRegion | string {
    const fixed = fixedOf(serializer)
    if (fixed !== undefined) {
      fixed.write(this.#memory, value)
      return { buffer: this.#memory, start: 0, end: fixed.length }
    }
    const text = textOf(serializer)?.(value)
    if (text === undefined || text.length * 3 > largestMemory) {
      const bytes = serialized(serializer, value, this.#part, topic, store)
      return { buffer: bytes, start: 0, end: bytes.length }
    }
    return text
  }

  regionOfText(text: string): RawRegion {
    if (text.length * 3 > this.#memory.length) this.#memory = new Uint8Array(text.length * 6)
    return { buffer: this.#memory, start: 0, end: utf8Write(this.#memory, text) }
  }
}

const smallestMemory = 4_096
const largestMemory = 1_048_576
