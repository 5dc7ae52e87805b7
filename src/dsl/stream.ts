import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { callback, flag, required, synchronous, text } from '../base/value-kinds.ts'
import type { OperatorFunction } from 'rxjs'
import type { KeyValueRecord } from '../topic/record.ts'
import type { StreamRecord } from '../topic/record.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { serialized } from '../topic/serde.ts'
import { partitionForKey } from '../topic/murmur2.ts'
import type { SinkTopic } from '../topic/topic.ts'
import { serde, serdeSource, sinkContract } from '../topic/value-kinds.ts'
import type { Windowed } from '../topic/windowed.ts'
import { innerSerdeOf } from '../topic/windowed.ts'
import { emittedRecordOf, iterableOf, optionalResultOf, resultOf } from '../topology/callback-results.ts'
import { emittedTime } from '../topology/record-times.ts'
import type { AnyRecord, NodeOf, Partitioner } from '../topology/node.ts'
import type { AnySinkTopic } from '../topology/node-topic.ts'
import type { ProcessorSupplier, Supplier, ValueSupplier } from '../topology/processor.ts'
import type { Handle } from './arguments.ts'
import { refuseLaterSteps, requireFunction, requireHandle } from './arguments.ts'
import { refuseForeign } from './refuse-foreign.ts'
import type { Emitted, Guard, Joiner, Predicate } from './callbacks.ts'
import type { AsyncMapOptions, AsyncTransform } from './map-async.ts'
import { asyncNode } from './map-async.ts'
import type {
  DeduplicateByIdOptions,
  DeduplicateByKeyOptions,
  DeduplicateByTextOptions,
} from './deduplicate.ts'
import { deduplicateNode } from './deduplicate.ts'
import type { GlobalTable } from './global-table.ts'
import type { Position } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { GroupedStream } from './grouped-stream.ts'
import type {
  GroupByOptions,
  GroupByTextOptions,
  Named,
  RepartitionOptions,
  SerdeSource,
  TableStoreOptions,
} from './options.ts'
import {
  groupByOptions,
  namedOptions,
  optionalSerde,
  repartitionOptions,
  tableStoreOptions,
} from './options.ts'
import type { Branches, BranchStreams } from './split.ts'
import { branchesKind, splitNode } from './split.ts'
import type {
  GlobalJoinOptions,
  Joinable,
  JoinArguments,
  StreamJoinOptions,
  StreamTableJoinOptions,
} from './stream-joins.ts'
import { joinWith } from './stream-joins.ts'
import type { KeyedProcessOptions, ValueProcessOptions } from './process.ts'
import { processNode } from './process.ts'
import type { Table } from './table.ts'
import { materialisable, repartitioned } from './repartitioned.ts'
import { addTableStore } from './stores.ts'

/** A topic chosen record by record; serdes are then needed, as no one topic brings them. */
export interface DynamicTopic<K, V> {
  readonly name: (record: KeyValueRecord<K, V>) => string
  readonly key: Serde<NonNullable<K>>
  readonly value: SerdeSource<NonNullable<V>>
}

/** Options of `to` (Kafka Streams' `Produced`). */
export interface SinkOptions<K, V> extends Named {
  /**
   * Chooses the partition; undefined leaves it to the key's murmur2. Of an array, each different partition gets the record,
   * in order; an empty array drops the record, which is counted as `noPartition`.
   */
  readonly partitioner?: (
    record: KeyValueRecord<K, V>,
    partitionCount: number,
  ) => number | readonly number[] | undefined
}

const dynamicTopic: OptionShape<DynamicTopic<never, never>> = {
  name: required(synchronous),
  key: required(serde),
  value: required(serdeSource),
}

const sinkOptions: OptionShape<SinkOptions<never, never>> = { ...namedOptions, partitioner: synchronous }

/** Options of `mapValues`: the serde of the new value, for grouping, joins and tables after it. */
export interface MapValuesOptions<V> extends Named {
  readonly value?: SerdeSource<NonNullable<V>>
}

/** Options of `map` and `flatMap`: the serdes of the new key and value, for grouping, joins and tables after it. */
export interface MapOptions<K, V> extends Named {
  readonly key?: Serde<K>
  readonly value?: SerdeSource<V>
}

/** What follows a pipe needs to know of what its operators emit. */
export interface PipeOptions<K1, V1> extends MapOptions<NonNullable<K1>, NonNullable<V1>> {
  /**
   * The operators emit records under the key of the record at hand, as `filter` and `scan` do, so what groups or joins after
   * them is repartitioned no more than before. An emission with another key fails its record (`KEY_CHANGED`).
   */
  readonly preservesKey?: boolean
}

/** Options of `selectKey`: the serde of the new key. */
export interface SelectKeyOptions<K> extends Named {
  readonly key?: Serde<NonNullable<K>>
}

/** Options of `print`: a label for each line, and the function that writes it, which defaults to the console. */
export interface PrintOptions extends Named {
  readonly label?: string
  readonly write?: (line: string) => void
}

/** Options of `groupByKey`: the serdes of key and value, which default to those of the stream. */
export interface GroupByKeyOptions<K, V> extends MapValuesOptions<V> {
  readonly key?: Serde<NonNullable<K>>
}

/** Options of `toTable`: the store of its rows, and the serdes of key and value. */
export type ToTableOptions<K, V> = TableStoreOptions & GroupByKeyOptions<K, V>

const mapValuesOptions: OptionShape<MapValuesOptions<never>> = { ...namedOptions, value: serdeSource }
const mapOptions: OptionShape<MapOptions<never, never>> = { ...mapValuesOptions, key: serde }
const pipeOptions: OptionShape<PipeOptions<unknown, unknown>> = { ...mapOptions, preservesKey: flag }
const selectKeyOptions: OptionShape<SelectKeyOptions<never>> = { ...namedOptions, key: serde }
const printOptions: OptionShape<PrintOptions> = { ...namedOptions, label: text, write: synchronous }
const groupByKeyOptions: OptionShape<GroupByKeyOptions<never, never>> = mapOptions
const toTableOptions: OptionShape<ToTableOptions<never, never>> = { ...mapOptions, ...tableStoreOptions }

/**
 * A stream of records, each a fact of its own (Kafka Streams' `KStream`). Every method says a step and returns the
 * stream after it; nothing happens until a topology runs.
 *
 * @example
 * builder.stream(orderPlaced).filter(({ value }) => value.status === 'created').mapValues(toInvoice).to(invoices)
 */
export class Stream<K, V> implements Handle<'stream'> {
  /** @internal */
  readonly handle = 'stream' as const
  /** @internal */
  readonly at: Position

  constructor(at: Position) {
    this.at = at
  }

  /** Keeps the records for which the predicate holds; a type guard narrows the values. */
  filter<V2 extends V>(guard: Guard<K, V, V2>, options?: Named): Stream<K, V2>
  filter(predicate: Predicate<K, V>, options?: Named): Stream<K, V>
  filter(predicate: Predicate<K, V>, options: Named = {}): Stream<K, V> {
    return this.#filter('filter', predicate, options)
  }

  /** Keeps the records for which the predicate does not hold. */
  filterNot(predicate: Predicate<K, V>, options: Named = {}): Stream<K, V> {
    return this.#filter('filterNot', predicate, options)
  }

  /**
   * A new key and value for each record. What groups or joins after it is repartitioned first.
   *
   * @example
   * orders.map(({ value }) => ({ key: value.customer, value: value.amount }))
   */
  map<K2, V2>(
    transform: (record: KeyValueRecord<K, V>) => Emitted<K2, V2>,
    options: MapOptions<K2, V2> = {},
  ): Stream<K2, V2> {
    requireFunction('map', transform)
    checkOptions('map', options, mapOptions)
    return this.#map('map', (record) => emitted(record, transform(record as StreamRecord<K, V>)), options, {
      key: options.key,
      value: optionalSerde(options.value),
      rekeyed: true,
    })
  }

  /** A new value for each record; the key stays, and with it the partition. */
  mapValues<V2>(
    transform: (value: V, record: KeyValueRecord<K, V>) => V2,
    options: MapValuesOptions<V2> = {},
  ): Stream<K, V2> {
    requireFunction('mapValues', transform)
    checkOptions('mapValues', options, mapValuesOptions)
    return this.#map(
      'mapValues',
      (record) =>
        record.withValue(resultOf('the mapper', transform(record.value as V, record as StreamRecord<K, V>))),
      options,
      { value: optionalSerde(options.value) },
    )
  }

  /** A new key for each record. What groups or joins after it is repartitioned first. */
  selectKey<K2>(
    select: (record: KeyValueRecord<K, V>) => K2,
    options: SelectKeyOptions<K2> = {},
  ): Stream<K2, V> {
    requireFunction('selectKey', select)
    checkOptions('selectKey', options, selectKeyOptions)
    const rekeyed = (record: AnyRecord): AnyRecord =>
      record.withKey(optionalResultOf('the key selector', select(record as StreamRecord<K, V>)))
    return this.#map('selectKey', rekeyed, options, {
      key: options.key,
      rekeyed: true,
    })
  }

  /** Any number of records for each record, keys included. */
  flatMap<K2, V2>(
    transform: (record: KeyValueRecord<K, V>) => Iterable<Emitted<K2, V2>>,
    options: MapOptions<K2, V2> = {},
  ): Stream<K2, V2> {
    requireFunction('flatMap', transform)
    checkOptions('flatMap', options, mapOptions)
    const node = this.at.graph.add('flatMap', 'flatMap', options.name, {
      from: [this.at.node],
      verb: 'flatMap',
      transform: function* (record: AnyRecord): Iterable<AnyRecord> {
        const results = iterableOf('the mapper', transform(record as StreamRecord<K, V>))
        for (const each of results) yield emitted(record, each)
      },
    })
    return this.#next(node, {
      key: options.key,
      value: optionalSerde(options.value),
      rekeyed: true,
    })
  }

  /** Any number of values for each record, all under its key. */
  flatMapValues<V2>(
    transform: (value: V, record: KeyValueRecord<K, V>) => Iterable<V2>,
    options: MapValuesOptions<V2> = {},
  ): Stream<K, V2> {
    requireFunction('flatMapValues', transform)
    checkOptions('flatMapValues', options, mapValuesOptions)
    const node = this.at.graph.add('flatMap', 'flatMapValues', options.name, {
      from: [this.at.node],
      verb: 'flatMapValues',
      transform: function* (record: AnyRecord): Iterable<AnyRecord> {
        const results = iterableOf('the mapper', transform(record.value as V, record as StreamRecord<K, V>))
        for (const value of results) yield record.withValue(resultOf('the mapper', value))
      },
    })
    return this.#next(node, { value: optionalSerde(options.value) })
  }

  /** Does something for each record and hands it on unchanged. */
  peek(action: (record: KeyValueRecord<K, V>) => void, options: Named = {}): Stream<K, V> {
    return this.#next(this.#peek('peek', action, options), {})
  }

  /** Does something for each record; the stream ends here. */
  forEach(action: (record: KeyValueRecord<K, V>) => void, options: Named = {}): void {
    this.#peek('forEach', action, options)
  }

  /** Writes each record as a line: `[label]: key, value`. The stream ends here. */
  print(options: PrintOptions = {}): void {
    checkOptions('print', options, printOptions)
    const label = options.label ?? this.at.graph.name
    const write = options.write ?? ((line: string) => console.log(line))
    this.#peek('print', ({ key, value }) => write(`[${label}]: ${show(key)}, ${show(value)}`), { ...options })
  }

  /**
   * Any synchronous RxJS operators over records.
   *
   * - An operator that waits for a timer or a promise (`delay`, `debounceTime`, `throttleTime`, `mergeMap` of an async
   *   function) fails the application before the record's offset is committed: use `mapAsync`, or a punctuator.
   * - An error, or completion (`take`, `first`), is the failure of the record at hand, under `processingFailure`; the next
   *   record finds a new pipeline. Records at which a pipeline completed are counted as `pipelineCompleted`.
   * - What emits only at completion (`toArray`, `reduce`, `last`) emits nothing, as a stream never completes.
   * - Operators that remember (`scan`, `bufferCount`) lose their memory at a restart: `aggregate` is the durable form.
   */
  pipe(): Stream<K, V>
  // The most operators first: a function in the place of the options would leave the operators without types.
  pipe<A, B, C, D, E, F, G, H, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: OperatorFunction<F, G>,
    eighth: OperatorFunction<G, H>,
    ninth: PipeOperator<H, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, C, D, E, F, G, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: OperatorFunction<F, G>,
    eighth: PipeOperator<G, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, C, D, E, F, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: PipeOperator<F, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, C, D, E, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: PipeOperator<E, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, C, D, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: PipeOperator<D, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, C, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: PipeOperator<C, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, B, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: OperatorFunction<A, B>,
    third: PipeOperator<B, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<A, K1, V1>(
    first: OperatorFunction<StreamRecord<K, V>, A>,
    second: PipeOperator<A, K1, V1>,
    options?: PipeOptions<K1, V1>,
  ): Stream<K1, V1>
  pipe<K1, V1>(first: PipeOperator<StreamRecord<K, V>, K1, V1>, options?: PipeOptions<K1, V1>): Stream<K1, V1>
  pipe(...given: readonly unknown[]): unknown {
    const [operators, options] = withOptions<PipeOptions<unknown, unknown>>('pipe', given)
    checkOptions('pipe', options, pipeOptions)
    const { name, key, value, preservesKey = false } = options
    const node = this.at.graph.add('pipe', 'pipe', name, {
      from: [this.at.node],
      verb: 'pipe',
      operators,
      preservesKey,
    })
    return this.#next(node, {
      key: key ?? (preservesKey ? this.at.key : undefined),
      value: optionalSerde(value),
      rekeyed: !preservesKey || this.at.rekeyed,
    })
  }

  /**
   * Synchronous RxJS operators over the values. What they emit goes on under the key, with the time and the headers of the
   * record at hand, so nothing after it is repartitioned for it. The values keep their serde unless another one is given.
   *
   * An operator sees the values of all keys of a partition, in their order. What else `pipe` says of operators holds here, too.
   *
   * @example
   * import { distinctUntilChanged, map } from 'rxjs'
   * orders.pipeValues(distinctUntilChanged((before, now) => before.status === now.status)).to(completed)
   * orders.pipeValues(map(({ status }) => ({ text: status })), { value: Alert }).to(alerts)
   */
  pipeValues(): Stream<K, V>
  pipeValues<A, B, C, D, E, F, G, H, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: OperatorFunction<F, G>,
    eighth: OperatorFunction<G, H>,
    ninth: OperatorFunction<H, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, C, D, E, F, G, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: OperatorFunction<F, G>,
    eighth: OperatorFunction<G, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, C, D, E, F, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, F>,
    seventh: OperatorFunction<F, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, C, D, E, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, E>,
    sixth: OperatorFunction<E, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, C, D, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, D>,
    fifth: OperatorFunction<D, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, C, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, C>,
    fourth: OperatorFunction<C, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, B, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, B>,
    third: OperatorFunction<B, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<A, V1>(
    first: OperatorFunction<V, A>,
    second: OperatorFunction<A, V1>,
    options?: MapValuesOptions<V1>,
  ): Stream<K, V1>
  pipeValues<V1>(first: OperatorFunction<V, V1>, options?: MapValuesOptions<V1>): Stream<K, V1>
  pipeValues(...given: readonly unknown[]): unknown {
    const [operators, options] = withOptions<MapValuesOptions<unknown>>('pipeValues', given)
    checkOptions('pipeValues', options, mapValuesOptions)
    const { name, value } = options
    const node = this.at.graph.add('pipe', 'pipeValues', name, {
      from: [this.at.node],
      verb: 'pipeValues',
      operators,
      preservesKey: true,
    })
    return this.#next(node, { value: optionalSerde(value) ?? this.at.value })
  }

  /**
   * Asynchronous work for each record, bounded and in order: at most `concurrency` calls at a time, and the calls of one
   * key one after another. A result goes on in a turn of its own, and its record's offset is committed only after that.
   * `mapValuesAsync` keeps the key.
   *
   * @example
   * orders.mapAsync(async ({ key, value }, signal) => ({ key, value: await price(value, signal) }), {
   *   concurrency: 32, timeout: seconds(5), retry: { attempts: 3, backoff: 100 },
   * })
   */
  mapAsync<K2, V2>(
    transform: (record: KeyValueRecord<K, V>, signal: AbortSignal) => Promise<Emitted<K2, V2>>,
    options: AsyncMapOptions<K2, V2> = {},
  ): Stream<K2, V2> {
    const node = asyncNode(this.at, 'mapAsync', transform as AsyncTransform, options)
    return this.#next(node, {
      key: options.key,
      value: optionalSerde(options.value as never),
      rekeyed: true,
    })
  }

  /** The same for a new value under the same key, so that nothing after it needs a repartition. */
  mapValuesAsync<V2>(
    transform: (value: V, record: KeyValueRecord<K, V>, signal: AbortSignal) => Promise<V2>,
    options: Omit<AsyncMapOptions<never, V2>, 'key'> = {},
  ): Stream<K, V2> {
    checkArgument('mapValuesAsync', transform, callback)
    const node = asyncNode(
      this.at,
      'mapValuesAsync',
      async (record, signal) =>
        (record as AnyRecord).withValue(
          resultOf('the mapper', await transform(record.value as V, record as StreamRecord<K, V>, signal)),
        ),
      options,
    )
    return this.#next(node, { value: optionalSerde(options.value as never) })
  }

  /**
   * Lets the first record of each key through and drops the others, counted as `duplicate`, within `retention` of the
   * records' own time. With an `id` of your own, the first of each id.
   *
   * @example
   * payments.deduplicate({ store: 'payments-seen', retention: hours(24), id: ({ value }) => value.paymentId })
   */
  deduplicate(options: DeduplicateByKeyOptions<K, V> | DeduplicateByTextOptions<K, V>): Stream<K, V>
  deduplicate<I>(options: DeduplicateByIdOptions<K, V, I>): Stream<K, V>
  deduplicate(options: object): Stream<K, V> {
    return new Stream<K, V>(deduplicateNode(this.at, options as DeduplicateByKeyOptions<never, never>))
  }

  /**
   * Sends each record to the first branch whose predicate holds; `otherwise` takes the rest, and without it the rest
   * ends here. Type guards narrow the branches.
   *
   * @example
   * stream.split({ paid: isPaid, failed: otherwise }, ({ paid, failed }) => { paid.to(completed); failed.to(refused) })
   */
  split<B extends Branches<K, V>>(
    branches: B,
    use?: (streams: BranchStreams<K, V, B>) => void,
    options: Named = {},
  ): BranchStreams<K, V, B> {
    checkArgument('split', branches, branchesKind)
    checkOptions('split', options, namedOptions)
    if (use !== undefined) requireFunction('split', use, 'use')
    const positions = splitNode(
      this.at,
      branches as unknown as Record<string, Predicate<unknown, unknown>>,
      options,
    )
    const streams = Object.fromEntries(
      Object.entries(positions).map(([name, at]) => [name, new Stream<K, V>(at)]),
    ) as BranchStreams<K, V, B>
    refuseLaterSteps('split', use?.(streams))
    return streams
  }

  /** The records of both streams; no order is promised between them. */
  merge<V2>(other: Stream<K, V2>, options: Named = {}): Stream<K, V | V2> {
    requireHandle('merge', other, 'stream')
    checkOptions('merge', options, namedOptions)
    refuseForeign(this.at.graph, other.at, 'stream')
    const from = [...new Set([this.at.node, other.at.node])]
    const node = this.at.graph.add('merge', 'merge', options.name, { from })
    return new Stream<K, V | V2>({
      graph: this.at.graph,
      node,
      key: this.at.key ?? other.at.key,
      value: this.at.value === other.at.value ? this.at.value : undefined,
      rekeyed: this.at.rekeyed || other.at.rekeyed,
    })
  }

  /**
   * Meets each record with its partner: the row of its key in a table, the row of a key you look up in a global table,
   * or every record of another stream within a window. A record without partner ends here.
   *
   * @example
   * orders.join(customers, (order, customer) => ({ ...order, name: customer.name })) // a table
   * orders.join(rates, ({ value }) => value.currency, convert) // a global table
   * orders.join(payments, paid, { name: 'paid-orders', windows: within(hours(1)) }) // a stream
   */
  join<R, J>(
    table: Table<NonNullable<K>, R>,
    joiner: Joiner<NonNullable<K>, NonNullable<V>, R, J>,
    options?: StreamTableJoinOptions<K, V, J>,
  ): Stream<NonNullable<K>, J>
  join<K2, R, J>(
    table: GlobalTable<K2, R>,
    lookup: (record: KeyValueRecord<K, NonNullable<V>>) => K2 | null,
    joiner: Joiner<K, NonNullable<V>, R, J>,
    options?: GlobalJoinOptions<J>,
  ): Stream<K, J>
  join<R, J>(
    stream: Stream<K, R>,
    joiner: Joiner<NonNullable<K>, NonNullable<V>, NonNullable<R>, J>,
    options: StreamJoinOptions<K, V, R, J>,
  ): Stream<NonNullable<K>, J>
  join(other: Joinable, ...rest: JoinArguments): unknown {
    return new Stream(joinWith(this.at, other, 'inner', rest))
  }

  /** The same, but a record without partner goes on alone: the joiner gets null for it. */
  leftJoin<R, J>(
    table: Table<NonNullable<K>, R>,
    joiner: Joiner<K, NonNullable<V>, R | null, J>,
    options?: StreamTableJoinOptions<K, V, J>,
  ): Stream<K, J>
  leftJoin<K2, R, J>(
    table: GlobalTable<K2, R>,
    lookup: (record: KeyValueRecord<K, NonNullable<V>>) => K2 | null,
    joiner: Joiner<K, NonNullable<V>, R | null, J>,
    options?: GlobalJoinOptions<J>,
  ): Stream<K, J>
  leftJoin<R, J>(
    stream: Stream<K, R>,
    joiner: Joiner<K, NonNullable<V>, NonNullable<R> | null, J>,
    options: StreamJoinOptions<K, V, R, J>,
  ): Stream<K, J>
  leftJoin(other: Joinable, ...rest: JoinArguments): unknown {
    return new Stream(joinWith(this.at, other, 'left', rest))
  }

  /** The same within a window, where a record of either stream may be alone. */
  outerJoin<R, J>(
    stream: Stream<K, R>,
    joiner: Joiner<K, NonNullable<V> | null, NonNullable<R> | null, J>,
    options: StreamJoinOptions<K, V, R, J>,
  ): Stream<K, J> {
    return new Stream<K, J>(joinWith(this.at, stream, 'outer', [joiner, options]))
  }

  /**
   * A step of your own, with stores, timers and named children (the Processor API). Stores are declared with
   * `builder.store` and connected here by name. What groups or joins after it is repartitioned first.
   *
   * @example
   * orders.process<string, Alert>(watch, { name: 'watch', stores: ['latest-orders'], value: Alert }).to(alerts)
   */
  process<K2 = never, V2 = never>(
    supplier: Supplier<K, V, K2, V2>,
    options: KeyedProcessOptions<K2, V2> = {},
  ): Stream<K2, V2> {
    return new Stream<K2, V2>({
      ...processNode(this.at, 'process', supplier, options),
      key: options.key,
      value: optionalSerde(options.value),
      rekeyed: true,
    })
  }

  /** The same for a step that keeps keys, so that nothing after it needs a repartition. */
  processValues<V2 = never>(
    supplier: ValueSupplier<K, V, V2>,
    options: ValueProcessOptions<V2> = {},
  ): Stream<K, V2> {
    return new Stream<K, V2>({
      ...processNode(this.at, 'processValues', supplier as ProcessorSupplier, options),
      value: optionalSerde(options.value),
    })
  }

  /** Writes to a topic, or to one chosen record by record. Nulls are written as nulls (tombstones). */
  to(
    target: SinkTopic<NonNullable<K>, NonNullable<V>> | DynamicTopic<K, V>,
    options: SinkOptions<K, V> = {},
  ): void {
    const dynamic = typeof (target as Partial<DynamicTopic<K, V>> | null | undefined)?.name === 'function'
    if (dynamic) checkOptions('to', target, dynamicTopic)
    else checkArgument('to', target, sinkContract)
    checkOptions('to', options, sinkOptions)
    this.at.graph.add('sink', 'to', options.name, {
      from: [this.at.node],
      topic: (dynamic ? target.name : target) as NodeOf<'sink'>['topic'],
      key: target.key,
      value: (dynamic
        ? optionalSerde((target as DynamicTopic<K, V>).value as never)
        : target.value) as AnySinkTopic['value'],
      partitioner: (options.partitioner as Partitioner | undefined) ?? byInnerKey(this.at.key),
    })
  }

  /**
   * Writes through an internal topic `<application>-<name>-repartition` and goes on from there. Records without key are
   * dropped and counted, unless a left or outer join below takes them.
   */
  repartition(options: RepartitionOptions<K, V>): Stream<K, V> {
    checkOptions('repartition', options, repartitionOptions)
    return new Stream<K, V>(
      repartitioned(
        {
          ...this.at,
          key: options.key ?? this.at.key,
          value: optionalSerde(options.value) ?? this.at.value,
        },
        'repartition',
        options.name,
        { partitions: options.partitions, dropNullKeys: true },
      ),
    )
  }

  /** Groups by the key as it is; repartitions only where a step before may have changed it. */
  groupByKey(options: GroupByKeyOptions<K, V> = {}): GroupedStream<NonNullable<K>, V> {
    checkOptions('groupByKey', options, groupByKeyOptions)
    return handlesOf(this.at.graph).groupedStream<NonNullable<K>, V>(
      {
        ...this.at,
        key: options.key ?? this.at.key,
        value: optionalSerde(options.value) ?? this.at.value,
      },
      { name: options.name, partitions: undefined },
    )
  }

  /** Groups by a new key, through the repartition topic `<application>-<name>-repartition`. */
  groupBy<K2 extends string | null>(
    select: (record: KeyValueRecord<K, V>) => K2,
    options: GroupByTextOptions<K2, V>,
  ): GroupedStream<NonNullable<K2>, V>
  groupBy<K2>(
    select: (record: KeyValueRecord<K, V>) => K2,
    options: GroupByOptions<K2, V>,
  ): GroupedStream<NonNullable<K2>, V>
  groupBy<K2>(
    select: (record: KeyValueRecord<K, V>) => K2,
    options: GroupByTextOptions<K2, V>,
  ): GroupedStream<NonNullable<K2>, V> {
    requireFunction('groupBy', select)
    checkOptions('groupBy', options, groupByOptions)
    const rekeyed = this.selectKey(select, { key: options.key as never })
    return handlesOf(this.at.graph).groupedStream<NonNullable<K2>, V>(
      { ...rekeyed.at, value: optionalSerde(options.value) ?? this.at.value },
      { name: options.name, partitions: options.partitions },
    )
  }

  /** The stream as a table: the latest value by key, kept in a store of that name; a null value deletes. */
  toTable(options: ToTableOptions<K, V>): Table<NonNullable<K>, NonNullable<V>> {
    checkOptions('toTable', options, toTableOptions)
    const { graph } = this.at
    const at = materialisable(
      {
        ...this.at,
        key: options.key ?? this.at.key,
        value: optionalSerde(options.value) ?? this.at.value,
      },
      options.name ?? options.store,
    )
    addTableStore(at, options)
    const node = graph.add('toTable', 'toTable', options.name, { from: [at.node], store: options.store })
    return handlesOf(graph).table<NonNullable<K>, NonNullable<V>>({ ...at, node }, options.store)
  }

  #filter(verb: 'filter' | 'filterNot', predicate: Predicate<K, V>, options: Named): Stream<K, V> {
    requireFunction(verb, predicate)
    checkOptions(verb, options, namedOptions)
    const node = this.at.graph.add('filter', verb, options.name, {
      from: [this.at.node],
      verb,
      predicate: predicate as NodeOf<'filter'>['predicate'],
    })
    return this.#next(node, {})
  }

  #map<K2, V2>(
    verb: NodeOf<'map'>['verb'],
    transform: NodeOf<'map'>['transform'],
    options: Named,
    changed: Partial<Position>,
  ): Stream<K2, V2> {
    return this.#next(
      this.at.graph.add('map', verb, options.name, { from: [this.at.node], verb, transform }),
      changed,
    )
  }

  #peek(
    verb: NodeOf<'peek'>['verb'],
    action: (record: KeyValueRecord<K, V>) => void,
    options: Named,
  ): string {
    requireFunction(verb, action)
    if (verb !== 'print') checkOptions(verb, options, namedOptions)
    return this.at.graph.add('peek', verb, options.name, {
      from: [this.at.node],
      verb,
      action: action as NodeOf<'peek'>['action'],
    })
  }

  #next<K2, V2>(node: string, changed: Partial<Position>): Stream<K2, V2> {
    return new Stream<K2, V2>({ ...this.at, ...changed, node })
  }
}

/** Windowed keys are partitioned by the key inside, as Kafka Streams does: all windows of a key lie together. */
const byInnerKey = (key: AnySerde | undefined): Partitioner | undefined => {
  const inner = innerSerdeOf(key)
  if (inner === undefined) return undefined
  return ({ key: windowedKey }, partitionCount) =>
    windowedKey == null
      ? undefined
      : partitionForKey(
          serialized(inner, (windowedKey as Windowed<NonNullable<unknown>>).key),
          partitionCount,
        )
}

/** Operators, and the options behind them. */
const withOptions = <Options extends object>(
  verb: string,
  given: readonly unknown[],
): readonly [operators: NodeOf<'pipe'>['operators'], options: Options] => {
  const last = given.at(-1)
  const hasOptions = given.length > 1 && typeof last === 'object' && last !== null
  const operators = hasOptions ? given.slice(0, -1) : given
  for (const operator of operators) requireFunction(verb, operator)
  return [operators as NodeOf<'pipe'>['operators'], (hasOptions ? last : {}) as Options]
}

/** The last operator of a pipe: what it emits becomes the stream's records. */
export type PipeOperator<In, K, V> = OperatorFunction<In, Emitted<K, V>>

const emitted = (cause: AnyRecord, emission: unknown): AnyRecord => {
  const { key, value, timestamp, headers } = emittedRecordOf('the mapper returned', emission)
  const changed = cause.withKeyValue(key, value)
  const timed = timestamp === undefined ? changed : changed.withTimestamp(emittedTime(timestamp))
  return headers === undefined ? timed : timed.withHeaders(headers)
}

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
