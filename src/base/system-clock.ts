import type { Clock } from './clock.ts'

/** The global is an accessor in Node, which a clock that is read a million times a second does not go through. */
const { performance } = globalThis

const monotonicMs = (): number => Math.trunc(performance.now())

/** The machine's own time. The only file in `src/` that reads it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs,
  setTimer: (callback, delayMs) => {
    const dueMs = monotonicMs() + delayMs
    // Node rounds the times of its timers, so one may fire a millisecond before `monotonicMs` has reached its due time.
    const ring = (): void => {
      const earlyMs = dueMs - monotonicMs()
      if (delayMs > longestDelayMs && earlyMs > 2) timer = setTimeout(ring, Math.min(earlyMs, longestDelayMs))
      else if (earlyMs > 0 && earlyMs <= 2) timer = setTimeout(callback, earlyMs)
      else callback()
    }
    let timer = setTimeout(ring, Math.max(0, Math.min(delayMs, longestDelayMs)))
    return () => clearTimeout(timer)
  },
}

/** Node's timers ring at once where they are set for longer (some 25 days). */
const longestDelayMs = 2 ** 31 - 1

/** A timer that does not keep the process alive; the returned function cancels it. */
export const backgroundTimer = (callback: () => void, delayMs: number): (() => void) => {
  const timer = setTimeout(callback, delayMs)
  timer.unref()
  return () => clearTimeout(timer)
}
