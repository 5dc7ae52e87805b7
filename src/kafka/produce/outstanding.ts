import type { PendingBatch } from './partition-queue.ts'

interface Waiter {
  readonly isOver: () => boolean
  readonly done: () => void
}

/** What is not acknowledged yet, in bytes and by generation, and who waits for it. */
export class Outstanding {
  readonly #batches = new Map<number, number>()
  readonly #freeMemory: Buffer[] = []
  #waiters: Waiter[] = []
  #bytes = 0
  #generation = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The generation of what is sealed now. */
  get generation(): number {
    return this.#generation
  }

  /** Bytes were encoded, or (negative) spared. */
  grow(bytes: number): void {
    this.#bytes += bytes
  }

  sealed(batch: PendingBatch): void {
    this.#batches.set(batch.generation, (this.#batches.get(batch.generation) ?? 0) + 1)
  }

  /** A batch has come to its end, good or bad; its memory may serve another. */
  settle({ sealed, generation }: PendingBatch): void {
    this.#bytes -= sealed.bytes.length
    const left = (this.#batches.get(generation) as number) - 1
    if (left === 0) this.#batches.delete(generation)
    else this.#batches.set(generation, left)
    if (this.#freeMemory.length < 8) this.#freeMemory.push(sealed.memory)
    this.notify()
  }

  freeMemory(): Buffer | undefined {
    return this.#freeMemory.pop()
  }

  /** Ends the present generation and resolves when all up to it is settled, or that is no longer of interest. */
  nextGeneration(isOver: () => boolean = () => false): {
    readonly generation: number
    readonly settled: Promise<void>
  } {
    const generation = this.#generation++
    return { generation, settled: this.until(() => this.#isSettled(generation) || isOver()) }
  }

  /** Resolves when `isOver` holds; it is asked again whenever something is settled. */
  until(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve()
    return new Promise((done) => this.#waiters.push({ isOver, done }))
  }

  notify(): void {
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ isOver }) => !isOver())
    for (const waiter of waiters) if (!this.#waiters.includes(waiter)) waiter.done()
  }

  #isSettled(generation: number): boolean {
    for (const each of this.#batches.keys()) if (each <= generation) return false
    return true
  }
}
