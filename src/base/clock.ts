/**
 * Time is an argument: whoever needs the time of day, a pause or an alarm is handed a clock.
 * `systemClock` (system-clock.ts) is the one file that reads the machine's; tests and simulations hand in `manualClock`.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
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
