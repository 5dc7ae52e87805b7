import type { Observable } from 'rxjs'
import { map } from 'rxjs'
import type { ValueAndTimestamp, VersionedRecord, WindowEntry } from '../../state/store.ts'
import type { StoreQuery } from '../../state/store-query.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { windowed } from '../../topic/windowed.ts'
import { utf8Encode } from '../../base/bytes.ts'
import type { OptionShape } from '../../base/options.ts'
import { checkOptions } from '../../base/options.ts'
import { flag, oneOf } from '../../base/value-kinds.ts'
import type { StoreReader } from './store-reader.ts'
import type { ReadRow } from './read-row.ts'

/** Rows as they are read, a page at a time. Stopping early costs nothing. */
export type Rows<T> = AsyncGenerator<T, void>

/** Options of a read of several rows. */
export interface ReadOptions {
  /** From the largest key down. */
  readonly reverse?: boolean
}

/**
 * Read access to a key-value store from outside. Ranges go partition by partition, and in each by the order of the
 * serialised keys; both bounds are inclusive.
 */
export interface KeyValueView<K, V> {
  get(key: K): Promise<V | null>
  range(from: K | undefined, to: K | undefined, options?: ReadOptions): Rows<readonly [K, V]>
  /** Keys whose bytes begin with these, or with this text. */
  prefix(prefix: string | Uint8Array): Rows<readonly [K, V]>
  all(options?: ReadOptions): Rows<readonly [K, V]>
  /**
   * What changes in the store, whichever process has the key: each key with its new value, or with null where it was
   * deleted. It is read from the changelog of the store, committed records alone, in the order of each partition; of a
   * key that changed several times between two commits, the changelog has the last change.
   * `from: 'beginning'` begins with the rows that the changelog holds. Each subscription has connections of its own and
   * closes them when it ends.
   *
   * @example
   * const counts = application.queries.tableStore<string, number>('orders-by-customer')
   * counts.changes().subscribe(([customer, row]) => console.log(customer, row?.value ?? 'deleted'))
   */
  changes(options?: ChangesOptions): Observable<readonly [K, V | null]>
}

/** How the changes of a store are observed. */
export interface ChangesOptions {
  /** Defaults to `latest`: changes from now on. */
  readonly from?: 'beginning' | 'latest'
}

/** Read access to the versions of each key. */
export interface VersionedView<K, V> {
  /** The latest version, or the one that held as of a time. */
  get(key: K, asOfMs?: number): Promise<VersionedRecord<V> | null>
  versions(key: K, fromMs?: number, toMs?: number): Rows<VersionedRecord<V>>
  /** The latest versions of the keys. */
  range(from: K | undefined, to: K | undefined, options?: ReadOptions): Rows<readonly [K, VersionedRecord<V>]>
  all(options?: ReadOptions): Rows<readonly [K, VersionedRecord<V>]>
}

/** Read access to windows. */
export interface WindowView<K, V> {
  /** The window of a key that starts at this very time. */
  get(key: K, startMs: number): Promise<ValueAndTimestamp<V> | null>
  /** The windows of a key with starts from one time to another, both inclusive, by start. */
  fetch(key: K, fromMs?: number, toMs?: number): Rows<WindowEntry<V>>
  /** The windows of every key with starts from one time to another; in each partition by start, then by key. */
  fetchAll(fromMs?: number, toMs?: number): Rows<readonly [Windowed<K>, ValueAndTimestamp<V>]>
  all(): Rows<readonly [Windowed<K>, ValueAndTimestamp<V>]>
}

/** Read access to sessions. */
export interface SessionView<K, V> {
  /** The sessions of a key that end at `fromMs` or later and start at `toMs` or earlier, by end. */
  fetch(key: K, fromMs?: number, toMs?: number): Rows<readonly [Windowed<K>, V]>
  /** The sessions of every key that end from one time to another; in each partition by end, start and key. */
  fetchAll(earliestEndMs?: number, latestEndMs?: number): Rows<readonly [Windowed<K>, V]>
  all(): Rows<readonly [Windowed<K>, V]>
}

const readOptions: OptionShape<ReadOptions> = { reverse: flag }
const changesOptions: OptionShape<ChangesOptions> = { from: oneOf('beginning', 'latest') }

export const keyValueView = <K, V>(reader: StoreReader<K, V>): KeyValueView<K, V> =>
  viewOfRows(reader, ({ value }) => value)

export const tableView = <K, V>(reader: StoreReader<K, V>): KeyValueView<K, ValueAndTimestamp<V>> =>
  viewOfRows(reader, timed)

export const versionedView = <K, V>(reader: StoreReader<K, V>): VersionedView<K, V> => {
  const latest = viewOfRows(reader, version)
  return {
    get: async (key, asOfMs) => {
      const row = await reader.first(key, { kind: 'get', key: reader.keyBytes(key), asOfMs })
      return row === null ? null : version(row)
    },
    versions: async function* (key, fromMs, toMs) {
      const query: StoreQuery = { kind: 'key', key: reader.keyBytes(key), ...times(fromMs, toMs) }
      for await (const row of reader.ofKey(key, query)) yield version(row)
    },
    range: (from, to, options) => latest.range(from, to, options),
    all: (options) => latest.all(options),
  }
}

export const windowView = <K, V>(reader: StoreReader<K, V>): WindowView<K, V> => {
  const fetch = async function* (key: K, fromMs?: number, toMs?: number): Rows<WindowEntry<V>> {
    const query: StoreQuery = { kind: 'key', key: reader.keyBytes(key), ...times(fromMs, toMs) }
    for await (const row of reader.ofKey(key, query)) yield { startMs: row.startMs as number, ...timed(row) }
  }
  const fetchAll: WindowView<K, V>['fetchAll'] = async function* (fromMs, toMs) {
    for await (const row of reader.ofAll({ kind: 'time', ...times(fromMs, toMs) }))
      yield [windowOf(row), timed(row)]
  }
  return {
    get: async (key, startMs) => {
      const query: StoreQuery = { kind: 'key', key: reader.keyBytes(key), ...times(startMs, startMs) }
      const row = await reader.first(key, query)
      return row === null ? null : timed(row)
    },
    fetch,
    fetchAll,
    all: () => fetchAll(),
  }
}

export const sessionView = <K, V>(reader: StoreReader<K, V>): SessionView<K, V> => {
  const fetchAll: SessionView<K, V>['fetchAll'] = async function* (earliestEndMs, latestEndMs) {
    const query: StoreQuery = { kind: 'time', ...times(earliestEndMs, latestEndMs) }
    for await (const row of reader.ofAll(query)) yield [windowOf(row), row.value]
  }
  return {
    fetch: async function* (key, fromMs, toMs) {
      const query: StoreQuery = { kind: 'key', key: reader.keyBytes(key), ...times(fromMs, toMs) }
      for await (const row of reader.ofKey(key, query)) yield [windowOf(row), row.value]
    },
    fetchAll,
    all: () => fetchAll(),
  }
}

const viewOfRows = <K, V, R>(
  reader: StoreReader<K, V>,
  valueOf: (row: ReadRow<K, V>) => R,
): KeyValueView<K, R> => {
  const rows = async function* (query: StoreQuery): Rows<readonly [K, R]> {
    for await (const row of reader.ofAll(query)) yield [row.key, valueOf(row)]
  }
  const bytesOf = (key: K | undefined): Uint8Array | undefined =>
    key === undefined ? undefined : reader.keyBytes(key)
  const range: KeyValueView<K, R>['range'] = (from, to, options = {}) => {
    checkOptions('range', options, readOptions)
    return rows({ kind: 'range', from: bytesOf(from), to: bytesOf(to), reverse: options.reverse })
  }
  return {
    get: async (key) => {
      const row = await reader.first(key, { kind: 'get', key: reader.keyBytes(key) })
      return row === null ? null : valueOf(row)
    },
    range,
    prefix: (prefix) =>
      rows({ kind: 'prefix', prefix: typeof prefix === 'string' ? utf8Encode(prefix) : prefix }),
    all: (options) => range(undefined, undefined, options),
    changes: (options = {}) => {
      checkOptions('changes', options, changesOptions)
      return reader
        .changes(options.from ?? 'latest')
        .pipe(
          map(({ key, value, timestamp }) => [
            key,
            value === null ? null : valueOf({ key, value, timestamp }),
          ]),
        )
    },
  }
}

const timed = <V>({ value, timestamp }: ReadRow<unknown, V>): ValueAndTimestamp<V> => ({
  value,
  timestamp: timestamp as number,
})

const version = <V>({ value, timestamp, validToMs }: ReadRow<unknown, V>): VersionedRecord<V> => ({
  value,
  timestamp: timestamp as number,
  validToMs,
})

const windowOf = <K>({ key, startMs, endMs }: ReadRow<K, unknown>): Windowed<K> =>
  windowed(key, startMs as number, endMs as number)

/** Infinities are what is left out anyway, and no JSON. */
const times = (
  fromMs: number | undefined,
  toMs: number | undefined,
): { readonly fromMs: number | undefined; readonly toMs: number | undefined } => ({
  fromMs: finite(fromMs),
  toMs: finite(toMs),
})

const finite = (timeMs: number | undefined): number | undefined =>
  timeMs !== undefined && Number.isFinite(timeMs) ? timeMs : undefined
