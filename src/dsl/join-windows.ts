import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import type { ValueKind } from '../base/options.ts'
import { numberCheckedByReader, required } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import { Fault } from '../base/fault.ts'
import type { JoinWindows } from '../topology/windows.ts'

/** Options of `joinWindows`: how far apart two records may be, in milliseconds. */
export interface JoinWindowsOptions {
  /** How long before the left record its partner may lie, in milliseconds. */
  readonly before: number
  /** How long after the left record its partner may lie; negative for partners that lie before it by at least that. */
  readonly after: number
  /** How long after its end a window still waits for late records before it emits the record without a partner. */
  readonly grace?: number
}

/**
 * A right record is a partner where its time lies in `[left - before, left + after]`.
 *
 * @example
 * clicks.join(views, pair, { name: 'click-views', windows: joinWindows({ before: minutes(5), after: 0 }) })
 */
export const joinWindows = (options: JoinWindowsOptions): JoinWindows => {
  checkOptions('joinWindows', options, joinWindowsOptions)
  const { before, after, grace = 0 } = options
  for (const [what, length] of Object.entries({ before, after }))
    if (!Number.isSafeInteger(length))
      throw invalidWindow(`${what} ${String(length)} is not a whole number of milliseconds`)
  if (before + after < 0)
    throw invalidWindow(`before ${before} and after ${after} leave no time between them`)
  if (!isDuration(grace))
    throw invalidWindow(
      `grace ${String(grace)} is ${grace < 0 ? 'negative' : 'not a whole number of milliseconds'}`,
    )
  return Object.freeze({ beforeMs: before, afterMs: after, graceMs: grace })
}

/**
 * Partners lie at most `difference` apart, whichever came first. Nothing is joined within 0 ms without grace, as nothing is
 * by Kafka Streams: a record has left the window by the time its partner comes.
 *
 * @example
 * orders.join(payments, paid, { name: 'order-payments', windows: within(hours(1), { grace: minutes(5) }) })
 */
export const within = (difference: number, options: { readonly grace?: number } = {}): JoinWindows => {
  checkArgument('within', difference, numberCheckedByReader)
  checkOptions('within', options, graceOption)
  return joinWindows({ before: difference, after: difference, ...options })
}

const graceOption: OptionShape<Pick<JoinWindowsOptions, 'grace'>> = { grace: numberCheckedByReader }

// joinWindows checks the lengths together.
const joinWindowsOptions: OptionShape<JoinWindowsOptions> = {
  ...graceOption,
  before: required(numberCheckedByReader),
  after: required(numberCheckedByReader),
}

/** What both functions return. */
export const joinWindowsKind: ValueKind = {
  needs: 'join windows',
  example: 'within(minutes(5)) or joinWindows({ before, after })',
  accepts: (value) => {
    const { beforeMs, afterMs, graceMs } = (value ?? {}) as Partial<JoinWindows>
    return [beforeMs, afterMs, graceMs].every((lengthMs) => typeof lengthMs === 'number')
  },
}

const invalidWindow = (message: string): Fault =>
  new Fault({
    code: 'JOIN_WINDOW_INVALID',
    actor: 'author',
    message: `join window: ${message}`,
    remedy: 'give durations in whole milliseconds with before + after >= 0 and grace >= 0',
  })
