import type { Bytes } from '../../base/bytes.ts'

/**
 * Append-only memory. Batches are copied once, one behind the other, into blocks that double up to a megabyte; what is
 * written is never changed, so that a fetch may hand out views of it while more is appended.
 */
export interface Slot {
  readonly block: Bytes
  readonly position: number
}

const SMALLEST_BLOCK = 4096
const LARGEST_BLOCK = 1 << 20

export class Segments {
  #block: Bytes = new Uint8Array(0)
  #used = 0

  /** Copies `bytes` and says where they are now. */
  add(bytes: Bytes): Slot {
    if (this.#used + bytes.length > this.#block.length) this.#grow(bytes.length)
    const slot = { block: this.#block, position: this.#used }
    this.#block.set(bytes, this.#used)
    this.#used += bytes.length
    return slot
  }

  /** Frees the place of the last bytes that were added, which were handed out to no reader. */
  takeBack({ block, position }: Slot): void {
    if (block === this.#block) this.#used = position
  }

  #grow(atLeast: number): void {
    const doubled = Math.min(Math.max(this.#block.length * 2, SMALLEST_BLOCK), LARGEST_BLOCK)
    this.#block = new Uint8Array(Math.max(doubled, atLeast))
    this.#used = 0
  }
}
