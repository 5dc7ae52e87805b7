import type { AnySerde } from '../topic/serde.ts'

/**
 * The stores a topology asks for, as data. A name reaches the disk and the changelog topic
 * (`<application>-<name>-changelog`), so its author gives it.
 */
export type StoreDefinition =
  | KeyValueStoreDefinition
  | VersionedStoreDefinition
  | WindowStoreDefinition
  | JoinWindowStoreDefinition
  | SessionStoreDefinition

/** What every store definition has. */
export interface StoreBase {
  readonly name: string
  readonly key: AnySerde
  readonly value: AnySerde
  /** False for a store that a restart may lose. */
  readonly changelog: boolean
  /** `disk` keeps a durable copy beside the changelog; `memory` restores from the changelog alone. */
  readonly storage: 'memory' | 'disk'
  /**
   * Topic that serves as the changelog in place of one of its own (a table's source under optimisation).
   *
   * @internal
   */
  readonly changelogTopic?: string | undefined
}

/** Latest value by key. `timestamped` keeps the time of the value beside it (what the DSL's tables use). */
export interface KeyValueStoreDefinition extends StoreBase {
  readonly kind: 'keyValue'
  readonly timestamped: boolean
  /**
   * True of a value that another store took before, so that a put does not check again whether it can be written.
   *
   * @internal
   */
  readonly isKnownWritable?: (value: unknown) => boolean
}

/** Every value by key and time, for look-ups as of a time, up to `historyRetentionMs` behind the newest. */
export interface VersionedStoreDefinition extends StoreBase {
  readonly kind: 'versioned'
  readonly historyRetentionMs: number
}

/** Aggregates that leave when time has moved on. */
export interface RetainedStore extends StoreBase {
  readonly retentionMs: number
  /** What the changelog goes by, where the store keeps its rows a little longer. */
  readonly changelogRetentionMs?: number | undefined
}

/** One timestamped aggregate by key and window start. */
export interface WindowStoreDefinition extends RetainedStore {
  readonly kind: 'window'
  readonly windowSizeMs: number
}

/** Every value of a stream by key and time, several at one time too: one side of a stream-stream join. */
export interface JoinWindowStoreDefinition extends StoreBase {
  readonly kind: 'joinWindow'
  readonly windowSizeMs: number
  readonly retentionMs: number
}

/** One aggregate by key and session bounds. */
export interface SessionStoreDefinition extends RetainedStore {
  readonly kind: 'session'
}
