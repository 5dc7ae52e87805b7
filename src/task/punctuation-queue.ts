import type { ScheduledPunctuator } from './node-context.ts'

/**
 * The punctuators of one kind of time, by due time (Kafka Streams' `PunctuationQueue`). It is the binary heap that
 * Kafka Streams uses, Java's `PriorityQueue`, so that punctuators that are due at the same time run in its order too.
 */
export class PunctuationQueue {
  readonly #heap: ScheduledPunctuator[] = []

  /** When the first falls due; Infinity where there is none. */
  get nextDueMs(): number {
    const heap = this.#heap
    // Asked after every record; reading past the end of an array is slow.
    if (heap.length === 0) return Infinity
    while (heap[0]?.isCancelled === true) this.#poll()
    return heap[0]?.nextDueMs ?? Infinity
  }

  add(punctuator: ScheduledPunctuator): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above] as ScheduledPunctuator
      if (punctuator.nextDueMs >= parent.nextDueMs) break
      heap[index] = parent
      index = above
    }
    heap[index] = punctuator
  }

  /**
   * Calls all that are due, the earliest first; also what they schedule meanwhile, if that is due. Missed intervals are
   * skipped, and each schedule keeps its own phase. Returns how many calls were made.
   */
  runDue(nowMs: number, call: (punctuator: ScheduledPunctuator) => void): number {
    let ran = 0
    while (this.nextDueMs <= nowMs) {
      const punctuator = this.#poll()
      call(punctuator)
      ran++
      if (punctuator.isCancelled) continue
      const missed = Math.floor((nowMs - punctuator.nextDueMs) / punctuator.intervalMs)
      punctuator.nextDueMs += (missed + 1) * punctuator.intervalMs
      this.add(punctuator)
    }
    return ran
  }

  #poll(): ScheduledPunctuator {
    const heap = this.#heap
    const first = heap[0] as ScheduledPunctuator
    const last = heap.pop() as ScheduledPunctuator
    if (heap.length > 0) this.#sink(last)
    return first
  }

  #sink(punctuator: ScheduledPunctuator): void {
    const heap = this.#heap
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1]
      if (right !== undefined && (heap[child] as ScheduledPunctuator).nextDueMs > right.nextDueMs) child++
      const least = heap[child] as ScheduledPunctuator
      if (punctuator.nextDueMs <= least.nextDueMs) break
      heap[index] = least
      index = child
    }
    heap[index] = punctuator
  }
}
