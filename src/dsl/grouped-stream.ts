import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { required } from '../base/value-kinds.ts'
import type { AnySerde } from '../topic/serde.ts'
import { long } from '../topic/serdes.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Adder, Initial, Reducer } from './callbacks.ts'
import type { Handle } from './arguments.ts'
import { requireFunction } from './arguments.ts'
import { callbackOption, initialiser, initialOption } from './callbacks.ts'
import type { Position } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../topology/windows.ts'
import type { CogroupPartOptions } from './cogrouped-stream.ts'
import { CogroupedStream, cogroupPart } from './cogrouped-stream.ts'
import type { EmitOptions, Named, SerdeSource, TableStoreOptions } from './options.ts'
import { emitOptions, namedOptions, optionalSerde, tableStoreOptions } from './options.ts'
import { materialisable } from './repartitioned.ts'
import type { SideOutputs } from './side-outputs.ts'
import { addSideOutputs, droppedOption } from './side-outputs.ts'
import { addTableStore } from './stores.ts'
import type { Table } from './table.ts'
import { requireWindows } from './windows.ts'
import { SessionWindowedStream, TimeWindowedStream } from './windowed-stream.ts'

/** How a stream was grouped: the name its repartition topic gets, if there has to be one. */
export interface Grouping {
  readonly name: string | undefined
  readonly partitions: number | undefined
}

/** How an aggregate is stored, when it emits its values, and where the records go that it drops. */
export interface AggregateStoreOptions<K, V> extends TableStoreOptions, EmitOptions, Named {
  readonly dropped?: SideOutputs<K, V>
}

/** Options of `reduce`. `value` is the serde of the result and defaults to that of the stream. */
export interface ReduceOptions<K, V> extends AggregateStoreOptions<K, V> {
  readonly value?: SerdeSource<NonNullable<V>>
}

/** Options of `aggregate`: the initial aggregate, how a value is added, and the serde and the store of the result. */
export interface AggregateOptions<K, V, A> extends AggregateStoreOptions<K, V> {
  readonly initial: Initial<A>
  /** Adds one value to the aggregate; null deletes it. */
  readonly add: Adder<A, K, V>
  readonly value: SerdeSource<A>
}

/**
 * A stream grouped by its key (Kafka Streams' `KGroupedStream`): aggregate it into a table, or window it first.
 * Records with a null key or value are dropped and counted.
 *
 * @example
 * orders.groupByKey().count({ store: 'orders-by-customer' }).toStream().to(counts)
 */
export class GroupedStream<K, V> implements Handle<'groupedStream'> {
  /** @internal */
  readonly handle = 'groupedStream' as const
  /** @internal */
  readonly at: Position
  /** @internal */
  readonly grouping: Grouping
  #materialised: Position | undefined

  constructor(at: Position, grouping: Grouping) {
    this.at = at
    this.grouping = grouping
  }

  /** How many records each key has had. */
  count(options: AggregateStoreOptions<K, V>): Table<K, number> {
    checkOptions('count', options, countOptions)
    return this.#aggregate<number>('count', options, long, {
      initial: () => 0,
      add: (aggregate) => (aggregate as number) + 1,
    })
  }

  /** Combines the values of each key; the first value of a key stands for itself, and null deletes. */
  reduce(reducer: Reducer<NonNullable<V>>, options: ReduceOptions<K, V>): Table<K, NonNullable<V>> {
    requireFunction('reduce', reducer)
    checkOptions('reduce', options, reduceOptions)
    return this.#aggregate<NonNullable<V>>('reduce', options, optionalSerde(options.value) ?? this.at.value, {
      initial: () => null,
      add: (aggregate, value) =>
        aggregate === null ? value : reducer(aggregate as NonNullable<V>, value as NonNullable<V>),
    })
  }

  /**
   * Folds the values of each key into an aggregate of another type.
   *
   * @example
   * grouped.aggregate({ store: 'totals', value: Total, initial: noTotal, add: (total, order) => plus(total, order) })
   */
  aggregate<A>(options: AggregateOptions<K, NonNullable<V>, A>): Table<K, A> {
    checkOptions('aggregate', options, aggregateOptions)
    return this.#aggregate<A>('aggregate', options, optionalSerde(options.value), {
      initial: initialiser(options.initial),
      add: options.add as NodeOf<'aggregate'>['add'],
    })
  }

  /**
   * Begins an aggregate over several grouped streams of this key, each added by a function of its own.
   *
   * @example
   * orders.groupByKey().cogroup<Customer>(addOrder).cogroup(returns.groupByKey(), addReturn)
   */
  cogroup<A>(
    add: Adder<A, K, NonNullable<V>>,
    options: CogroupPartOptions<K, V> = {},
  ): CogroupedStream<K, A> {
    return new CogroupedStream<K, A>([cogroupPart(this, add as never, options as never)])
  }

  /** An aggregate for each key and window: tumbling, hopping or sliding. */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedStream<K, V>
  /** An aggregate for each key and session. */
  windowedBy(windows: SessionWindows): SessionWindowedStream<K, V>
  windowedBy(
    windows: TimeWindows | SlidingWindows | SessionWindows,
  ): TimeWindowedStream<K, V> | SessionWindowedStream<K, V> {
    requireWindows(windows)
    return windows.kind === 'session'
      ? new SessionWindowedStream<K, V>(this, windows)
      : new TimeWindowedStream<K, V>(this, windows)
  }

  /**
   * Where the aggregates of this grouping read: behind its repartition topic where the key was changed. Aggregates that
   * share a named grouping share its topic.
   *
   * @internal
   */
  materialise(fallbackName: string): Position {
    if (this.grouping.name === undefined)
      return materialisable(this.at, fallbackName, this.grouping.partitions)
    return (this.#materialised ??= materialisable(this.at, this.grouping.name, this.grouping.partitions))
  }

  #aggregate<A>(
    verb: NodeOf<'aggregate'>['verb'],
    options: TableStoreOptions & EmitOptions & Named & { readonly dropped?: unknown },
    value: AnySerde | undefined,
    functions: Pick<NodeOf<'aggregate'>, 'initial' | 'add'>,
  ): Table<K, A> {
    const from = this.materialise(options.store)
    const at = { ...from, value: from.graph.valueSerde(value, `store '${options.store}'`) }
    addTableStore(at, options)
    const node = at.graph.add('aggregate', verb, options.name, {
      from: [from.node],
      verb,
      store: options.store,
      emit: options.emit ?? 'onUpdate',
      ...functions,
    })
    addSideOutputs(from, node, options.dropped as never)
    return handlesOf(at.graph).table<K, A>({ ...at, node }, options.store)
  }
}

const countOptions: OptionShape<AggregateStoreOptions<never, never>> = {
  ...namedOptions,
  ...tableStoreOptions,
  ...emitOptions,
  dropped: droppedOption,
}
const reduceOptions: OptionShape<ReduceOptions<never, never>> = { ...countOptions, value: serdeSource }
const aggregateOptions: OptionShape<AggregateOptions<never, never, object>> = {
  ...countOptions,
  initial: initialOption,
  add: callbackOption('add'),
  value: required(serdeSource),
}
