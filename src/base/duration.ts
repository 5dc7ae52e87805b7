import { Fault } from './fault.ts'

/**
 * A duration of `count` milliseconds, as a number of milliseconds. Throws the fault `DURATION_INVALID` unless it is a whole number of
 * milliseconds.
 *
 * @example
 * milliseconds(30) // 30
 */
export const milliseconds = (count: number): number => whole(count, 1, 'milliseconds')

/**
 * A duration of `count` seconds, in milliseconds. Throws the fault `DURATION_INVALID` unless it is a whole number of
 * milliseconds.
 *
 * @example
 * seconds(30) // 30_000
 */
export const seconds = (count: number): number => whole(count, 1_000, 'seconds')

/**
 * A duration of `count` minutes, in milliseconds. Throws the fault `DURATION_INVALID` unless it is a whole number of
 * milliseconds.
 *
 * @example
 * minutes(5) // 300_000
 */
export const minutes = (count: number): number => whole(count, 60_000, 'minutes')

/**
 * A duration of `count` hours, in milliseconds. Throws the fault `DURATION_INVALID` unless it is a whole number of
 * milliseconds.
 *
 * @example
 * hours(2) // 7_200_000
 */
export const hours = (count: number): number => whole(count, 3_600_000, 'hours')

/**
 * A duration of `count` days, in milliseconds. Throws the fault `DURATION_INVALID` unless it is a whole number of
 * milliseconds.
 *
 * @example
 * days(7) // 604_800_000
 */
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
