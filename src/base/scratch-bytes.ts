import type { Bytes } from './bytes.ts'

/**
 * Memory outside of V8's heap for bytes that are copied at once, with a view for each length that is kept: neither
 * bytes nor views are made again for the next. Long ones have memory of their own.
 */
export class ScratchBytes {
  readonly #memory: Bytes = new Uint8Array(longestBytes)
  readonly #views: Bytes[] = []

  /** Bytes to write to, valid until the next call. */
  take(length: number): Bytes {
    if (length > longestBytes) return new Uint8Array(length)
    return (this.#views[length] ??= this.#memory.subarray(0, length))
  }
}

const longestBytes = 4_096
