import { Refusal } from '../protocol/errors.ts'

/**
 * The memory that topics may take, in bytes. What goes beyond is refused before it is stored, with an error that clients
 * do not retry, because a process that takes all memory is ended by the system with everything it holds.
 */
export class MemoryBudget {
  readonly #maxBytes: number
  readonly #maxBatches: number
  readonly #report: (error: unknown) => void
  #bytes = 0
  #batches = 0
  #isFull = false

  constructor(limits: MemoryLimits, report: (error: unknown) => void) {
    this.#maxBytes = limits.maxBytes
    this.#maxBatches = limits.maxBatches
    this.#report = report
  }

  /** Throws where `bytes` more do not fit. */
  reserve(bytes: number, batches: number): void {
    const problem = this.#problemWith(bytes, batches)
    if (problem === undefined) return this.take(bytes, batches)
    const refusal = new Refusal('POLICY_VIOLATION', problem)
    if (!this.#isFull) this.#report(refusal)
    this.#isFull = true
    throw refusal
  }

  /** Counts what must be stored in any case, as the marker of a transaction. */
  take(bytes: number, batches: number): void {
    this.#bytes += bytes
    this.#batches += batches
  }

  release(bytes: number, batches: number): void {
    this.#bytes -= bytes
    this.#batches -= batches
    this.#isFull = false
  }

  #problemWith(bytes: number, batches: number): string | undefined {
    const remedy = 'delete records or topics, or raise maxBytes (--max-bytes)'
    if (this.#bytes + bytes > this.#maxBytes)
      return `the broker holds ${this.#bytes} of at most ${this.#maxBytes} bytes, and ${bytes} more do not fit; ${remedy}`
    if (this.#batches + batches > this.#maxBatches)
      return `the broker holds ${this.#batches} batches, the most that the heap of Node takes; produce in larger batches, delete records or topics, or raise the heap (--max-old-space-size)`
    return undefined
  }
}

/** The memory that topics may take: bytes of records, and record batches. */
export interface MemoryLimits {
  readonly maxBytes: number
  readonly maxBatches: number
}

export const UNLIMITED: MemoryLimits = { maxBytes: Infinity, maxBatches: Infinity }
/** What a batch takes beside its bytes, measured. */
export const BATCH_BYTES = 300
/** What a partition takes with its first block of memory. */
export const PARTITION_BYTES = 5120
