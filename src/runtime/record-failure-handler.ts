import { changed, Fault, isFault } from '../base/fault.ts'
import type { RecordContents } from '../base/record-contents.ts'
import type { RecordInstead, RefusalAnswer } from '../kafka/producer.ts'
import type { RefusedRecord } from '../kafka/produce/refused-batch.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { FailurePolicySettings } from '../task/failure-policy.ts'
import { handleByPolicy, leftOutReason } from '../task/failure-policy.ts'
import type { TaskFailure } from '../task/ports.ts'
import { faultOf, keyOf } from '../task/record-fault.ts'
import type { FailureDecision } from '../task/task.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import type { RecordOrigin } from '../topic/record.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { WarningListener } from './runtime-settings.ts'
import { fieldsOf } from './runtime-settings.ts'
import type { Metrics } from './metrics.ts'

/** Decides by the policies of the settings what becomes of records that failed; one left out is counted and reported. */
export class RecordFailureHandler {
  readonly #options: RecordFailureHandlerOptions

  constructor(options: RecordFailureHandlerOptions) {
    this.#options = options
  }

  /** Whether a policy or handler needs the source records of refused records. */
  get keepsSources(): boolean {
    const { policies, onFailedRecord } = this.#options
    return policies.productionFailure === 'deadLetter' || onFailedRecord !== undefined
  }

  /** Handles failures of records; dead letters go to `deadLetter`. */
  with(
    deadLetter: (topic: string, row: RecordRow) => void,
  ): (failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision {
    const { policies, metrics, onWarning, onFailedRecord } = this.#options
    return handleByPolicy(
      policies,
      {
        deadLetter: (row) => deadLetter(deadLetterTopicOf(policies), row),
        leftOut: (failure) => {
          metrics.drop(leftOutReason(failure), failure.node)
          onWarning(`a record was left out: ${failure.fault.message}`, fieldsOf(failure.fault))
        },
      },
      onFailedRecord,
    )
  }

  /** What becomes of a record that the broker refuses. Changelogs and dead letters are never left out. */
  refused({ fault, record, source }: RefusedRecord): RefusalAnswer {
    if (source === undefined) return { failure: withKey(fault, record) }
    const { node, origin } = source
    const instead: RecordInstead[] = []
    const failure = unwritten({ node, origin, record, error: fault })
    const handle = this.with((topic, row) => instead.push({ topic, row }))
    const decision = handle(failure, source.record ?? record)
    return decision === 'fail' ? { failure: failure.fault } : { instead }
  }
}

export interface RecordFailureHandlerOptions {
  readonly policies: FailurePolicySettings
  readonly metrics: Metrics
  readonly onWarning: WarningListener
  readonly onFailedRecord?: FailureHandler | undefined
}

/** The settings have refused the policy without a topic; a handler may still choose it. */
const deadLetterTopicOf = ({ deadLetterTopic }: RecordFailureHandlerOptions['policies']): string => {
  if (deadLetterTopic !== undefined) return deadLetterTopic
  throw new Fault({
    code: 'DEAD_LETTER_TOPIC_MISSING',
    actor: 'author',
    message: 'onFailedRecord has answered deadLetter, but no topic takes dead letters',
    remedy: 'set deadLetterTopic',
  })
}

interface Unwritten {
  readonly node: string
  readonly origin: RecordOrigin | undefined
  /** The record whose key is reported. */
  readonly record: AnyRecord | undefined
  readonly error: unknown
}

/** The failure of a record that a node could not write, with every way out. */
export const unwritten = ({ node, origin, record, error }: Unwritten): TaskFailure => {
  const remedy = isFault(error) && error.actor === 'record' ? error.remedy : undefined
  const fault = faultOf({ node, stage: 'production', origin, key: keyOf(record), error })
  return {
    node,
    stage: 'production',
    origin,
    fault: remedy === undefined ? fault : changed(fault, { remedy: `${remedy}, or ${orLeaveOut}` }),
  }
}

const orLeaveOut = 'set productionFailure to skip or deadLetter'

/** The fault of a topic that a record chose: another record chooses another one. */
export const chosenByRecord = (fault: Fault): Fault => changed(fault, { actor: 'record' })

const withKey = (fault: Fault, record: AnyRecord): Fault =>
  changed(fault, { contents: contentsOfKey(record) })

const contentsOfKey = (record: AnyRecord): RecordContents => {
  const key = keyOf(record)
  return key === undefined ? {} : { key }
}
