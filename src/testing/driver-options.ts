import type { OptionShape, ValueKind } from '../base/options.ts'
import { anyObject, count, nested, oneOf, synchronous, text, wholeNumber } from '../base/value-kinds.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { FailurePolicies } from '../task/failure-policy.ts'
import type { TaskFailure } from '../task/ports.ts'
import type { FailureDecision } from '../task/task.ts'

/** Options of `testDriver`. */
export interface TestDriverOptions {
  /** How many partitions each topic has: one number for all, or by name with 1 for the rest. Defaults to 1. */
  readonly partitions?: number | Readonly<Record<string, number>>
  /** Where the clock starts, in milliseconds since the epoch. Defaults to 0. */
  readonly startMs?: number
  /** What a failed record means: defaults to the policies below. */
  readonly onFailure?: (failure: TaskFailure) => FailureDecision
  /** After how long without a record stream time follows the clock, as the setting of that name; defaults to never. */
  readonly idleAdvanceMs?: number
  /** As the setting: how far a record's time may be ahead of the driver's clock. */
  readonly maxTimestampAheadMs?: number
  /** As the setting: the largest record that a topic or a store takes. 1 MiB by default. */
  readonly maxRequestSize?: number
  /** As the settings of the same names. Defaults to `fail`, thrown from `pipe`. */
  readonly policies?: Partial<FailurePolicies>
  /** As the option of `start`: what it says goes before the policies. */
  readonly onFailedRecord?: FailureHandler
  /** Takes what the policy `deadLetter` leaves out. Defaults to `dead-letters`. */
  readonly deadLetterTopic?: string
  /** When state and coalesced results go out: after each record, or only by `commit()` and where a processor asks. */
  readonly commit?: 'everyRecord' | 'manual'
}

const policyKind = oneOf('fail', 'skip', 'deadLetter')

const partitionsKind: ValueKind = {
  needs: 'how many partitions each topic has, or { topic: partitions }',
  accepts: (value) =>
    count.accepts(value) || (anyObject.accepts(value) && Object.values(value as object).every(count.accepts)),
}

export const testDriverOptions: OptionShape<TestDriverOptions> = {
  partitions: partitionsKind,
  startMs: wholeNumber,
  onFailure: synchronous,
  idleAdvanceMs: wholeNumber,
  maxTimestampAheadMs: wholeNumber,
  maxRequestSize: count,
  policies: nested<Partial<FailurePolicies>>({
    deserializationFailure: policyKind,
    processingFailure: policyKind,
    productionFailure: policyKind,
  }),
  onFailedRecord: synchronous,
  deadLetterTopic: text,
  commit: oneOf('everyRecord', 'manual'),
}
