import type { Bytes } from '../../base/bytes.ts'
import { utf8Write } from '../../base/bytes.ts'
import type { Serializer } from '../../topic/serde.ts'
import { textOf } from '../../topic/serde.ts'
import type { Region } from '../record-batch/batch-builder.ts'

/**
 * Serialises what is copied into a batch at once. Text is written to memory that serves the next one too: a buffer made
 * for each value costs twice what writing it does, and all of them are the collector's.
 */
export class TextBytes {
  #memory: Bytes = new Uint8Array(smallestMemory)

  /** The bytes of a value, valid until the next call. */
  regionOf<T>(serializer: Serializer<T>, value: T): Region {
    const text = textOf(serializer)?.(value)
    if (text === undefined || text.length * 3 > largestMemory) {
      const bytes = serializer.serialize(value)
      return { buffer: bytes, start: 0, end: bytes.length }
    }
    if (text.length * 3 > this.#memory.length) this.#memory = new Uint8Array(text.length * 6)
    return { buffer: this.#memory, start: 0, end: utf8Write(this.#memory, text) }
  }
}

const smallestMemory = 4_096
const largestMemory = 1_048_576
