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
  readonly inputBufferMaxBytes: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly groupInstanceId?: string | undefined
  readonly standbyReplicas: number
  readonly acceptableRecoveryLag: number
  readonly maxWarmupReplicas: number
  readonly probingRebalanceIntervalMs: number
  readonly applicationServer?: string | undefined
  readonly idleAdvanceMs?: number | undefined
  readonly replicationFactor: number
  readonly repartitionPurgeIntervalMs: number
  readonly deliveryTimeoutMs: number
  readonly lingerMs: number
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly deadLetterTopic?: string | undefined
}

/** Where the runtime tells what it does; a log line each, for people. */
export interface RuntimeListener {
  readonly onState?: (state: ApplicationState) => void
  readonly onWarning?: (message: string) => void
  readonly onRestore?: (progress: RestoreProgress) => void
}

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
