import type { Clock } from './clock.ts'
import type { ValueKind } from './options.ts'
import { checkArgument } from './options.ts'
import { durationMs as durationKind } from './value-kinds.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/**
 * A clock that moves only when a test advances it. Timers fire in the order of their due times, ties in the order they were
 * set, and each sees the clock at its own due time. The time of day can be stepped alone, as when the machine's clock is set.
 *
 * @example
 * const clock = new ManualClock(0)
 * clock.setTimer(() => console.log(clock.now()), 10)
 * clock.advance(25) // prints 10; the clock then stands at 25
 */
export class ManualClock implements Clock {
  #monotonicMs = 0
  #epochMs: number
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(startMs = 0) {
    checkArgument('new ManualClock', startMs, wholeMilliseconds)
    this.#epochMs = startMs
  }

  now(): number {
    return this.#epochMs + this.#monotonicMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** Sets the time of day forward, or back where `byMs` is negative. Timers and durations are not affected. */
  stepWallClock(byMs: number): void {
    checkArgument('stepWallClock', byMs, wholeMilliseconds)
    this.#epochMs += byMs
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves the clock forward by `durationMs`, firing what falls due on the way. */
  advance(durationMs: number): void {
    checkArgument('advance', durationMs, durationKind)
    const targetMs = this.#monotonicMs + durationMs
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#timers.delete(next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
      next.callback()
    }
    this.#monotonicMs = targetMs
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

/** Forward or back. */
const wholeMilliseconds: ValueKind = {
  needs: 'whole milliseconds',
  accepts: (value) => Number.isSafeInteger(value),
}
