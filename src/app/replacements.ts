import type { Clock } from '../base/clock.ts'
import { minutes } from '../base/duration.ts'

const firstPauseMs = 100

/**
 * How often members may be replaced, over all members of one application: a record that kills each of them must not keep
 * them busy forever. The first replacement comes at once, each further one within a minute after twice the pause.
 */
export class Replacements {
  readonly #clock: Clock
  readonly #maxPerMinute: number
  #times: readonly number[] = []

  constructor(clock: Clock, maxPerMinute: number) {
    this.#clock = clock
    this.#maxPerMinute = maxPerMinute
  }

  /** After how long the next one may start; undefined where there were too many. */
  next(): number | undefined {
    const nowMs = this.#clock.monotonicMs()
    const recent = this.#times.filter((timeMs) => nowMs - timeMs < minutes(1))
    if (recent.length >= this.#maxPerMinute) return undefined
    this.#times = [...recent, nowMs]
    return recent.length === 0 ? 0 : firstPauseMs * 2 ** (recent.length - 1)
  }
}
