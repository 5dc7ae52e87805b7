import type { Clock } from './clock.ts'

/** The machine's own time. The only file in `src/` that reads it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (callback, delayMs) => {
    const dueMs = Date.now() + delayMs
    // Node's timers run by another clock, and ring up to a millisecond before this one says that it is time.
    const ring = (): void => {
      const earlyMs = dueMs - Date.now()
      if (earlyMs > 0 && earlyMs <= 2) timer = setTimeout(callback, earlyMs)
      else callback()
    }
    let timer = setTimeout(ring, delayMs)
    return () => clearTimeout(timer)
  },
}

/** A timer that does not keep the process alive; the returned function cancels it. */
export const backgroundTimer = (callback: () => void, delayMs: number): (() => void) => {
  const timer = setTimeout(callback, delayMs)
  timer.unref()
  return () => clearTimeout(timer)
}
