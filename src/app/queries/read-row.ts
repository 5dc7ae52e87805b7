import type { StoreRow } from '../../state/store-query.ts'
import { deserializeAll } from '../../topic/serde.ts'
import type { Serde } from '../../topic/serde.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'

/** A row with its key and value as the topology knows them. */
export interface ReadRow<K, V> extends Omit<StoreRow, 'key' | 'value'> {
  readonly key: K
  readonly value: V
}

/** Reads a row's bytes with the serdes of its store. */
export const readRow = <K, V>(definition: StoreDefinition, row: StoreRow): ReadRow<K, V> => ({
  ...row,
  key: deserializeAll(definition.key as unknown as Serde<K>, row.key),
  value: deserializeAll(definition.value as unknown as Serde<V>, row.value),
})
