import { Fault } from '../base/fault.ts'
import type { TaskFailure } from '../task/ports.ts'
import type { FailureDecision } from '../task/task.ts'
import type { AnyRecord } from '../topology/node.ts'

export interface RetrySettings {
  readonly processingRetryAttempts: number
  readonly processingRetryBackoffMs: number
}

type DecideFailure = (failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision

/**
 * Second chances for records whose processing failed: what was done since the last commit is taken back, and the record
 * comes again after a pause. Only when it has failed more often than it may does its failure policy decide.
 *
 * Nothing of a failed attempt may remain in the stores, which is why not the record alone is tried again: exactly once,
 * its transaction is aborted; at least once, results since the last commit may be written twice.
 */
export class RecordRetries {
  readonly #settings: RetrySettings
  readonly #attempts = new Map<string, number>()

  constructor(settings: RetrySettings) {
    this.#settings = settings
  }

  /** Hands a failure to `next` once its retries are used up; throws `RECORD_RETRIED` otherwise. */
  before(next: DecideFailure): DecideFailure {
    if (this.#settings.processingRetryAttempts === 0) return next
    return (failure, record) => {
      const place = placeOf(failure)
      if (place !== undefined && this.#mayRetry(place)) throw retried(failure, this.#attempts.get(place) ?? 0)
      return next(failure, record)
    }
  }

  /** True where records are processed again because one of them is tried again. */
  isRetry(reason: Fault): boolean {
    return reason.code === retryCode
  }

  /** How long to wait before starting over, in milliseconds; other reasons than a retry ask for nothing. */
  pauseMsAfter(reason: Fault): number {
    return this.isRetry(reason) ? this.#settings.processingRetryBackoffMs : 0
  }

  #mayRetry(place: string): boolean {
    const attempts = (this.#attempts.get(place) ?? 0) + 1
    this.#attempts.delete(place)
    if (attempts > this.#settings.processingRetryAttempts) return false
    this.#attempts.set(place, attempts)
    // Records that came through are never heard of again: the oldest are theirs.
    const [oldest] = this.#attempts.keys()
    if (this.#attempts.size > rememberedRecords && oldest !== undefined) this.#attempts.delete(oldest)
    return true
  }
}

const retryCode = 'RECORD_RETRIED'
const rememberedRecords = 1_000

/** Where a record is from that may be tried again; what cannot be read or written would fail the same way. */
const placeOf = ({ stage, fault, origin }: TaskFailure): string | undefined =>
  stage === 'processing' && fault.actor === 'record' && origin !== undefined
    ? `${origin.topic}-${origin.partition}@${origin.offset}`
    : undefined

const retried = ({ fault }: TaskFailure, attempt: number): Fault =>
  new Fault({
    code: retryCode,
    actor: 'retry',
    message: `a record is tried again (retry ${attempt}): ${fault.summary}`,
    place: fault.place,
    cause: fault,
  })
