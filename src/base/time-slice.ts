import type { Clock } from './clock.ts'
import { nextIteration } from './next-iteration.ts'

/**
 * The time that a thread works before it lets the event loop run: heartbeats, timers, fetches and sockets. Several pieces
 * of work share one slice; each calls `check` after its steps and stops where the time is over.
 */
export class TimeSlice {
  /** The time of the last check. */
  nowMs: number
  /** True once a check found the time over. */
  isOver = false
  readonly #clock: Clock
  readonly #durationMs: number
  #beganMs: number
  #next: Promise<void> | undefined

  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock
    this.#durationMs = durationMs
    this.nowMs = clock.monotonicMs()
    this.#beganMs = this.nowMs
  }

  /** Reads the clock; true once the time is over. */
  check(): boolean {
    this.nowMs = this.#clock.monotonicMs()
    this.isOver = this.nowMs - this.#beganMs >= this.#durationMs
    return this.isOver
  }

  /** Begins the next slice, where the event loop has just run. */
  begin(): void {
    this.nowMs = this.#clock.monotonicMs()
    this.#beganMs = this.nowMs
    this.isOver = false
  }

  /** Lets the event loop run, then begins the next slice. Resolves for all that wait together: each checks again. */
  next(): Promise<void> {
    this.#next ??= nextIteration().then(() => {
      this.#next = undefined
      this.begin()
    })
    return this.#next
  }
}
