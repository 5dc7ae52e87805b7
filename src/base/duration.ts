import { Fault } from './fault.ts'

/**
 * Durations are plain numbers of milliseconds, made by functions that name their unit. They are whole: what is no number
 * of whole milliseconds is refused.
 *
 * @example
 * const grace = seconds(30) // 30_000
 */
export const milliseconds = (count: number): number => whole(count, 1, 'milliseconds')
export const seconds = (count: number): number => whole(count, 1_000, 'seconds')
export const minutes = (count: number): number => whole(count, 60_000, 'minutes')
export const hours = (count: number): number => whole(count, 3_600_000, 'hours')
export const days = (count: number): number => whole(count, 86_400_000, 'days')

/** True of a length of time as windows, stores and timers take it: whole milliseconds, not negative. */
export const isDuration = (durationMs: unknown): durationMs is number =>
  Number.isSafeInteger(durationMs) && (durationMs as number) >= 0

/** Floating point makes 4200.000000000001 ms of 0.07 minutes. */
const whole = (count: number, unitMs: number, unit: string): number => {
  const durationMs = typeof count === 'number' ? Math.round(count * unitMs) : Number.NaN
  if (Number.isSafeInteger(durationMs) && Math.abs(durationMs - count * unitMs) < 1e-6) return durationMs
  throw new Fault({
    code: 'DURATION_INVALID',
    actor: 'author',
    message: `${String(count)} ${unit} are no whole number of milliseconds`,
    remedy: 'give a finite number of whole milliseconds',
  })
}
