import type { AnySerde } from '../topic/serde.ts'
import type { Position } from './graph.ts'
import type { MaybeStored, StoreOptions, TableStoreOptions } from './options.ts'

/** What every store definition takes over from its options. */
export const storeBase = (
  at: Position,
  options: StoreOptions,
  value: AnySerde | undefined = at.value,
): {
  readonly name: string
  readonly key: AnySerde
  readonly value: AnySerde
  readonly changelog: boolean
  readonly storage: 'memory' | 'disk'
} => ({
  name: options.store,
  key: at.graph.keySerde(at.key),
  value: at.graph.valueSerde(value, `store '${options.store}'`),
  changelog: options.changelog ?? true,
  storage: options.storage ?? 'disk',
})

/** A store of the latest value and its time by key: what a table is kept in. */
export const addKeyValueStore = (at: Position, options: StoreOptions, value?: AnySerde): string =>
  at.graph.addStore({ kind: 'keyValue', timestamped: true, ...storeBase(at, options, value ?? at.value) })

/** The store of a table: of its latest rows, or of their versions too. */
export const addTableStore = (at: Position, options: TableStoreOptions): string => {
  const { versioned } = options
  if (versioned === undefined) return addKeyValueStore(at, options)
  const { historyRetention: historyRetentionMs } = versioned
  return at.graph.addStore({ kind: 'versioned', historyRetentionMs, ...storeBase(at, options) })
}

/** Adds a table's store where one is named. */
export const keep = (at: Position, options: MaybeStored): string | undefined =>
  options.store === undefined ? undefined : addTableStore(at, { ...options, store: options.store })
