import { Heap } from '../base/heap.ts'

/** Called on a schedule; see `ProcessorContext.schedule`. */
export interface ScheduledPunctuator {
  readonly node: string
  readonly type: 'streamTime' | 'wallClock'
  readonly intervalMs: number
  nextDueMs: number
  isCancelled: boolean
  readonly callback: (timestamp: number) => void
}

/**
 * The punctuators of one kind of time, by due time (Kafka Streams' `PunctuationQueue`). Those that are due at the same time
 * run in the order of its heap.
 */
export class PunctuationQueue {
  #heap = byDueTime()

  /** When the first falls due; Infinity where there is none. */
  get nextDueMs(): number {
    const heap = this.#heap
    // Asked after every record; reading past the end of an array is slow.
    if (heap.size === 0) return Infinity
    while (heap.first?.isCancelled === true) heap.take()
    return heap.first?.nextDueMs ?? Infinity
  }

  add(punctuator: ScheduledPunctuator): void {
    this.#heap.add(punctuator)
  }

  /**
   * The clock was set back to `nowMs`: nothing waits longer than its own interval from now. Kafka Streams waits until the
   * clock has made up for the step.
   */
  steppedBack(nowMs: number): void {
    const before = this.#heap
    this.#heap = byDueTime()
    while (before.size > 0) {
      const punctuator = before.take() as ScheduledPunctuator
      punctuator.nextDueMs = Math.min(punctuator.nextDueMs, nowMs + punctuator.intervalMs)
      this.#heap.add(punctuator)
    }
  }

  /**
   * Calls all that are due, the earliest first; also what they schedule meanwhile, if that is due. Missed intervals are
   * skipped, and each schedule keeps its own phase. Stops where `isOver` after a call: the others stay due. Returns how many
   * calls were made.
   */
  runDue(
    nowMs: number,
    call: (punctuator: ScheduledPunctuator) => void,
    isOver: (punctuator: ScheduledPunctuator) => boolean = never,
  ): number {
    let ran = 0
    let stops = false
    while (!stops && this.nextDueMs <= nowMs) {
      const punctuator = this.#heap.take() as ScheduledPunctuator
      call(punctuator)
      ran++
      stops = isOver(punctuator)
      if (punctuator.isCancelled) continue
      const missed = Math.floor((nowMs - punctuator.nextDueMs) / punctuator.intervalMs)
      punctuator.nextDueMs += (missed + 1) * punctuator.intervalMs
      this.#heap.add(punctuator)
    }
    return ran
  }
}

const byDueTime = (): Heap<ScheduledPunctuator> => new Heap((left, right) => left.nextDueMs - right.nextDueMs)

const never = (): boolean => false
