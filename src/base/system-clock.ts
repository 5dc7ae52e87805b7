import type { Clock } from './clock.ts'

/** The machine's own time. The only file in `src/` that reads it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
