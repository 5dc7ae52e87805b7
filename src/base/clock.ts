/**
 * The time, as an argument: code that needs the time of day, a duration or a timer takes a clock.
 * `systemClock` (system-clock.ts) is the only file that reads the machine's time; tests and simulations use `ManualClock`.
 */
export interface Clock {
  /**
   * The time of day, in milliseconds since the Unix epoch. It steps when the machine's clock is set, so it is only for
   * timestamps: of records, of wall-clock punctuation, and those that people or other processes read.
   */
  now(): number
  /**
   * Whole milliseconds since a fixed moment of this process. It never steps, so every duration and deadline uses it.
   * Two processes or worker threads have different moments: the value means nothing elsewhere.
   */
  monotonicMs(): number
  /** Calls `callback` once after `delayMs` of monotonic time; the returned function cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void
}

/** Resolves after `delayMs` on the given clock; an aborted `signal` resolves it at once. */
export const sleep = (clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const finish = (): void => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.setTimer(finish, delayMs)
    signal?.addEventListener('abort', finish, { once: true })
  })
