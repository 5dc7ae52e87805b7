import { utf8Encode } from '../base/bytes.ts'
import { Fault, printableStackOf } from '../base/fault.ts'
import { printable } from '../base/printable.ts'
import { withContents } from '../base/record-contents.ts'
import { isError, propertyOf, textOfThrown } from '../base/thrown.ts'
import type { Header } from '../topic/headers.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import type { RecordOrigin } from '../topic/record.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { FailureHandler, FailurePolicy } from './failure-handler.ts'
import { asRead, askHandler } from './failure-handler.ts'
import type { DropReason, TaskFailure } from './ports.ts'
import type { FailureDecision } from './task.ts'

/** What happens to a record that cannot be deserialized, processed or written. */
export interface FailurePolicies {
  readonly deserializationFailure: FailurePolicy
  readonly processingFailure: FailurePolicy
  readonly productionFailure: FailurePolicy
}

/** The policies, the topic that takes dead letters, and whether these quote parts of records: the setting `logRecordContents`. */
export type FailurePolicySettings = FailurePolicies & {
  readonly deadLetterTopic?: string | undefined
  readonly logRecordContents?: boolean
}

export interface FailureOutlets {
  /** Takes the record that goes to the dead letter topic. */
  readonly deadLetter: (row: RecordRow) => void
  /** Hears of every record that was left out, so that none is lost in silence. */
  readonly leftOut: (failure: TaskFailure, record: AnyRecord | undefined) => void
}

/**
 * Handles failures by policy, unless the handler decides otherwise. A failure that is not the record's own (the
 * author's mistake, a broken store) always stops the task: leaving records out would not fix it.
 */
export const handleByPolicy =
  (policies: FailurePolicySettings, outlets: FailureOutlets, handler?: FailureHandler) =>
  (failure: TaskFailure, record: AnyRecord | undefined): FailureDecision => {
    if (failure.fault.actor !== 'record') return 'fail'
    const said = handler === undefined ? undefined : askHandler(handler, failure, record)
    const policy = said ?? policyFor(policies, failure.stage)
    if (policy === 'fail') return 'fail'
    if (policy === 'deadLetter') refuseLoop(failure, policies)
    if (policy === 'deadLetter' && record !== undefined)
      outlets.deadLetter(deadLetterOf(record, failure.origin, failure.fault, policies.logRecordContents))
    outlets.leftOut(failure, record)
    return 'continue'
  }

/** A dead letter that is read, and fails again, would be written and read without end. */
const refuseLoop = ({ fault, origin }: TaskFailure, { deadLetterTopic }: FailurePolicySettings): void => {
  if (origin === undefined || origin.topic !== deadLetterTopic) return
  throw new Fault({
    code: 'DEAD_LETTER_LOOP',
    actor: 'author',
    message: `a record of the dead letter topic has failed, and would come back to it without end: ${fault.summary}`,
    remedy:
      'name a deadLetterTopic that the application does not read, or let onFailedRecord skip its records',
    place: fault.place,
    contents: fault.contents,
    cause: fault,
  })
}

/** What a record that was left out is counted as. */
export const leftOutReason = ({ fault }: TaskFailure): DropReason =>
  fault.code === 'PIPELINE_COMPLETED' ? 'pipelineCompleted' : 'failed'

const policyFor = (policies: FailurePolicies, stage: TaskFailure['stage']): FailurePolicy => {
  switch (stage) {
    case 'deserialization':
      return policies.deserializationFailure
    case 'processing':
      return policies.processingFailure
    case 'production':
      return policies.productionFailure
  }
}

/**
 * The dead letter of a record as Kafka Streams writes it (KIP-1034): key and value as they were read, the record's own
 * time and headers, then what went wrong and where. One that no record of an input led to is nowhere.
 */
export const deadLetterOf = (
  record: AnyRecord,
  origin: RecordOrigin | undefined,
  fault: Fault,
  logRecordContents = false,
): RecordRow => {
  const [thrown] = causesOf(fault)
  const added: readonly Header[] = [
    ['__streams.errors.exception', utf8Encode(nameOf(thrown))],
    [
      '__streams.errors.message',
      utf8Encode(logRecordContents ? withContents(fault.message, fault.contents) : fault.message),
    ],
    ['__streams.errors.stacktrace', utf8Encode(stackOf(fault))],
    ...(origin === undefined ? [] : headersOf(origin)),
  ]
  const read = asRead(record)
  return { ...read, headers: [...read.headers, ...added] }
}

const headersOf = ({ topic, partition, offset }: RecordOrigin): readonly Header[] => [
  ['__streams.errors.topic', utf8Encode(topic)],
  ['__streams.errors.partition', utf8Encode(String(partition))],
  ['__streams.errors.offset', utf8Encode(String(offset))],
]

/** What led to a fault, the first cause first. */
const causesOf = (fault: Fault): readonly unknown[] => {
  const causes: unknown[] = [fault]
  for (let at: unknown = fault; causes.length < mostCauses && isError(at);) {
    at = propertyOf(at, 'cause')
    if (at === undefined) break
    causes.unshift(at)
  }
  return causes
}

/** Causes may form a cycle. */
const mostCauses = 100

/** The stack of the first cause that has one: some libraries throw errors without. */
const stackOf = (fault: Fault): string => {
  const stacks = causesOf(fault).map((cause) => printableStackOf(cause))
  return stacks.find((stack) => stack?.includes('\n    at ')) ?? fault.message
}

const nameOf = (thrown: unknown): string => {
  if (!isError(thrown)) return 'Error'
  const code = propertyOf(thrown, 'code')
  const name = textOfThrown(propertyOf(thrown, 'name'))
  return printable(typeof code === 'string' ? `${name}: ${code}` : name)
}
