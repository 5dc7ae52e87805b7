import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { listOf, synchronous, text } from '../base/value-kinds.ts'
import type { Serde } from '../topic/serde.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import { changeSerde } from '../topology/change-serde.ts'
import type { NodeOf } from '../topology/node.ts'
import type { TaskContext } from '../topology/processor.ts'
import type { Handle } from './arguments.ts'
import { requireFunction } from './arguments.ts'
import type { Joiner } from './callbacks.ts'
import type { ForeignKeyJoinOptions } from './foreign-key-join.ts'
import { joinByForeignKey } from './foreign-key-join.ts'
import type { Position, TablePosition } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { GroupedTable } from './grouped-table.ts'
import type { MaybeStored, Named, SerdeSource, StoreOptions } from './options.ts'
import { groupByOptions, maybeStored, namedOptions, optionalSerde } from './options.ts'
import { repartitioned } from './repartitioned.ts'
import type { Stream } from './stream.ts'
import { keep } from './stores.ts'
import type { TableJoinOptions } from './table-join.ts'
import { joinTables } from './table-join.ts'
import { suppressed } from './suppressed.ts'
import type { Suppression } from './suppression.ts'

/** Grouping the rows of a table: the name becomes part of the repartition topic's. */
export interface TableGroupByTextOptions<K2, V2> {
  readonly name: string
  /** Defaults to UTF-8 text. */
  readonly key?: Serde<K2>
  /** What of a row counts in its group; defaults to the table's own serde. */
  readonly value?: SerdeSource<V2>
  readonly partitions?: number
}

/** The same for keys that are no text, which need their serde. */
export interface TableGroupByOptions<K2, V2> extends TableGroupByTextOptions<K2, V2> {
  readonly key: Serde<K2>
}

const tableGroupByOptions: OptionShape<TableGroupByTextOptions<never, never>> = groupByOptions

/** Options of `mapValues` on a table: the serde of the new value, and a store if the result is materialized. */
export type TableMapOptions<V2> = MaybeStored & { readonly value?: SerdeSource<NonNullable<V2>> }

/** Options of `transformValues` on a table. `stores` are the names of the stores that the transformer uses. */
export type TableTransformOptions<V2> = TableMapOptions<V2> & { readonly stores?: readonly string[] }

const mapOptions: OptionShape<TableMapOptions<never>> = { ...maybeStored, value: serdeSource }
const transformOptions: OptionShape<TableTransformOptions<never>> = { ...mapOptions, stores: listOf(text) }

/** Options of `toStream`. `select` makes a new key, and `key` is its serde. */
export interface ToStreamOptions<K, V, K2> extends Named {
  readonly select?: (key: K, value: V | null) => K2
  readonly key?: Serde<NonNullable<K2>>
}

const toStreamOptions: OptionShape<ToStreamOptions<never, never, never>> = {
  ...namedOptions,
  select: synchronous,
  key: serde,
}

/** A row's place in its group. */
export interface GroupedRow<out K2, out V2> {
  readonly key: K2
  readonly value: V2
}

/**
 * A table: the latest value by key, where null means deleted (Kafka Streams' `KTable`). A record is an update of a row.
 *
 * @example
 * builder.table(customerTopic, { store: 'customers' }).filter(({ active }) => active).toStream().to(activeCustomers)
 */
export class Table<K, V> implements Handle<'table'> {
  /** @internal */
  readonly handle = 'table' as const
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
    options: TableMapOptions<V2> = {},
  ): Table<K, NonNullable<V2>> {
    requireFunction('mapValues', transform)
    checkOptions('mapValues', options, mapOptions)
    return this.#mapValues('mapValues', () => transform as TransformRow, options)
  }

  /**
   * A new value for each row, by a function of your own for each task that may use stores and timers. It is asked about
   * deletions too, with null. Where the result is not stored and a later step looks rows up or needs old values, it is
   * called again for the same row: return the same value.
   *
   * @example
   * orders.transformValues((context) => {
   *   const rates = context.store<KeyValueStore<string, number>>('rates')
   *   return (order) => order && { ...order, euros: order.amount * (rates.get(order.currency) ?? 1) }
   * }, { stores: ['rates'] })
   */
  transformValues<V2>(
    transformFor: (context: TaskContext) => (value: V | null, key: K) => V2,
    options: TableTransformOptions<V2> = {},
  ): Table<K, NonNullable<V2>> {
    requireFunction('transformValues', transformFor)
    checkOptions('transformValues', options, transformOptions)
    return this.#mapValues('transformValues', transformFor as TransformFor, options)
  }

  /** The updates of the table as a stream; a deletion is a null value. */
  toStream(options?: Named): Stream<K, V | null>
  /** The same under another key. */
  toStream<K2>(
    options: ToStreamOptions<K, V, K2> & { readonly select: (key: K, value: V | null) => K2 },
  ): Stream<K2, V | null>
  toStream<K2>(options: ToStreamOptions<K, V, K2> = {}): Stream<K | K2, V | null> {
    checkOptions('toStream', options, toStreamOptions)
    const { graph } = this.at
    const node = graph.add('toStream', 'toStream', options.name, { from: [this.at.node] })
    const stream = handlesOf(graph).stream<K, V | null>({ ...this.at, node })
    const { select } = options
    if (select === undefined) return stream as Stream<K | K2, V | null>
    return stream.selectKey(({ key, value }) => select(key, value), {
      key: options.key as unknown as Serde<NonNullable<K2>>,
    }) as Stream<K | K2, V | null>
  }

  /**
   * Gives each row its group: a new key, and what of the row counts there. Through the repartition topic
   * `<application>-<name>-repartition`. A row with a null group belongs to none.
   *
   * @example
   * orders.groupBy((order) => ({ key: order.customer, value: order.amount }), { name: 'by-customer', value: long })
   */
  groupBy<K2 extends string | null, V2>(
    select: (value: V, key: K) => GroupedRow<K2, V2>,
    options: TableGroupByTextOptions<NonNullable<K2>, NonNullable<V2>>,
  ): GroupedTable<NonNullable<K2>, NonNullable<V2>>
  groupBy<K2, V2>(
    select: (value: V, key: K) => GroupedRow<K2, V2>,
    options: TableGroupByOptions<NonNullable<K2>, NonNullable<V2>>,
  ): GroupedTable<NonNullable<K2>, NonNullable<V2>>
  groupBy<K2, V2>(
    select: (value: V, key: K) => GroupedRow<K2, V2>,
    options: TableGroupByTextOptions<NonNullable<K2>, NonNullable<V2>>,
  ): GroupedTable<NonNullable<K2>, NonNullable<V2>> {
    const { graph } = this.at
    requireFunction('groupBy', select)
    checkOptions('groupBy', options, tableGroupByOptions)
    const key = graph.keySerde(options.key)
    const value = graph.valueSerde(optionalSerde(options.value) ?? this.at.value, `groupBy '${options.name}'`)
    const node = graph.add('tableGroupBy', 'groupBy', `${options.name}-select`, {
      from: [this.at.node],
      key,
      select: select as NodeOf<'tableGroupBy'>['select'],
    })
    const at = repartitioned({ ...this.at, node, key, value: changeSerde(value) }, 'groupBy', options.name, {
      partitions: options.partitions,
      dropNullKeys: true,
      changes: true,
    })
    return handlesOf(graph).groupedTable<NonNullable<K2>, NonNullable<V2>>({ ...at, value })
  }

  /**
   * The rows both tables have a value for, joined. Both must have the same keys, and their topics as many partitions.
   *
   * @example
   * customers.join(addresses, (customer, address) => ({ ...customer, address }), { store: 'customers-with-address' })
   */
  join<V2, R>(
    other: Table<K, V2>,
    joiner: Joiner<K, V, NoInfer<V2>, R>,
    options: TableJoinOptions<R> = {},
  ): Table<K, NonNullable<R>> {
    return this.#joined<R>(joinTables('inner', this.at, other, joiner, options))
  }

  /** Every row of this table, joined with the other's where it has one. */
  leftJoin<V2, R>(
    other: Table<K, V2>,
    joiner: Joiner<K, V, NoInfer<V2> | null, R>,
    options: TableJoinOptions<R> = {},
  ): Table<K, NonNullable<R>> {
    return this.#joined<R>(joinTables('left', this.at, other, joiner, options))
  }

  /** Every row of either table; the joiner gets null for the side that has none. */
  outerJoin<V2, R>(
    other: Table<K, V2>,
    joiner: Joiner<K, V | null, NoInfer<V2> | null, R>,
    options: TableJoinOptions<R> = {},
  ): Table<K, NonNullable<R>> {
    return this.#joined<R>(joinTables('outer', this.at, other, joiner, options))
  }

  /**
   * Joins each row with the row of another table that a part of its value names, whichever side changes (KIP-213).
   * The tables need not be partitioned alike.
   *
   * @example
   * orders.joinForeignKey(customers, {
   *   name: 'orders-with-customer',
   *   foreignKey: ({ customerId }) => customerId,
   *   join: (order, customer) => ({ ...order, customer }),
   * })
   */
  joinForeignKey<FK, V2, R>(
    other: Table<FK, V2>,
    options: ForeignKeyJoinOptions<K, V, NoInfer<FK>, NoInfer<V2>, R>,
  ): Table<K, NonNullable<R>> {
    return this.#joined<R>(joinByForeignKey('inner', this.at, other, options))
  }

  /** The same, with every row of this table: the joiner gets null where no right row is found. */
  leftJoinForeignKey<FK, V2, R>(
    other: Table<FK, V2>,
    options: ForeignKeyJoinOptions<K, V, NoInfer<FK>, NoInfer<V2> | null, R>,
  ): Table<K, NonNullable<R>> {
    return this.#joined<R>(joinByForeignKey('left', this.at, other, options))
  }

  /**
   * Holds updates back: until their window has closed (windowed tables only), or for a time. What waits is kept in the
   * store of that name.
   *
   * @example
   * counts.suppress(untilWindowCloses(), { store: 'final-counts' }).toStream().to(finalCounts)
   */
  suppress(until: Suppression<K>, options: StoreOptions & Named): Table<K, V> {
    return handlesOf(this.at.graph).table<K, V>(suppressed(this.at, until, options), undefined)
  }

  #joined<R>({ at, store }: TablePosition): Table<K, NonNullable<R>> {
    return handlesOf(at.graph).table<K, NonNullable<R>>(at, store)
  }

  #mapValues<V2>(
    verb: NodeOf<'tableMapValues'>['verb'],
    transformFor: TransformFor,
    options: TableTransformOptions<V2>,
  ): Table<K, NonNullable<V2>> {
    const at = { ...this.at, value: optionalSerde(options.value) }
    const store = keep(at, options)
    const node = at.graph.add('tableMapValues', verb, options.name, {
      from: [this.at.node],
      verb,
      transformFor,
      store,
      stores: options.stores ?? [],
    })
    return handlesOf(at.graph).table<K, NonNullable<V2>>({ ...at, node }, store)
  }

  #filter(
    verb: 'filter' | 'filterNot',
    predicate: (value: V, key: K) => boolean,
    options: MaybeStored,
  ): Table<K, V> {
    requireFunction(verb, predicate)
    checkOptions(verb, options, maybeStored)
    const store = keep(this.at, options)
    const node = this.at.graph.add('tableFilter', verb, options.name, {
      from: [this.at.node],
      verb,
      predicate: ((key: K, value: V) => predicate(value, key)) as NodeOf<'tableFilter'>['predicate'],
      store,
    })
    return handlesOf(this.at.graph).table<K, V>({ ...this.at, node }, store)
  }
}

type TransformFor = NodeOf<'tableMapValues'>['transformFor']
type TransformRow = ReturnType<TransformFor>
