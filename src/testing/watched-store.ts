import type { StateStore } from '../state/store.ts'
import { windowed } from '../topic/windowed.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'

/** Reports every write to a store from now on; the store stays the object it is. */
export const watchStore = (
  store: StateStore,
  definition: StoreDefinition,
  stored: (store: string, key: unknown, value: unknown) => void,
): void => {
  const writable = store as StateStore & { put: (...row: Row) => unknown }
  const put = writable.put.bind(store)
  writable.put = (...row) => {
    stored(store.name, keyOf(definition, row), row[1])
    return put(...row)
  }
}

/** What every kind of store is written with; the third is the start of a window, or a time. */
type Row = readonly [key: unknown, value: unknown, time: number, ...rest: readonly never[]]

const keyOf = (definition: StoreDefinition, [key, , startMs]: Row): unknown =>
  definition.kind === 'window' ? windowed(key, startMs, startMs + definition.windowSizeMs) : key
