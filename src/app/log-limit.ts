import type { Clock } from '../base/clock.ts'
import { minutes } from '../base/duration.ts'
import { backgroundTimer } from '../base/system-clock.ts'

/** How many events of one kind are logged within a window. */
const largestCount = 5
const windowMs = minutes(1)

interface Suppressed {
  count: number
  repeat: (count: number) => void
}

/**
 * Limits how often events of one kind are logged: the first five within a minute, then one summary with the number of the
 * others. The window begins with its first event, and its timer is the only one.
 */
export class LogLimit {
  readonly #setTimer: Clock['setTimer']
  readonly #kinds = new Map<string, Suppressed>()
  #cancelWindow: (() => void) | undefined

  /** The default timer does not keep the process alive. */
  constructor(setTimer: Clock['setTimer'] = backgroundTimer) {
    this.#setTimer = setTimer
  }

  /** Calls `log` if the limit allows it. `repeat` logs the summary, with the number of events that were not logged. */
  run(kind: string, log: () => void, repeat: (count: number) => void): void {
    const known = this.#kinds.get(kind)
    const count = (known?.count ?? 0) + 1
    this.#kinds.set(kind, { count, repeat })
    this.#cancelWindow ??= this.#setTimer(() => this.flush(), windowMs)
    if (count <= largestCount) log()
  }

  /** Ends the window: logs the summaries. */
  flush(): void {
    this.#cancelWindow?.()
    this.#cancelWindow = undefined
    const kinds = [...this.#kinds.values()]
    this.#kinds.clear()
    for (const { count, repeat } of kinds) if (count > largestCount) repeat(count - largestCount)
  }
}
