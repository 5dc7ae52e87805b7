import type { Windowed } from 'millrace'
import type {
  JoinWindowStore,
  ReadOnlyKeyValueStore,
  SessionStore,
  StateStore,
  ValueAndTimestamp,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import type { Datum } from './functions.ts'
import type { Key, StoreRow, Value } from './scenario.ts'

/** Where a versioned store is looked into: scenarios list what look-ups at every piped time return. */
export interface Probes {
  readonly keys: readonly Key[]
  readonly timestamps: readonly number[]
}

/** The whole content of a store as the rows a scenario lists. */
export const rowsOf = (
  definition: StoreDefinition,
  store: StateStore,
  probes: Probes,
): readonly StoreRow[] => {
  switch (definition.kind) {
    case 'keyValue':
      return [...(store as unknown as ReadOnlyKeyValueStore<Datum, unknown>).all()].map(([key, row]) =>
        definition.timestamped
          ? timed(key, row as ValueAndTimestamp<Value>)
          : { key: keyOf(key), value: row as Value },
      )
    case 'window':
      return [...(store as unknown as WindowStore<Value, Value>).all()].map(
        ([window, { value, timestamp }]) => ({
          ...bounds(window),
          value,
          timestamp,
        }),
      )
    case 'session':
      return [...(store as unknown as SessionStore<Value, Value>).all()].map(([window, value]) => ({
        ...bounds(window),
        value,
      }))
    case 'joinWindow':
      return [...(store as unknown as JoinWindowStore<Datum, Value>).all()].map(([key, row]) =>
        timed(key, row),
      )
    case 'versioned':
      return versions(store as unknown as VersionedStore<Datum, Value>, probes)
  }
}

/** A key in the words of a scenario. */
export const keyOf = (key: Datum): Key => {
  if (key === null || typeof key !== 'object') return key
  const { startMs, endMs } = key
  return { key: keyOf(key.key) as Value, windowStart: startMs, windowEnd: endMs }
}

const timed = (key: Datum, { value, timestamp }: ValueAndTimestamp<Value>): StoreRow => ({
  key: keyOf(key),
  value,
  timestamp,
})

const bounds = ({
  key,
  startMs,
  endMs,
}: Windowed<Value>): Pick<StoreRow, 'key' | 'windowStart' | 'windowEnd'> => ({
  key: keyOf(key),
  windowStart: startMs,
  windowEnd: endMs,
})

const versions = (store: VersionedStore<Datum, Value>, { keys, timestamps }: Probes): readonly StoreRow[] => {
  const known = [...keys.map((key) => datumOf(key)), ...[...store.all()].map(([key]) => key)]
  return [...new Set(known.filter((key) => key !== null))].flatMap((key) => {
    const found = new Map<number, StoreRow>()
    for (const row of [...timestamps.map((timestamp) => store.get(key, timestamp)), store.get(key)])
      if (row !== null) found.set(row.timestamp, timed(key, row))
    return [...found.values()]
  })
}

const datumOf = (key: Key): Datum =>
  key !== null && typeof key === 'object'
    ? { key: key.key, startMs: key.windowStart, endMs: key.windowEnd }
    : key
