import type { Clock } from '../../base/clock.ts'

/**
 * The first of many times by which something must have happened, with one timer for all of them: most of what has a
 * deadline happens long before it, and a timer for each would cost more than the rest of a small request.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #firstDueMs: () => number
  readonly #onOver: () => void
  #timerMs = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | undefined

  /** `firstDueMs` returns the first time by which something must still happen, or infinity. */
  constructor(clock: Clock, firstDueMs: () => number, onOver: () => void) {
    this.#clock = clock
    this.#firstDueMs = firstDueMs
    this.#onOver = onOver
  }

  /** Returns the time after that long, and sees that the timer has fired by then. */
  in(delayMs: number): number {
    const nowMs = this.#clock.monotonicMs()
    const dueMs = nowMs + delayMs
    if (dueMs < this.#timerMs) this.#setTimer(dueMs, delayMs)
    return dueMs
  }

  cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#timerMs = Number.POSITIVE_INFINITY
  }

  #setTimer(dueMs: number, delayMs: number): void {
    this.cancel()
    this.#timerMs = dueMs
    this.#cancelTimer = this.#clock.setTimer(() => this.#check(), delayMs)
  }

  #check(): void {
    this.cancel()
    const nowMs = this.#clock.monotonicMs()
    const dueMs = this.#firstDueMs()
    if (dueMs <= nowMs) this.#onOver()
    else if (Number.isFinite(dueMs)) this.#setTimer(dueMs, dueMs - nowMs)
  }
}
