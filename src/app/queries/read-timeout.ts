import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import type { Fault } from '../../base/fault.ts'
import { isFault } from '../../base/fault.ts'

/** How long a read waits for a task that moves, and the signal that ends the wait at once. */
export interface ReadTimeout {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** One attempt, which has all the time there is. */
  readonly once?: boolean
}

/**
 * Tries `work` again while it fails with a fault that says so (`actor: 'retry'`), with growing pauses, for as long as
 * `timeoutMs` allows; it gets the time that is left. The last fault is thrown when the time is over.
 */
export const retryWithin = async <T>(
  { clock, timeoutMs, signal, once = false }: ReadTimeout,
  work: (leftMs: number) => Promise<T>,
): Promise<T> => {
  const untilMs = clock.monotonicMs() + timeoutMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await work(Math.max(0, untilMs - clock.monotonicMs()))
    } catch (error) {
      const passes =
        isFault(error) && error.actor === 'retry' && !isOverload(error) && !signal.aborted && !once
      if (!passes || clock.monotonicMs() + pauseMs > untilMs) throw error
    }
    await sleep(clock, pauseMs, signal)
  }
}

/** What is refused because too much waits there must not wait here instead. */
const isOverload = ({ code }: Fault): boolean => code === 'QUERIES_OVERLOADED'

/** The result of `work`; what `late` makes where that takes longer than there is time. */
export const within = async <T>(
  { clock, timeoutMs, signal }: ReadTimeout,
  work: Promise<T>,
  late: () => Error,
): Promise<T> => {
  const done = new AbortController()
  const time = sleep(clock, timeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
    throw late()
  })
  return Promise.race([work, time]).finally(() => done.abort())
}

const firstPauseMs = 20
const longestPauseMs = 250
