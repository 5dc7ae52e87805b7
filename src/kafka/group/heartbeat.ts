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
  /** Nobody has answered for a whole session: the group goes on without this member. */
  readonly onSilence: () => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #stop = new AbortController()

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    void this.#run(this.#stop.signal)
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, sessionTimeoutMs, beat, onErrorCode, onFailure, onSilence } = this.#options
    let lastAnswerMs = clock.now()
    for (;;) {
      await sleep(clock, intervalMs, signal)
      if (signal.aborted) return
      try {
        const errorCode = await beat()
        lastAnswerMs = clock.now()
        if (errorCode !== 0 && !signal.aborted) onErrorCode(errorCode)
      } catch (error) {
        if (!signal.aborted) onFailure(error)
      }
      if (!signal.aborted && clock.now() - lastAnswerMs >= sessionTimeoutMs) onSilence()
    }
  }
}
