import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'
import type { FaultActor, FaultPlace } from '../base/fault.ts'
import { Fault } from '../base/fault.ts'

/**
 * The error codes of Kafka's protocol as names and faults. A fault's code is Kafka's own name for the error, apart from
 * those that Millrace gives a name of its own: `TOPIC_MISSING`, `RECORD_TOO_LARGE` and `NOT_AUTHORIZED`.
 */
export const errorName = (errorCode: number): string =>
  protocolErrorsCodesById[errorCode] ?? `UNKNOWN_ERROR_${errorCode}`

/** True where Kafka says that the same request may succeed later. */
export const isRetriable = (errorCode: number): boolean =>
  protocolErrors[errorName(errorCode)]?.canRetry === true || alsoRetriable.has(errorName(errorCode))

const alsoRetriable = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_ID',
  'UNSTABLE_OFFSET_COMMIT',
])

/** True where the cause may be that the cluster's leaders or topics have changed since they were asked for. */
export const isStaleMetadata = (errorCode: number): boolean => staleMetadata.has(errorName(errorCode))

const staleMetadata = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
])

/** True where the broker takes no batch that holds such a record, however often it is sent. */
export const isRefusedRecord = (errorCode: number): boolean => refusedRecord.has(errorName(errorCode))

const refusedRecord = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
])

/** True where the coordinator must be looked up again. */
export const isStaleCoordinator = (errorCode: number): boolean =>
  ['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'].includes(errorName(errorCode))

interface Meaning {
  readonly code: string
  readonly actor: FaultActor
  readonly remedy: string
}

const meanings: Readonly<Record<string, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 'TOPIC_MISSING',
    actor: 'author',
    remedy: 'create the topic, or check its name and the number of its partitions',
  },
  MESSAGE_TOO_LARGE: {
    code: 'RECORD_TOO_LARGE',
    actor: 'record',
    remedy: "make the record smaller or raise the topic's max.message.bytes",
  },
  RECORD_LIST_TOO_LARGE: {
    code: 'RECORD_TOO_LARGE',
    actor: 'record',
    remedy: "make the record smaller or raise the topic's segment.bytes",
  },
  INVALID_RECORD: {
    code: 'INVALID_RECORD',
    actor: 'record',
    remedy: 'write what the topic accepts: a compacted topic takes no record without key',
  },
  INVALID_TIMESTAMP: {
    code: 'INVALID_TIMESTAMP',
    actor: 'record',
    remedy: "fix the time of the record, or the topic's message.timestamp.before.max.ms and after.max.ms",
  },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 'NOT_AUTHORIZED',
    actor: 'author',
    remedy:
      'grant the user READ on a topic that is read, WRITE on one that is written, and CREATE too on those that are made',
  },
  GROUP_AUTHORIZATION_FAILED: {
    code: 'NOT_AUTHORIZED',
    actor: 'author',
    remedy: 'grant the user READ on the group',
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    code: 'NOT_AUTHORIZED',
    actor: 'author',
    remedy: 'grant the user the operation on the cluster',
  },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: {
    code: 'NOT_AUTHORIZED',
    actor: 'author',
    remedy: 'grant the user WRITE on the transactional id',
  },
}

/** The fault for an error code in a response; `doing` completes the sentence "Kafka refused to ...". */
export const protocolFault = (
  errorCode: number,
  doing: string,
  place?: FaultPlace,
  detail?: string | null,
): Fault => {
  const name = errorName(errorCode)
  const meaning = meanings[name]
  // Some answers have an empty text where others have none.
  const explanation = detail || protocolErrors[name]?.message
  return new Fault({
    code: meaning?.code ?? name,
    actor: meaning?.actor ?? (isRetriable(errorCode) ? 'retry' : 'runtime'),
    message: `Kafka refused to ${doing}: ${name}${explanation == null ? '' : ` (${explanation.replace(/\.$/, '')})`}`,
    remedy: meaning?.remedy,
    place,
  })
}

/** The same for an error that may pass by itself, such as a topic that not every broker has heard of yet. */
export const passingFault = (errorCode: number, doing: string, place?: FaultPlace): Fault =>
  new Fault({
    code: errorName(errorCode),
    actor: 'retry',
    message: `Kafka could not ${doing} yet: ${errorName(errorCode)}`,
    place,
  })

/** True where trying again is right by itself. */
export const isRetriableFault = (error: unknown): error is Fault =>
  error instanceof Fault && error.actor === 'retry'
