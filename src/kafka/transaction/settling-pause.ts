import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'

/**
 * The pause between the end of a transaction and the first request of the next one.
 *
 * The broker answers EndTxn before the markers are written. A request that comes before they are is delayed by the
 * broker, and looked at again after `add.partitions.to.txn.retry.backoff.ms` (20 ms): ten times as long as the markers
 * take. How long they take is learned from how often that happens: every request that was delayed makes the pause
 * longer, every other one shorter by so little that one in two hundred is delayed in the long run (a quantile, as by
 * Robbins and Monro, 1951).
 *
 * @example
 * await pause.over()
 * const sentMs = clock.monotonicMs()
 * await produce()
 * pause.answered(clock.monotonicMs() - sentMs)
 */
export class SettlingPause {
  readonly #clock: Clock
  #pauseMs = initialMs
  #endedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What is waited for now, in milliseconds. */
  get lengthMs(): number {
    return this.#pauseMs
  }

  /** A transaction has ended just now. */
  begin(): void {
    this.#endedMs = this.#clock.monotonicMs()
  }

  /** Resolves once the pause since the last end is over; at once where it is over already. */
  async over(): Promise<void> {
    const leftMs = this.#endedMs + this.#pauseMs - this.#clock.monotonicMs()
    if (leftMs > 0) await sleep(this.#clock, leftMs)
  }

  /** Records how long the first request of a transaction took. */
  answered(tookMs: number): void {
    const change = tookMs >= delayedMs ? stepMs : -stepMs / 200
    this.#pauseMs = Math.min(longestMs, Math.max(0, this.#pauseMs + change))
  }
}

const initialMs = 3
const stepMs = 1
/** Shorter than the broker's own pause, and longer than an undisturbed request takes. */
const delayedMs = 18
/** A slow broker is not to be mistaken for one that holds requests back: beyond this, waiting gains nothing. */
const longestMs = 12
