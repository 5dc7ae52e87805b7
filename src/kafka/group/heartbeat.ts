import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'

/** Signs of life at an interval, from `start` until `stop`; an answer that comes after `stop` is ignored. */
export interface HeartbeatOptions {
  readonly clock: Clock
  readonly intervalMs: number
  readonly sessionTimeoutMs: number
  /** Sends one and answers its error code. */
  readonly beat: () => Promise<number>
  readonly onErrorCode: (errorCode: number) => void
  readonly onFailure: (error: unknown) => void
  /** No answer came for a whole session: the group removes this member. */
  readonly onSilence: () => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #stop = new AbortController()
  #lastAnswerMs = 0
  #failed = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#restart(() => this.#options.intervalMs)
  }

  /** Goes on at a shorter interval, for a session's time at most: a rebalance is expected. */
  hurry(intervalMs: number): void {
    const { clock, sessionTimeoutMs, intervalMs: usualMs } = this.#options
    const endMs = clock.monotonicMs() + sessionTimeoutMs
    this.#restart(() => (clock.monotonicMs() < endMs ? Math.min(intervalMs, usualMs) : usualMs))
  }

  stop(): void {
    this.#stop.abort()
  }

  /** True where the last one was answered, and not longer than a session ago while they are sent. */
  get isAnswered(): boolean {
    const { clock, sessionTimeoutMs } = this.#options
    if (this.#failed) return false
    return this.#stop.signal.aborted || clock.monotonicMs() - this.#lastAnswerMs < sessionTimeoutMs
  }

  /** True where they are sent, and none was answered for a whole session, as after a standstill of this process. */
  get isOverdue(): boolean {
    const { clock, sessionTimeoutMs } = this.#options
    return !this.#stop.signal.aborted && clock.monotonicMs() - this.#lastAnswerMs >= sessionTimeoutMs
  }

  #restart(intervalMs: () => number): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    void this.#run(intervalMs, this.#stop.signal)
  }

  async #run(intervalMs: () => number, signal: AbortSignal): Promise<void> {
    const { clock, sessionTimeoutMs, beat, onErrorCode, onFailure, onSilence } = this.#options
    this.#lastAnswerMs = clock.monotonicMs()
    this.#failed = false
    for (;;) {
      await sleep(clock, intervalMs(), signal)
      if (signal.aborted) return
      const cancelSilence = this.#afterSession(signal, onSilence)
      try {
        const errorCode = await beat()
        this.#lastAnswerMs = clock.monotonicMs()
        this.#failed = false
        if (errorCode !== 0 && !signal.aborted) onErrorCode(errorCode)
      } catch (error) {
        this.#failed = true
        if (!signal.aborted) onFailure(error)
      }
      cancelSilence()
      if (!signal.aborted && clock.monotonicMs() - this.#lastAnswerMs >= sessionTimeoutMs) onSilence()
    }
  }

  /** A heartbeat may stay unanswered for longer than the rest of the session. */
  #afterSession(signal: AbortSignal, onSilence: () => void): () => void {
    const { clock, sessionTimeoutMs } = this.#options
    const leftMs = Math.max(0, this.#lastAnswerMs + sessionTimeoutMs - clock.monotonicMs())
    // After a standstill of this process, an answer that is here already is read between the two timers.
    let cancel = clock.setTimer(() => {
      cancel = clock.setTimer(() => {
        if (!signal.aborted) onSilence()
      }, 1)
    }, leftMs)
    return () => cancel()
  }
}
