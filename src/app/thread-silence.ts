import type { Clock } from '../base/clock.ts'
import { seconds } from '../base/duration.ts'
import type { EventFields } from '../runtime/runtime-settings.ts'

export interface ThreadSilenceOptions {
  readonly name: string
  readonly clock: Clock
  readonly onWarning: (message: string, fields?: EventFields) => void
}

/**
 * Notices a worker thread that sends nothing. One that runs sends its status several times a second, so it is blocked by
 * synchronous work; one that starts may wait in its module forever. Each silence is reported once, and so is its end.
 */
export class ThreadSilence {
  readonly #options: ThreadSilenceOptions
  #isStarted = false
  #isReported = false
  #lastMs: number
  #cancel: () => void

  constructor(options: ThreadSilenceOptions) {
    this.#options = options
    this.#lastMs = options.clock.monotonicMs()
    this.#cancel = this.#lookLater()
  }

  /** The thread has sent something. */
  heard(isStarted: boolean): void {
    const { name, clock, onWarning } = this.#options
    this.#isStarted ||= isStarted
    if (!this.#isStarted) return
    const nowMs = clock.monotonicMs()
    if (this.#isReported) onWarning(`worker thread ${name} answers again after ${nowMs - this.#lastMs} ms`)
    this.#isReported = false
    this.#lastMs = nowMs
  }

  close(): void {
    this.#cancel()
  }

  #lookLater(): () => void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + intervalMs
    return clock.setTimer(() => {
      const nowMs = clock.monotonicMs()
      // This thread was blocked itself, and has not read what the other has sent.
      if (nowMs - dueMs > intervalMs) this.#lastMs = nowMs
      this.#look(nowMs - this.#lastMs)
      this.#cancel = this.#lookLater()
    }, intervalMs)
  }

  #look(silentMs: number): void {
    const { name, onWarning } = this.#options
    if (this.#isReported || silentMs < (this.#isStarted ? blockedMs : startingMs)) return
    this.#isReported = true
    onWarning(
      this.#isStarted
        ? `worker thread ${name} has not answered for ${silentMs} ms: synchronous work blocks it, so its records wait and its group may remove it`
        : `worker thread ${name} has not started within ${silentMs} ms: its module or its start still waits for something`,
      { code: 'THREAD_SILENT' },
    )
  }
}

const intervalMs = seconds(1)
const blockedMs = seconds(10)
const startingMs = seconds(30)
