import type { Headers } from '../topic/headers.ts'
import type { RawRegion, RecordOrigin, StreamRecord } from '../topic/record.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Windowed } from '../topic/windowed.ts'

/**
 * The ports of state. Interpreters and processors speak to typed stores; a task speaks to their life cycle; where the
 * bytes lie (memory, LMDB) is an implementation's own matter, and one contract suite holds all of them to this page.
 *
 * A store belongs to one task and is used by one thread, so everything here is synchronous.
 */

/** Receives what a store owes its changelog topic, in order. */
export interface ChangelogSink {
  append(store: string, key: Bytes, value: Bytes | null, timestamp: number, headers?: Headers): void
  /** The same for bytes that stand among others, and are lent until this returns: no view is made of them. */
  appendRegions?(
    store: string,
    key: RawRegion,
    value: RawRegion | null,
    timestamp: number,
    headers?: Headers,
  ): void
}

/**
 * The life of a store, as its task drives it:
 * `restore` (any number of times) → use → `flush` (what changed since the last flush goes to the changelog sink, last
 * value per key where the kind allows) → once the broker has it, `persist(changelogOffset)` → … → `close`.
 * A crash between the two loses nothing: the changelog is the truth and is restored from `changelogOffset()` on.
 */
export interface StateStore {
  readonly name: string
  /**
   * True where the changelog's last record of a key says all about it, so that older ones need not be restored.
   *
   * @internal
   */
  readonly keepsLatest: boolean
  /**
   * Hands everything unflushed to the changelog sink.
   *
   * @internal
   */
  flush(): void
  /**
   * What was flushed before now is committed up to this offset of the changelog; a durable store writes it down.
   *
   * @internal
   */
  persist(changelogOffset: number): void
  /**
   * The next changelog offset to restore from: 0 for an empty store.
   *
   * @internal
   */
  changelogOffset(): number
  /**
   * Makes ready for a walk over keys, or over times, until `isOver`; true once the store is ready. Without it, the first walk
   * sorts the rows in memory at once.
   *
   * @internal
   */
  prepareWalk?(isOver: () => boolean, plan: WalkPlan): boolean
  /**
   * Applies a batch of the changelog.
   *
   * @internal
   */
  restore(columns: RecordColumns): void
  /** @internal */
  close(): void
}

/** Where a walk over times begins, and how many rows it needs. */
export interface WalkPlan {
  readonly fromMs?: number | undefined
  readonly rowCount: number
}

/** A value and its timestamp, in milliseconds since the Unix epoch. */
export interface ValueAndTimestamp<out V> {
  readonly value: V
  readonly timestamp: number
}

/** Options of a read of several rows. */
export interface RangeOptions {
  /** From the largest key down. */
  readonly reverse?: boolean
}

/** Read access to a key-value store. Ranges go by the order of the serialised keys; both bounds are inclusive. */
export interface ReadOnlyKeyValueStore<K, V> {
  get(key: K): V | null
  range(from: K | undefined, to: K | undefined, options?: RangeOptions): IterableIterator<readonly [K, V]>
  /** The entries whose serialised key starts with these bytes; only those behind `after` where it is given. */
  prefix(prefix: Bytes, after?: K): IterableIterator<readonly [K, V]>
  all(options?: RangeOptions): IterableIterator<readonly [K, V]>
  approximateCount(): number
}

/** Latest value by key, without times. */
export interface KeyValueStore<K, V> extends ReadOnlyKeyValueStore<K, V>, StateStore {
  /** A null value deletes. `timestamp` and `headers` go to the changelog record. */
  put(key: K, value: V | null, timestamp: number, headers?: Headers): void
}

/** Latest value and its time by key. */
export interface TimestampedKeyValueStore<K, V>
  extends ReadOnlyKeyValueStore<K, ValueAndTimestamp<V>>, StateStore {
  /** A null value deletes; `timestamp` is then that of the deletion. `headers` go to the changelog record. */
  put(key: K, value: V | null, timestamp: number, headers?: Headers): void
  /**
   * Puts the value of a record of which these are the bytes, by the store's own serde: they need no other look.
   *
   * @internal
   */
  putAsRead?(key: K, value: V, bytes: RawRegion, timestamp: number): void
}

/** A version of a value: when it became valid and when it ceased to be, in milliseconds since the Unix epoch. */
export interface VersionedRecord<out V> extends ValueAndTimestamp<V> {
  /** When the next version took over; undefined for the latest. */
  readonly validToMs: number | undefined
}

/** A store of every version of each row within its history retention (Kafka Streams' `VersionedKeyValueStore`). */
export interface VersionedStore<K, V> extends StateStore {
  /**
   * Adds a version; null marks a deletion as of that time. Returns when the next version takes over (`latest` where
   * this one is the newest), or `refused` where it is older than the history kept.
   */
  put(key: K, value: V | null, timestamp: number): number | 'latest' | 'refused'
  get(key: K): VersionedRecord<V> | null
  /** The version that held at `asOfMs`; null where none did, or where it lies beyond the history kept. */
  get(key: K, asOfMs: number): VersionedRecord<V> | null
  versions(key: K, fromMs?: number, toMs?: number): IterableIterator<VersionedRecord<V>>
  /** The latest versions of the keys from one to another, both inclusive, by serialised key. */
  range(
    from: K | undefined,
    to: K | undefined,
    options?: RangeOptions,
  ): IterableIterator<readonly [K, VersionedRecord<V>]>
  /** The latest versions of all keys, by serialised key. */
  all(): IterableIterator<readonly [K, VersionedRecord<V>]>
}

/** A row of a window store: the start of its window, its value and its timestamp, in milliseconds. */
export interface WindowEntry<out V> extends ValueAndTimestamp<V> {
  readonly startMs: number
}

/** A store whose rows expire by time. */
export interface ExpiringStore extends StateStore {
  /**
   * Rows expire as if no time after `timeMs` had been put: a slow reader still needs them. `-Infinity` lets none expire.
   * Called again whenever the reader has moved on.
   */
  holdTime(timeMs: number): void
}

/**
 * One timestamped value by key and window start. A window whose start is `retentionMs` or more behind the largest start
 * ever put is gone: it is neither found nor accepted.
 */
export interface WindowStore<K, V> extends StateStore {
  readonly windowSizeMs: number
  /** Returns false where the window is already past retention, and nothing was kept. */
  put(key: K, value: V | null, startMs: number, timestamp: number): boolean
  fetch(key: K, startMs: number): ValueAndTimestamp<V> | null
  /** The windows of one key with starts from `fromMs` to `toMs`, both inclusive, by start. Costs what it returns. */
  fetchRange(key: K, fromMs: number, toMs: number, options?: RangeOptions): IterableIterator<WindowEntry<V>>
  /**
   * The windows of every key with starts from `fromMs` to `toMs`, ordered by start, then by serialised key; only those
   * behind `after` where it is given.
   */
  fetchAll(
    fromMs: number,
    toMs: number,
    after?: Windowed<K>,
  ): IterableIterator<readonly [Windowed<K>, ValueAndTimestamp<V>]>
  all(): IterableIterator<readonly [Windowed<K>, ValueAndTimestamp<V>]>
}

export interface JoinEntry<out V> {
  readonly value: V
  readonly timestamp: number
}

/** Called with a stored value that cannot be read: as the record it was, and where that was read if it is known. */
export type OnUndecodable = (
  record: StreamRecord<unknown, unknown>,
  origin: RecordOrigin | undefined,
  error: unknown,
) => void

/**
 * Every value by key and time; equal keys and times are kept side by side, in the order they were put. Values are kept
 * as bytes: those a record was read with, where its serdes are the store's, so that putting it decodes nothing.
 */
export interface JoinWindowStore<K, V> extends StateStore {
  /** A value already past retention is not kept. */
  put(key: K, value: V | null, timestamp: number, headers?: Headers): void
  putRecord(record: StreamRecord<K, V | null>): void
  /** Values of one key with times from `fromMs` to `toMs`, both inclusive, by time. Costs what it returns. */
  fetch(key: K, fromMs: number, toMs: number): readonly JoinEntry<V>[]
  /** The same for the key of a record; a value that cannot be read is reported and left out, or thrown. */
  fetchFor(
    record: StreamRecord<K, unknown>,
    fromMs: number,
    toMs: number,
    onUndecodable?: OnUndecodable,
  ): readonly JoinEntry<V>[]
  all(): IterableIterator<readonly [K, JoinEntry<V>]>
}

/**
 * One value by key and session bounds. A session whose end is `retentionMs` or more behind the largest end ever put is
 * gone.
 */
export interface SessionStore<K, V> extends StateStore {
  /**
   * A null value removes the session. `timestamp` goes to the changelog record. Returns false where the session is already
   * past retention, and nothing was kept.
   */
  put(session: Windowed<K>, value: V | null, timestamp: number): boolean
  fetch(key: K, startMs: number, endMs: number): V | null
  /** Sessions of one key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier, by end. */
  findSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
  ): IterableIterator<readonly [Windowed<K>, V]>
  /**
   * Sessions of every key that end from `earliestEndMs` to `latestEndMs`, by end, then start, then serialised key. What
   * the last move of time expired is still found here, so that a step that emits closed sessions after each put misses none.
   */
  findByEnd(earliestEndMs: number, latestEndMs: number): IterableIterator<readonly [Windowed<K>, V]>
  /** The same without what has expired; only those behind `after` where it is given. */
  fetchAll(
    earliestEndMs: number,
    latestEndMs: number,
    after?: Windowed<K>,
  ): IterableIterator<readonly [Windowed<K>, V]>
  all(): IterableIterator<readonly [Windowed<K>, V]>
}
