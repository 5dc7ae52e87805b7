import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { required } from '../base/value-kinds.ts'
import type { AnySerde } from '../topic/serde.ts'
import { long } from '../topic/serdes.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Initial } from './callbacks.ts'
import { callbackOption, initialiser, initialOption } from './callbacks.ts'
import type { Position } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { EmitOptions, Named, SerdeSource, TableStoreOptions } from './options.ts'
import { emitOptions, namedOptions, optionalSerde, tableStoreOptions } from './options.ts'
import { addTableStore } from './stores.ts'
import type { Table } from './table.ts'

/** Options of `reduce` on a grouped table: an adder and a subtractor, the serde and the store of the result. */
export interface TableReduceOptions<V> extends TableStoreOptions, EmitOptions, Named {
  /** Combines the aggregate with the value of a row that joins the group; its first value stands for itself. */
  readonly add: (aggregate: V, value: V) => V | null
  /** Takes the value of a row that leaves the group, or changes, out of the aggregate again. */
  readonly subtract: (aggregate: V, value: V) => V | null
  /** How the aggregate stands in its store; as the grouped values by default. */
  readonly value?: SerdeSource<NonNullable<V>>
}

/**
 * Options of `aggregate` on a grouped table: the initial aggregate, an adder and a subtractor, its serde and its
 * store.
 */
export interface TableAggregateOptions<K, V, A> extends TableStoreOptions, EmitOptions, Named {
  readonly initial: Initial<A>
  /** Adds the value of a row that joins the group; null deletes the aggregate. */
  readonly add: (aggregate: A, value: V, key: K) => A | null
  /** Takes the value of a row that leaves the group, or changes, out of the aggregate again; null deletes it. */
  readonly subtract: (aggregate: A, value: V, key: K) => A | null
  readonly value: SerdeSource<A>
}

/**
 * The rows of a table in groups (Kafka Streams' `KGroupedTable`). An aggregate over them follows every update: a row that
 * changes is subtracted as it was and added as it is; a row that moves leaves its old group first.
 *
 * @example
 * employees
 *   .groupBy(({ department }, id) => ({ key: department, value: id }), { name: 'by-department', value: string })
 *   .count({ store: 'headcount' })
 */
export class GroupedTable<K, V> {
  /** @internal */
  readonly at: Position

  constructor(at: Position) {
    this.at = at
  }

  /** How many rows each group has. A group that empties stays, with 0. */
  count(options: TableCountOptions): Table<K, number> {
    checkOptions('count', options, countOptions)
    return this.#aggregate<number>('count', options, long, {
      initial: () => 0,
      add: (count) => (count as number) + 1,
      subtract: (count) => (count as number) - 1,
    })
  }

  /**
   * Combines the values of each group.
   *
   * @example
   * grouped.reduce({ store: 'stock', add: (sum, value) => sum + value, subtract: (sum, value) => sum - value })
   */
  reduce(options: TableReduceOptions<V>): Table<K, V> {
    checkOptions('reduce', options, reduceOptions)
    const { add, subtract } = options
    return this.#aggregate<V>('reduce', options, optionalSerde(options.value) ?? this.at.value, {
      initial: () => null,
      add: (aggregate, value) => (aggregate === null ? value : add(aggregate as V, value as V)),
      subtract: (aggregate, value) => subtract(aggregate as V, value as V),
    })
  }

  /** Folds the values of each group into an aggregate of another type. */
  aggregate<A>(options: TableAggregateOptions<K, V, A>): Table<K, A> {
    checkOptions('aggregate', options, aggregateOptions)
    return this.#aggregate<A>('aggregate', options, optionalSerde(options.value), {
      initial: initialiser(options.initial),
      add: options.add as NodeOf<'tableAggregate'>['add'],
      subtract: options.subtract as NodeOf<'tableAggregate'>['subtract'],
    })
  }

  #aggregate<A>(
    verb: NodeOf<'tableAggregate'>['verb'],
    options: TableCountOptions,
    value: AnySerde | undefined,
    functions: Pick<NodeOf<'tableAggregate'>, 'initial' | 'add' | 'subtract'>,
  ): Table<K, A> {
    const at = { ...this.at, value }
    const store = addTableStore(at, options)
    const node = at.graph.add('tableAggregate', verb, options.name, {
      from: [this.at.node],
      verb,
      store,
      emit: options.emit ?? 'onUpdate',
      ...functions,
    })
    return handlesOf(at.graph).table<K, A>({ ...at, node }, store)
  }
}

/** Options of `count` on a grouped table. */
export type TableCountOptions = TableStoreOptions & EmitOptions & Named

const countOptions: OptionShape<TableCountOptions> = { ...namedOptions, ...tableStoreOptions, ...emitOptions }
const reduceOptions: OptionShape<TableReduceOptions<never>> = {
  ...countOptions,
  add: callbackOption('add'),
  subtract: callbackOption('subtract'),
  value: serdeSource,
}
const aggregateOptions: OptionShape<TableAggregateOptions<never, never, object>> = {
  ...reduceOptions,
  initial: initialOption,
  value: required(serdeSource),
}
