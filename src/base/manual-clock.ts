import type { Clock } from './clock.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/**
 * A clock that moves only when told to. Timers fire in the order of their due times, ties in the order they were set,
 * and each sees the clock at its own due time.
 *
 * @example
 * const clock = new ManualClock(0)
 * clock.setTimer(() => console.log(clock.now()), 10)
 * clock.advance(25) // prints 10; the clock then stands at 25
 */
export class ManualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves the clock forward by `durationMs`, firing what falls due on the way. */
  advance(durationMs: number): void {
    const targetMs = this.#nowMs + durationMs
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.callback()
    }
    this.#nowMs = targetMs
  }

  #nextDue(limitMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > limitMs) continue
      if (
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order)
      )
        first = timer
    }
    return first
  }
}
