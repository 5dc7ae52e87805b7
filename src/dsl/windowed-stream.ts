import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { required } from '../base/value-kinds.ts'
import { long } from '../topic/serdes.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { Windowed } from '../topic/windowed.ts'
import type { NodeOf } from '../topology/node.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../topology/windows.ts'
import type { Adder, Initial, Reducer } from './callbacks.ts'
import type { Handle } from './arguments.ts'
import { requireFunction } from './arguments.ts'
import { callbackOption, initialiser, initialOption } from './callbacks.ts'
import type { Position } from './graph.ts'
import type { SerdeSource } from './options.ts'
import { optionalSerde } from './options.ts'
import type { Table } from './table.ts'
import type { AnyWindows, AggregateFunctions, WindowedStoreOptions } from './windowed-aggregate.ts'
import { addWindowedAggregate, windowedStoreOptions } from './windowed-aggregate.ts'

/** Options of `reduce` on a windowed stream. `value` is the serde of the result and defaults to that of the stream. */
export interface WindowedReduceOptions<K, V> extends WindowedStoreOptions<K, V> {
  readonly value?: SerdeSource<NonNullable<V>>
}

/**
 * Options of `aggregate` on a windowed stream: the initial aggregate, how a value is added, and the serde and the
 * store.
 */
export interface WindowedAggregateOptions<K, V, A> extends WindowedStoreOptions<K, V> {
  readonly initial: Initial<A>
  /** Adds one value to the aggregate of its window; null deletes it. */
  readonly add: Adder<A, K, V>
  readonly value: SerdeSource<NonNullable<A>>
}

/** Options of `aggregate` on a stream with session windows, which also merges the aggregates of two sessions. */
export interface SessionAggregateOptions<K, V, A> extends WindowedAggregateOptions<K, V, A> {
  /** Makes one aggregate of two where a record joins their sessions; the earlier session is the first. */
  readonly merge: (left: A, right: A, key: K) => A
}

/** Where a grouped stream is read once it has to be partitioned by its key; the name serves where it has none. */
export interface Groupable extends Handle<'groupedStream'> {
  /** @internal */
  materialise(fallbackName: string): Position
}

const reduceOptions: OptionShape<WindowedReduceOptions<never, never>> = {
  ...windowedStoreOptions,
  value: serdeSource,
}
const aggregateOptions: OptionShape<WindowedAggregateOptions<never, never, object>> = {
  ...windowedStoreOptions,
  initial: initialOption,
  add: callbackOption('add'),
  value: required(serdeSource),
}
const sessionOptions: OptionShape<SessionAggregateOptions<never, never, object>> = {
  ...aggregateOptions,
  merge: callbackOption('merge'),
}

/** The aggregates of one grouped stream within windows, whichever kind. */
class WindowedAggregates<K, V> {
  readonly #grouped: Groupable
  readonly #windows: AnyWindows

  constructor(grouped: Groupable, windows: AnyWindows) {
    this.#grouped = grouped
    this.#windows = windows
  }

  count(options: WindowedStoreOptions<K, V>): Table<Windowed<K>, number> {
    checkOptions('count', options, windowedStoreOptions)
    return this.add<number>(options, (aggregate) => (aggregate as number) + 1, {
      verb: 'count',
      value: long,
      initial: () => 0,
      merge: (_key, left, right) => (left as number) + (right as number),
    })
  }

  reduce(reducer: Reducer<V>, options: WindowedReduceOptions<K, V>): Table<Windowed<K>, NonNullable<V>> {
    requireFunction('reduce', reducer)
    checkOptions('reduce', options, reduceOptions)
    const reduced = (aggregate: unknown, value: unknown): unknown =>
      aggregate === null ? value : reducer(aggregate as V, value as V)
    return this.add<NonNullable<V>>(options, reduced, {
      verb: 'reduce',
      value: optionalSerde(options.value),
      initial: () => null,
      merge: (_key, left, right) => reduced(left, right),
    })
  }

  add<A>(
    options: WindowedStoreOptions<K, V>,
    add: NodeOf<'windowAggregate'>['add'],
    functions: AggregateFunctions,
  ): Table<Windowed<K>, A> {
    const from = this.#grouped.materialise(options.store)
    const value = functions.value ?? (functions.verb === 'reduce' ? from.value : undefined)
    return addWindowedAggregate<K, A>(
      this.#windows,
      [{ from, add, dropped: options.dropped as never }],
      { ...functions, value },
      options as never,
    )
  }
}

/**
 * A grouped stream within tumbling, hopping or sliding windows: an aggregate for each key and window. Tumbling and
 * hopping windows take null values (`count` counts them, an aggregator sees null); sliding windows drop and count them.
 *
 * @example
 * clicks.groupByKey().windowedBy(tumbling({ size: minutes(1) })).count({ store: 'clicks-by-minute' })
 */
export class TimeWindowedStream<K, V> {
  readonly #aggregates: WindowedAggregates<K, V>

  constructor(grouped: Groupable, windows: TimeWindows | SlidingWindows) {
    this.#aggregates = new WindowedAggregates(grouped, windows)
  }

  /** How many records each window has of each key. */
  count(options: WindowedStoreOptions<K, V>): Table<Windowed<K>, number> {
    return this.#aggregates.count(options)
  }

  /** Combines the values of each window; the first stands for itself, and null deletes. */
  reduce(reducer: Reducer<V>, options: WindowedReduceOptions<K, V>): Table<Windowed<K>, NonNullable<V>> {
    return this.#aggregates.reduce(reducer, options)
  }

  /**
   * Folds the values of each window into an aggregate of another type.
   *
   * @example
   * windowed.aggregate({ store: 'revenue', value: double, initial: 0, add: (sum, { amount }) => sum + amount })
   */
  aggregate<A>(options: WindowedAggregateOptions<K, V, A>): Table<Windowed<K>, NonNullable<A>> {
    checkOptions('aggregate', options, aggregateOptions)
    return this.#aggregates.add(options, options.add as never, aggregateFunctions(options, undefined))
  }
}

/**
 * A grouped stream within sessions. A record joins the sessions it is near to: their aggregates are merged, the old
 * sessions are deleted (each emits a null), and the record is added last.
 *
 * @example
 * clicks.groupByKey().windowedBy(session({ gap: minutes(30) })).count({ store: 'clicks-by-visit' })
 */
export class SessionWindowedStream<K, V> {
  readonly #aggregates: WindowedAggregates<K, V>

  constructor(grouped: Groupable, windows: SessionWindows) {
    this.#aggregates = new WindowedAggregates(grouped, windows)
  }

  /** How many records each session has. */
  count(options: WindowedStoreOptions<K, V>): Table<Windowed<K>, number> {
    return this.#aggregates.count(options)
  }

  /** Combines the values of each session, and those of sessions that become one. */
  reduce(reducer: Reducer<V>, options: WindowedReduceOptions<K, V>): Table<Windowed<K>, NonNullable<V>> {
    return this.#aggregates.reduce(reducer, options)
  }

  /** Folds the values of each session; `merge` makes one aggregate of two. */
  aggregate<A>(options: SessionAggregateOptions<K, V, A>): Table<Windowed<K>, NonNullable<A>> {
    checkOptions('aggregate', options, sessionOptions)
    const merge: AggregateFunctions['merge'] = (key, left, right) =>
      options.merge(left as A, right as A, key as K)
    return this.#aggregates.add(options, options.add as never, aggregateFunctions(options, merge))
  }
}

const aggregateFunctions = <K, V, A>(
  options: WindowedAggregateOptions<K, V, A>,
  merge: AggregateFunctions['merge'],
): AggregateFunctions => ({
  verb: 'aggregate',
  value: optionalSerde(options.value),
  initial: initialiser(options.initial),
  merge,
})
