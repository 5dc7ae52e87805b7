import type { OptionShape } from '../base/options.ts'
import { count, durationMs, flag, wholeNumber } from '../base/value-kinds.ts'

/**
 * The broker settings that may be changed, under Kafka's names in camel case and with Kafka's defaults, but for
 * `groupInitialRebalanceDelayMs`: Kafka waits 3 s for more members, a development broker does not.
 */
export interface BrokerSettings {
  /** `auto.create.topics.enable`: whether asking for an unknown topic creates it. Off: a typo is an error. */
  readonly autoCreateTopicsEnable: boolean
  /** `num.partitions`: of topics that are created without a number. */
  readonly numPartitions: number
  /** `connections.max.idle.ms`: a connection without traffic for so long is closed, also in the middle of a request. */
  readonly connectionsMaxIdleMs: number
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMinSessionTimeoutMs: number
  readonly groupMaxSessionTimeoutMs: number
  readonly offsetMetadataMaxBytes: number
  readonly transactionMaxTimeoutMs: number
  /** How often transactions that are older than their timeout are looked for and aborted. */
  readonly transactionAbortTimedOutTransactionCleanupIntervalMs: number
  /** How long after the decision the markers of a transaction are written; until then its id is busy. */
  readonly transactionMarkerDelayMs: number
  /** The feature `transaction.version` that is advertised: 0 makes clients use TV1, 2 (as a fresh Kafka 4) TV2. */
  readonly transactionVersion: 0 | 2
}

export const DEFAULT_SETTINGS: BrokerSettings = {
  autoCreateTopicsEnable: false,
  numPartitions: 1,
  connectionsMaxIdleMs: 600000,
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 6000,
  groupMaxSessionTimeoutMs: 1800000,
  offsetMetadataMaxBytes: 4096,
  transactionMaxTimeoutMs: 900000,
  transactionAbortTimedOutTransactionCleanupIntervalMs: 10000,
  transactionMarkerDelayMs: 0,
  transactionVersion: 2,
}

export const settingsShape: OptionShape<Partial<BrokerSettings>> = {
  autoCreateTopicsEnable: flag,
  numPartitions: count,
  connectionsMaxIdleMs: durationMs,
  groupInitialRebalanceDelayMs: durationMs,
  groupMinSessionTimeoutMs: durationMs,
  groupMaxSessionTimeoutMs: durationMs,
  offsetMetadataMaxBytes: wholeNumber,
  transactionMaxTimeoutMs: durationMs,
  transactionAbortTimedOutTransactionCleanupIntervalMs: durationMs,
  transactionMarkerDelayMs: durationMs,
  transactionVersion: { needs: '0 or 2', accepts: (value) => value === 0 || value === 2 },
}

/** The settings as Kafka names and writes them. */
export const brokerConfigs = (settings: BrokerSettings): [string, string][] =>
  Object.entries(settings).map(([name, value]) => [
    name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`),
    String(value),
  ])
