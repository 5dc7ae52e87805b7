import type { AnySerde, Serde } from '../topic/serde.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Position } from './graph.ts'
import type { Named, SerdeSource, StoreOptions } from './options.ts'
import { optionalSerde } from './options.ts'
import type { Stream } from './stream.ts'
import { addKeyValueStore } from './stores.ts'

/** Options of a table step whose result is kept only where a store is named. */
export type MaybeStored = Named & Partial<StoreOptions>

/**
 * A table: the latest value by key, where null means deleted (Kafka Streams' `KTable`). A record is an update of a row.
 *
 * @example
 * builder.table(customers, { store: 'customers' }).filter((_, { active }) => active).toStream().to(activeCustomers)
 */
export class Table<K, V> {
  /** @internal */
  readonly at: Position
  /** The store that holds this very table, if it is kept. */
  readonly store: string | undefined

  constructor(at: Position, store: string | undefined) {
    this.at = at
    this.store = store
  }

  /** The rows for which the predicate holds; a row that stops holding is deleted. */
  filter(predicate: (value: V, key: K) => boolean, options: MaybeStored = {}): Table<K, V> {
    return this.#filter('filter', predicate, options)
  }

  /** The rows for which the predicate does not hold. */
  filterNot(predicate: (value: V, key: K) => boolean, options: MaybeStored = {}): Table<K, V> {
    return this.#filter('filterNot', predicate, options)
  }

  /** A new value for each row. */
  mapValues<V2>(
    transform: (value: V, key: K) => V2,
    options: MaybeStored & { readonly value?: SerdeSource<NonNullable<V2>> } = {},
  ): Table<K, NonNullable<V2>> {
    const at = { ...this.at, value: optionalSerde(options.value as never) }
    const store = keep(at, options)
    const node = at.graph.add('tableMapValues', 'mapValues', options.name, {
      from: [this.at.node],
      transform: transform as NodeOf<'tableMapValues'>['transform'],
      store,
    })
    return at.graph.handles.table<K, NonNullable<V2>>({ ...at, node }, store)
  }

  /** The updates of the table as a stream; a deletion is a null value. */
  toStream(options?: Named): Stream<K, V | null>
  /** The same under another key. */
  toStream<K2>(
    options: Named & {
      readonly select: (key: K, value: V | null) => K2
      readonly key?: Serde<NonNullable<K2>>
    },
  ): Stream<K2, V | null>
  toStream<K2>(
    options: Named & {
      readonly select?: (key: K, value: V | null) => K2
      readonly key?: Serde<NonNullable<K2>>
    } = {},
  ): Stream<K | K2, V | null> {
    const { graph } = this.at
    const node = graph.add('toStream', 'toStream', options.name, { from: [this.at.node] })
    const stream = graph.handles.stream<K, V | null>({ ...this.at, node })
    const { select } = options
    if (select === undefined) return stream as Stream<K | K2, V | null>
    return stream.selectKey(({ key, value }) => select(key, value), {
      key: options.key as unknown as Serde<NonNullable<K2>>,
    }) as Stream<K | K2, V | null>
  }

  #filter(
    verb: 'filter' | 'filterNot',
    predicate: (value: V, key: K) => boolean,
    options: MaybeStored,
  ): Table<K, V> {
    const store = keep(this.at, options)
    const node = this.at.graph.add('tableFilter', verb, options.name, {
      from: [this.at.node],
      verb,
      predicate: ((key: K, value: V) => predicate(value, key)) as NodeOf<'tableFilter'>['predicate'],
      store,
    })
    return this.at.graph.handles.table<K, V>({ ...this.at, node }, store)
  }
}

/** Adds a key-value store where one is named. */
export const keep = (at: Position, options: MaybeStored, value?: AnySerde): string | undefined =>
  options.store === undefined ? undefined : addKeyValueStore(at, { ...options, store: options.store }, value)
