import type { Bytes } from '../base/bytes.ts'
import { bytesEqual, copyBytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { deserializeAll, serialized } from '../topic/serde.ts'
import type { Serde } from '../topic/serde.ts'
import { windowed } from '../topic/windowed.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type {
  KeyValueStore,
  ReadOnlyKeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  VersionedRecord,
  VersionedStore,
  WalkPlan,
  WindowStore,
} from './store.ts'
import type { PageRequest, RowPlace, StorePage, StoreQuery, StoreRow } from './store-query.ts'

/**
 * Reads one page of a store: at most `limit` rows behind `after`, and where the next page begins. Large rows end a page
 * early, so that it has a bound in bytes too.
 */
export const readPage = (
  store: StateStore,
  definition: StoreDefinition,
  { query, limit, after }: Pick<PageRequest, 'query' | 'limit' | 'after'>,
): StorePage => {
  const rows: StoreRow[] = []
  let bytes = 0
  for (const row of rowsOf(store, definition, query, after)) {
    if (rows.length === limit || bytes >= pageBytes)
      return { rows, after: placeOf(definition, rows.at(-1) as StoreRow) }
    rows.push(row)
    bytes += row.key.length + row.value.length
  }
  return { rows }
}

/** What a store has to put in order for a page; undefined for a page of one key. */
export const walkPlanOf = ({ query, limit, after }: PageRequest): WalkPlan | undefined => {
  if (query.kind === 'range' || query.kind === 'prefix') return { rowCount: limit }
  return query.kind === 'time' ? { fromMs: after?.time ?? query.fromMs, rowCount: limit + 1 } : undefined
}

/** A page ends behind the row that reaches this. */
const pageBytes = 1024 * 1024

type Row = Omit<StoreRow, 'key' | 'value'> & { readonly key: unknown; readonly value: unknown }

function* rowsOf(
  store: StateStore,
  definition: StoreDefinition,
  query: StoreQuery,
  after: RowPlace | undefined,
): Generator<StoreRow, void> {
  const key = definition.key as unknown as Serde<unknown>
  const value = definition.value as unknown as Serde<unknown>
  // A copy: a serde may hand its own memory out, and the page outlives the read.
  const bytesOf = (serde: Serde<unknown>, it: unknown): Bytes => copyBytes(serialized(serde, it as never))
  for (const row of typedRows(store, definition, query, after))
    yield { ...row, key: bytesOf(key, row.key), value: bytesOf(value, row.value) }
}

const typedRows = (
  store: StateStore,
  definition: StoreDefinition,
  query: StoreQuery,
  after: RowPlace | undefined,
): Iterable<Row> => {
  const read = readerOf(definition)
  switch (definition.kind) {
    case 'keyValue':
      return definition.timestamped
        ? keyValueRows(store as TimestampedKeyValueStore<unknown, unknown>, timed, query, after, read)
        : keyValueRows(store as KeyValueStore<unknown, unknown>, untimed, query, after, read)
    case 'versioned':
      return versionedRows(store as VersionedStore<unknown, unknown>, query, after, read)
    case 'window':
      return windowRows(store as WindowStore<unknown, unknown>, query, after, read)
    case 'session':
      return sessionRows(store as SessionStore<unknown, unknown>, query, after, read)
    case 'joinWindow':
      throw unsuitable(definition, query)
  }
}

interface Reader {
  readonly key: (bytes: Bytes) => unknown
  readonly optional: (bytes: Bytes | undefined) => unknown
  readonly bytes: (key: unknown) => Bytes
  readonly unsuitable: (query: StoreQuery) => Fault
}

const readerOf = (definition: StoreDefinition): Reader => {
  const serde = definition.key as unknown as Serde<unknown>
  return {
    key: (bytes) => deserializeAll(serde, bytes),
    optional: (bytes) => (bytes === undefined ? undefined : deserializeAll(serde, bytes)),
    bytes: (key) => serialized(serde, key as never),
    unsuitable: (query) => unsuitable(definition, query),
  }
}

const timed = ({ value, timestamp }: ValueAndTimestamp<unknown>): Omit<Row, 'key'> => ({ value, timestamp })
const untimed = (value: unknown): Omit<Row, 'key'> => ({ value })
const version = ({ value, timestamp, validToMs }: VersionedRecord<unknown>): Omit<Row, 'key'> => ({
  value,
  timestamp,
  validToMs,
})

function* keyValueRows<V>(
  store: ReadOnlyKeyValueStore<unknown, V>,
  rowOf: (value: V) => Omit<Row, 'key'>,
  query: StoreQuery,
  after: RowPlace | undefined,
  read: Reader,
): Generator<Row, void> {
  if (query.kind === 'get') {
    const key = read.key(query.key)
    const value = store.get(key)
    if (value !== null && query.asOfMs === undefined) yield { key, ...rowOf(value) }
    if (query.asOfMs !== undefined) throw read.unsuitable(query)
  } else if (query.kind === 'range') {
    for (const [key, value] of behind(rangeOf(store, query, after, read), after, read))
      yield { key, ...rowOf(value) }
  } else if (query.kind === 'prefix') {
    for (const [key, value] of store.prefix(query.prefix, read.optional(after?.key)))
      yield { key, ...rowOf(value) }
  } else throw read.unsuitable(query)
}

function* versionedRows(
  store: VersionedStore<unknown, unknown>,
  query: StoreQuery,
  after: RowPlace | undefined,
  read: Reader,
): Generator<Row, void> {
  if (query.kind === 'get') {
    const key = read.key(query.key)
    const record = query.asOfMs === undefined ? store.get(key) : store.get(key, query.asOfMs)
    if (record !== null) yield { key, ...version(record) }
  } else if (query.kind === 'key') {
    const key = read.key(query.key)
    for (const record of store.versions(key, query.fromMs, query.toMs))
      if (after === undefined || record.timestamp > (after.time as number)) yield { key, ...version(record) }
  } else if (query.kind === 'range') {
    for (const [key, record] of behind(rangeOf(store, query, after, read), after, read))
      yield { key, ...version(record) }
  } else throw read.unsuitable(query)
}

function* windowRows(
  store: WindowStore<unknown, unknown>,
  query: StoreQuery,
  after: RowPlace | undefined,
  read: Reader,
): Generator<Row, void> {
  const { windowSizeMs } = store
  if (query.kind === 'key') {
    const key = read.key(query.key)
    const fromMs = after === undefined ? (query.fromMs ?? -Infinity) : (after.time as number) + 1
    for (const { startMs, value, timestamp } of store.fetchRange(key, fromMs, query.toMs ?? Infinity))
      yield { key, value, timestamp, startMs, endMs: startMs + windowSizeMs }
  } else if (query.kind === 'time') {
    const last = after && windowed(read.key(after.key), after.time as number, Infinity)
    const entries = store.fetchAll(query.fromMs ?? -Infinity, query.toMs ?? Infinity, last)
    for (const [{ key, startMs, endMs }, { value, timestamp }] of entries)
      yield { key, value, timestamp, startMs, endMs }
  } else throw read.unsuitable(query)
}

function* sessionRows(
  store: SessionStore<unknown, unknown>,
  query: StoreQuery,
  after: RowPlace | undefined,
  read: Reader,
): Generator<Row, void> {
  if (query.kind !== 'key' && query.kind !== 'time') throw read.unsuitable(query)
  const { fromMs = -Infinity, toMs = Infinity } = query
  const last = after && windowed(read.key(after.key), after.second as number, after.time as number)
  const sessions =
    query.kind === 'time'
      ? store.fetchAll(fromMs, toMs, last)
      : store.findSessions(read.key(query.key), Math.max(fromMs, last?.endMs ?? -Infinity), toMs)
  for (const [{ key, startMs, endMs }, value] of sessions)
    if (last === undefined || query.kind === 'time' || isBehind({ startMs, endMs }, last))
      yield { key, value, startMs, endMs }
}

const isBehind = (
  session: { readonly startMs: number; readonly endMs: number },
  last: { readonly startMs: number; readonly endMs: number },
): boolean => session.endMs > last.endMs || (session.endMs === last.endMs && session.startMs > last.startMs)

/** The range from where the last page ended. */
const rangeOf = <V>(
  store: Pick<ReadOnlyKeyValueStore<unknown, V>, 'range'>,
  { from, to, reverse = false }: Extract<StoreQuery, { kind: 'range' }>,
  after: RowPlace | undefined,
  read: Reader,
): Iterable<readonly [unknown, V]> =>
  reverse
    ? store.range(read.optional(from), read.optional(after?.key ?? to), { reverse })
    : store.range(read.optional(after?.key ?? from), read.optional(to))

/** Leaves out the row that the last page ended with; it can only be the first. */
function* behind<V>(
  entries: Iterable<readonly [unknown, V]>,
  after: RowPlace | undefined,
  read: Reader,
): Generator<readonly [unknown, V], void> {
  let isFirst = after !== undefined
  for (const entry of entries) {
    if (!isFirst || !bytesEqual(read.bytes(entry[0]), after?.key)) yield entry
    isFirst = false
  }
}

const placeOf = ({ kind }: StoreDefinition, { key, timestamp, startMs, endMs }: StoreRow): RowPlace => {
  if (kind === 'window') return { key, time: startMs }
  if (kind === 'session') return { key, time: endMs, second: startMs }
  return { key, time: timestamp }
}

const unsuitable = ({ name, kind }: StoreDefinition, query: StoreQuery): Fault =>
  new Fault({
    code: 'STORE_KIND',
    actor: 'author',
    message: `a ${kind} store can't answer a query of kind ${query.kind}${
      query.kind === 'get' && query.asOfMs !== undefined ? ' as of a time' : ''
    }`,
    remedy: 'ask as the kind of store allows: docs/queries.md',
    place: { store: name },
  })
