import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { isFault } from '../../base/fault.ts'

/** How long somebody waits for what is on the move, and what ends the waiting at once. */
export interface Patience {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Tries `work` again while it fails with a fault that says so (`actor: 'retry'`), with growing pauses, for as long as
 * `timeoutMs` allows; it is told how long it has left. The last fault is thrown when the time is over.
 */
export const withPatience = async <T>(
  { clock, timeoutMs, signal }: Patience,
  work: (leftMs: number) => Promise<T>,
): Promise<T> => {
  const untilMs = clock.now() + timeoutMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await work(Math.max(0, untilMs - clock.now()))
    } catch (error) {
      const passes = isFault(error) && error.actor === 'retry' && !signal.aborted
      if (!passes || clock.now() + pauseMs > untilMs) throw error
    }
    await sleep(clock, pauseMs, signal)
  }
}

const firstPauseMs = 20
const longestPauseMs = 250
