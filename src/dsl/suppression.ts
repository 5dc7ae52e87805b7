import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { checkedByReader, numberCheckedByReader, required } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import { Fault } from '../base/fault.ts'
import type { Windowed } from '../topic/windowed.ts'

/** How long a table's updates are buffered, and how much the buffer may hold. `K` is the key of the tables it suits. */
export interface Suppression<in K> {
  readonly until: 'windowCloses' | 'timeLimit'
  readonly limitMs: number
  readonly maxRecords: number | undefined
  readonly maxBytes: number | undefined
  readonly whenFull: 'emitEarly' | 'shutDown'
  /** Only for the types: a suppression until windows close takes windowed keys. */
  readonly suits?: (key: K) => void
}

/** Bounds on what a suppression buffers. */
export interface SuppressionBounds {
  /** How many keys may wait. Defaults to any number. */
  readonly maxRecords?: number
  /** How many bytes of keys and values may wait. Defaults to any number. */
  readonly maxBytes?: number
}

/** Options of `untilTimeLimit`. `limit` is the time between two updates of a key, in milliseconds of stream time. */
export interface TimeLimitOptions extends SuppressionBounds {
  readonly limit: number
  readonly whenFull?: 'emitEarly' | 'shutDown'
}

// The functions check the values.
const suppressionBounds: OptionShape<SuppressionBounds> = {
  maxRecords: numberCheckedByReader,
  maxBytes: numberCheckedByReader,
}
const timeLimitOptions: OptionShape<TimeLimitOptions> = {
  ...suppressionBounds,
  limit: required(numberCheckedByReader),
  whenFull: checkedByReader,
}

/**
 * Buffers a window's updates until it has closed, so that each window is emitted once, with its final value. What has closed is in
 * stream time: the next record of the task's topics lets results go. Results may not leave early, so a bound that is
 * reached stops the application.
 *
 * @example
 * counts.suppress(untilWindowCloses(), { store: 'final-counts' }).toStream().to(finalCounts)
 */
export const untilWindowCloses = (bounds: SuppressionBounds = {}): Suppression<Windowed<unknown>> => {
  checkOptions('untilWindowCloses', bounds, suppressionBounds)
  return { until: 'windowCloses', limitMs: 0, whenFull: 'shutDown', ...checked(bounds) }
}

/**
 * Emits at most one update of a key per `limit` of stream time, the latest. A bound that is reached lets the oldest go
 * early, or stops the application where that is asked for.
 *
 * @example
 * balances.suppress(untilTimeLimit({ limit: seconds(10), maxRecords: 10_000 }), { store: 'calm-balances' })
 */
export const untilTimeLimit = (options: TimeLimitOptions): Suppression<unknown> => {
  checkOptions('untilTimeLimit', options, timeLimitOptions)
  const { limit, whenFull = 'emitEarly', ...bounds } = options
  if (!['emitEarly', 'shutDown'].includes(whenFull))
    throw invalid(`whenFull is '${whenFull}', and may be 'emitEarly' or 'shutDown'`)
  if (!isDuration(limit))
    throw invalid(
      `the time limit ${String(limit)} is ${limit < 0 ? 'negative' : 'not a whole number of milliseconds'}`,
    )
  return { until: 'timeLimit', limitMs: limit, whenFull, ...checked(bounds) }
}

const checked = ({
  maxRecords,
  maxBytes,
}: SuppressionBounds): Pick<Suppression<never>, 'maxRecords' | 'maxBytes'> => {
  for (const bound of [maxRecords, maxBytes])
    if (bound !== undefined && !(isDuration(bound) && bound > 0))
      throw invalid(`a bound of ${String(bound)} lets nothing wait, or is no whole number`)
  return { maxRecords, maxBytes }
}

const invalid = (message: string): Fault =>
  new Fault({
    code: 'SUPPRESSION_INVALID',
    actor: 'author',
    message: `suppression: ${message}`,
    remedy: 'give limits in milliseconds and bounds above 0',
  })
