import type { Fault } from '../base/fault.ts'
import type { RecordContents } from '../base/record-contents.ts'
import type { FailurePolicies } from '../task/failure-policy.ts'
import type { RetrySettings } from './record-retries.ts'
import type { RestoreProgress } from './restore.ts'

/** What the runtime needs of the settings, parsed and complete; the settings schema in `app/` says what each means. */
export interface RuntimeSettings extends FailurePolicies, RetrySettings {
  readonly applicationId: string
  readonly clientId: string
  readonly processingGuarantee: 'at_least_once' | 'exactly_once'
  readonly transactionTimeoutMs: number
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  readonly commitIntervalMs: number
  readonly fetchMaxWaitMs: number
  readonly maxPollRecords: number
  readonly maxPollDurationMs: number
  readonly inputBufferMaxBytes: number
  readonly checkCrcs: boolean
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly groupInstanceId?: string | undefined
  readonly standbyReplicas: number
  readonly stateCleanupDelayMs: number
  readonly freezeState: boolean
  readonly acceptableRecoveryLag: number
  readonly maxWarmupReplicas: number
  readonly probingRebalanceIntervalMs: number
  readonly applicationServer?: string | undefined
  readonly idleAdvanceMs?: number | undefined
  readonly maxTimestampAheadMs?: number | undefined
  readonly wallClockCatchUpTimeoutMs: number
  readonly replicationFactor: number
  readonly repartitionPurgeIntervalMs: number
  readonly requestTimeoutMs: number
  readonly maxRequestSize: number
  readonly deliveryTimeoutMs: number
  readonly lingerMs: number
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly deadLetterTopic?: string | undefined
  readonly logRecordContents: boolean
}

/** Functions that the runtime calls with its events. */
export interface RuntimeListener {
  readonly onState?: (state: ApplicationState) => void
  /** `fields` hold the parts of the message that a log is searched for. */
  readonly onWarning?: WarningListener
  readonly onRestore?: (progress: RestoreProgress) => void
}

/** Receives each warning of an application, with the fields that a log is searched for. */
export type WarningListener = (message: string, fields?: EventFields) => void

/** What an event is about, as far as it is known. */
export interface EventFields {
  readonly code?: string | undefined
  readonly task?: string | undefined
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: number | bigint | undefined
  readonly node?: string | undefined
  readonly store?: string | undefined
  /** Parts of the record that the event is about; only with the setting `logRecordContents`. */
  readonly contents?: RecordContents | undefined
  /** Input partitions that are not read to an end, with the next offset to read and that end, where it is known. */
  readonly inputs?: readonly UnreadInput[] | undefined
  /** Why records were dropped. */
  readonly reason?: string | undefined
  /** How many records were dropped. */
  readonly records?: number | undefined
}

/** An input partition that is not read to its end. */
export interface UnreadInput {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly endOffset: number | undefined
}

/** The fields of a fault: its code, its place and the contents, which the log leaves out without `logRecordContents`. */
export const fieldsOf = ({ code, place, contents }: Fault): EventFields => ({ code, ...place, contents })

/**
 * The life of an application: `starting` → `rebalancing` ⇄ `running` ⇄ `paused` → `closing` → `closed`; or `failed`,
 * from which there is no way back but a new start.
 */
export type ApplicationState =
  | 'starting'
  | 'rebalancing'
  | 'running'
  | 'paused'
  | 'closing'
  | 'closed'
  | 'failed'
