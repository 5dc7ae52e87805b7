import { copyBytes } from '../base/bytes.ts'
import type { Bytes } from '../base/bytes.ts'
import { Fault, messageOf } from '../base/fault.ts'
import { shown } from '../base/shown.ts'
import type { Headers } from '../topic/headers.ts'
import type { RawRegion, RecordOrigin } from '../topic/record.ts'
import { optionalResultOf } from '../topology/callback-results.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { TaskFailure } from './ports.ts'

/** A record as it was read: nothing of it is decoded. */
export interface RecordAsRead {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly timestamp: number
  readonly headers: Headers
}

/** What a handler hears of a record that failed. */
export interface FailedRecord {
  /** What happened; its `cause` is what was thrown. */
  readonly fault: Fault
  /** What was being done: reading the record, processing it, or writing a result. */
  readonly stage: 'deserialization' | 'processing' | 'production'
  readonly node: string
  /** Where the record stands; undefined where no record of an input led to the failure (a timer did). */
  readonly origin: RecordOrigin | undefined
  readonly record: RecordAsRead | undefined
}

/** What becomes of a record that failed: stop here, leave it out, or leave it out and keep it in the dead letter topic. */
export type FailurePolicy = 'fail' | 'skip' | 'deadLetter'

/**
 * Decides about a record that failed; undefined leaves it to the settings. It must not wait: the record's partition does.
 *
 * @example
 * const onFailedRecord: FailureHandler = ({ fault }) => (fault.code === 'RECORD_TOO_LARGE' ? 'skip' : undefined)
 */
export type FailureHandler = (failed: FailedRecord) => FailurePolicy | undefined

/** What a handler says; a handler that fails, or says what there is not, is a fault of its own. */
export const askHandler = (
  handler: FailureHandler,
  { fault, stage, node, origin }: TaskFailure,
  record: AnyRecord | undefined,
): FailurePolicy | undefined => {
  const failed = { fault, stage, node, origin, record: record === undefined ? undefined : asRead(record) }
  let policy: FailurePolicy | undefined
  try {
    policy = optionalResultOf('onFailedRecord', handler(failed))
  } catch (error) {
    throw handlerFailed(`onFailedRecord has failed: ${messageOf(error)}`, fault, error)
  }
  if (policy === undefined || policies.has(policy)) return policy
  const answer: unknown = policy
  throw handlerFailed(`onFailedRecord has answered ${shown(answer)}`, fault, fault)
}

const policies: ReadonlySet<unknown> = new Set(['fail', 'skip', 'deadLetter'])

/** The parts of a record as bytes of their own. */
export const asRead = (record: AnyRecord): RecordAsRead => ({
  key: copyOf(record.keyAsRead),
  value: copyOf(record.valueAsRead),
  timestamp: record.timestamp,
  headers: record.headers,
})

const copyOf = (region: RawRegion | undefined): Bytes | null =>
  region === undefined ? null : copyBytes(region.buffer.subarray(region.start, region.end))

const handlerFailed = (what: string, { summary, place }: Fault, cause: unknown): Fault =>
  new Fault({
    code: 'FAILURE_HANDLER_FAILED',
    actor: 'author',
    message: `${what}, of a record that failed: ${summary}`,
    remedy: 'answer fail, skip, deadLetter, or undefined for what the settings say',
    place,
    cause,
  })
