import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { isRetriableFault } from './protocol-errors.ts'

export interface RetryOptions {
  readonly clock: Clock
  /** How long to go on before the last fault is thrown. */
  readonly timeoutMs: number
  readonly backoffMs?: number
  readonly maxBackoffMs?: number
  readonly signal?: AbortSignal | undefined
  /** Called before each new attempt. */
  readonly onRetry?: (error: unknown) => void
}

/** Runs `attempt` until it succeeds, fails with something that is not for a retry, or the time is over. */
export const retrying = async <T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> => {
  const { clock, timeoutMs, backoffMs = 50, maxBackoffMs = 1_000, signal, onRetry } = options
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (let pauseMs = backoffMs; ; pauseMs = Math.min(pauseMs * 2, maxBackoffMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isRetriableFault(error) || clock.monotonicMs() + pauseMs > deadlineMs || signal?.aborted === true)
        throw error
      onRetry?.(error)
      await sleep(clock, pauseMs, signal)
    }
  }
}
