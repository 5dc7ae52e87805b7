import { Fault } from '../base/fault.ts'
import type {
  JoinWindowStore,
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../state/store.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'

/** The kinds of stores as tests ask for them. */
export interface StoreKinds<K, V> {
  readonly keyValue: KeyValueStore<K, V>
  readonly timestamped: TimestampedKeyValueStore<K, V>
  readonly versioned: VersionedStore<K, V>
  readonly window: WindowStore<K, V>
  readonly joinWindow: JoinWindowStore<K, V>
  readonly session: SessionStore<K, V>
}

export type StoreKind = keyof StoreKinds<unknown, unknown>

export const kindOf = (definition: StoreDefinition): StoreKind =>
  definition.kind === 'keyValue' && definition.timestamped ? 'timestamped' : definition.kind

/** A store asked for as another kind than it is would answer in riddles, so it is refused. */
export const requireKind = (definition: StoreDefinition, asked: StoreKind): void => {
  const kind = kindOf(definition)
  if (kind === asked) return
  throw new Fault({
    code: 'STORE_KIND_WRONG',
    actor: 'author',
    message: `store '${definition.name}' is asked for as '${asked}', but it is of kind '${kind}'`,
    remedy: `ask for '${kind}'`,
  })
}

/** Keys and values of a store of any kind, without times; windowed keys for windows and sessions. */
export const rowsIn = (
  store: StateStore,
  definition: StoreDefinition,
): readonly (readonly [unknown, unknown])[] => {
  const all = [...(store as unknown as { all(): Iterable<readonly [unknown, unknown]> }).all()]
  const kind = kindOf(definition)
  return kind === 'keyValue' || kind === 'session'
    ? all
    : all.map(([key, row]) => [key, (row as { readonly value: unknown }).value] as const)
}
