import type { TimestampedKeyValueStore, ValueAndTimestamp, VersionedStore } from '../../state/store.ts'
import type { AnySerde } from '../../topic/serde.ts'
import type { AnyRecord } from '../../topology/node.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import { storedTimeOf } from './coalesced-updates.ts'

/** What became of a row that was put: `older` and `refused` are only said by versioned stores. */
type PutResult = 'latest' | 'older' | 'refused'

/**
 * The rows of one table, whichever kind of store keeps them. A plain store takes every update as the newest; a versioned
 * one files it under its time, and refuses what is older than its history.
 */
export interface TableStore {
  readonly view: TableView
  get(key: unknown): ValueAndTimestamp<unknown> | null
  /** A refused update is counted as dropped. */
  put(record: AnyRecord, value: unknown, timestamp?: number): PutResult
  /** Puts the record's own value. */
  putRecord(record: AnyRecord): PutResult
}

/** The store of a table node, by the store's name. */
export const tableStore = (context: NodeContext, node: string, name: string): TableStore =>
  context.topology.stores.some((store) => store.name === name && store.kind === 'versioned')
    ? versionedTableStore(context, node, context.store<VersionedStore<unknown, unknown>>(name))
    : plainTableStore(
        context.store<TimestampedKeyValueStore<unknown, unknown>>(name),
        context.topology.stores.find((store) => store.name === name)?.value,
      )

const plainTableStore = (
  store: TimestampedKeyValueStore<unknown, unknown>,
  serde: AnySerde | undefined,
): TableStore => ({
  view: { get: (key) => store.get(key) },
  get: (key) => store.get(key),
  put: (record, value, timestamp = record.timestamp) => {
    store.put(record.key, value, storedTimeOf(record, value, timestamp))
    return 'latest'
  },
  putRecord: (record) => {
    const { key, value = null, timestamp } = record
    const bytes = value === null || serde === undefined ? undefined : record.rawValue(serde)
    if (bytes === undefined || store.putAsRead === undefined) store.put(key, value, timestamp)
    else store.putAsRead(key, value, bytes, timestamp)
    return 'latest'
  },
})

const versionedTableStore = (
  context: NodeContext,
  node: string,
  store: VersionedStore<unknown, unknown>,
): TableStore => {
  const put: TableStore['put'] = (record, value, timestamp = record.timestamp) => {
    const result = store.put(record.key, value, timestamp)
    if (result === 'refused') context.drop('expired', node, record)
    return typeof result === 'number' ? 'older' : result
  }
  return {
    view: {
      versioned: true,
      get: (key) => store.get(key),
      getAsOf: (key, asOfMs) => store.get(key, asOfMs),
    },
    get: (key) => store.get(key),
    put,
    putRecord: (record) => put(record, record.value ?? null),
  }
}
