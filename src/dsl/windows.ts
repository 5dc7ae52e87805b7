import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { shown } from '../base/shown.ts'
import { numberCheckedByReader, required } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import { Fault } from '../base/fault.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../topology/windows.ts'

/**
 * Windows over event time, as data. All lengths are milliseconds (`minutes(5)`); `grace` is how long after its end a
 * window still takes late records, in stream time. Defaults to there is none: what comes later is dropped and counted.
 */
export interface WithGrace {
  readonly grace?: number
}

/** Options of `tumbling`. `size` is the size of each window, in milliseconds. */
export interface TumblingOptions extends WithGrace {
  readonly size: number
}

/** Options of `hopping`. `advance` is the distance between the starts of two windows, in milliseconds. */
export interface HoppingOptions extends TumblingOptions {
  readonly advance: number
}

/** Options of `sliding`. `difference` is the largest time between two records of a window, in milliseconds. */
export interface SlidingOptions extends WithGrace {
  readonly difference: number
}

/** Options of `session`. `gap` is the inactivity that ends a session, in milliseconds. */
export interface SessionOptions extends WithGrace {
  readonly gap: number
}

/**
 * Windows of one size that lie side by side: every record is in exactly one.
 *
 * @example
 * orders.groupByKey().windowedBy(tumbling({ size: minutes(5), grace: seconds(30) })).count({ store: 'orders-by-minute' })
 */
export const tumbling = (options: TumblingOptions): TimeWindows => {
  checkOptions('tumbling', options, tumblingOptions)
  return hopping({ ...options, advance: options.size })
}

/**
 * Windows of one size that begin every `advance`: a record is in as many as overlap it.
 *
 * @example
 * clicks.groupByKey().windowedBy(hopping({ size: minutes(10), advance: minutes(1) })).count({ store: 'trend' })
 */
export const hopping = (options: HoppingOptions): TimeWindows => {
  checkOptions('hopping', options, hoppingOptions)
  const { size, advance, grace = 0 } = options
  require(isDuration(size) && size > 0, `size ${String(size)} is not a positive whole number`)
  require(isDuration(advance) &&
    advance > 0 &&
    advance <= size, `advance ${String(advance)} is not a whole number above 0 and up to the size ${size}`)
  requireGrace(grace)
  return Object.freeze({ kind: 'time', sizeMs: size, advanceMs: advance, graceMs: grace })
}

/**
 * A window for every distinct set of records that lie at most `difference` apart (KIP-450).
 *
 * @example
 * logins.groupByKey().windowedBy(sliding({ difference: minutes(1) })).count({ store: 'logins-within-a-minute' })
 */
export const sliding = (options: SlidingOptions): SlidingWindows => {
  checkOptions('sliding', options, slidingOptions)
  const { difference, grace = 0 } = options
  requireLength('difference', difference)
  require(difference > 0, 'difference is 0, and a window has a length')
  requireGrace(grace)
  return Object.freeze({ kind: 'sliding', differenceMs: difference, graceMs: grace })
}

/**
 * Bursts of activity: records of a key that lie at most `gap` apart are one session, and a record between two sessions
 * makes them one.
 *
 * @example
 * clicks.groupByKey().windowedBy(session({ gap: minutes(30) })).count({ store: 'clicks-by-visit' })
 */
export const session = (options: SessionOptions): SessionWindows => {
  checkOptions('session', options, sessionOptions)
  const { gap, grace = 0 } = options
  requireLength('gap', gap)
  require(gap > 0, 'gap is 0, and a session lasts until nothing comes for some time')
  requireGrace(grace)
  return Object.freeze({ kind: 'session', gapMs: gap, graceMs: grace })
}

// The functions check the lengths together.
const lengthOption = required(numberCheckedByReader)
const tumblingOptions: OptionShape<TumblingOptions> = { size: lengthOption, grace: numberCheckedByReader }
const hoppingOptions: OptionShape<HoppingOptions> = { ...tumblingOptions, advance: lengthOption }
const slidingOptions: OptionShape<SlidingOptions> = { difference: lengthOption, grace: numberCheckedByReader }
const sessionOptions: OptionShape<SessionOptions> = { gap: lengthOption, grace: numberCheckedByReader }

/** How long a window of these kinds has to be kept for its late records. */
export const neededRetentionMs = (windows: TimeWindows | SlidingWindows | SessionWindows): number => {
  switch (windows.kind) {
    case 'time':
      return windows.sizeMs + windows.graceMs
    case 'sliding':
      return 2 * windows.differenceMs + windows.graceMs
    case 'session':
      return windows.gapMs + windows.graceMs
  }
}

/** Refuses what is no windows: a number of milliseconds does not say which kind. */
export const requireWindows = (windows: unknown): void => {
  const kind = (windows as { readonly kind?: unknown } | null | undefined)?.kind
  require(kind === 'time' ||
    kind === 'sliding' ||
    kind ===
      'session', `windowedBy got ${shown(windows)}, and takes tumbling, hopping, sliding or session(...)`)
}

const requireGrace = (grace: number): void => requireLength('grace', grace)

const requireLength = (what: string, length: number): void =>
  require(isDuration(
    length,
  ), `${what} ${String(length)} is ${length < 0 ? 'negative' : 'not a whole number of milliseconds'}`)

const require = (holds: boolean, message: string): void => {
  if (holds) return
  throw new Fault({
    code: 'WINDOW_INVALID',
    actor: 'author',
    message: `window: ${message}`,
    remedy: 'give lengths in milliseconds, as minutes(5)',
  })
}
