import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { required } from '../base/value-kinds.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { Windowed } from '../topic/windowed.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../topology/windows.ts'
import type { Adder, Initial } from './callbacks.ts'
import { requireFunction, requireHandle } from './arguments.ts'
import { callbackOption, initialiser, initialOption } from './callbacks.ts'
import type { GroupedStream } from './grouped-stream.ts'
import { handlesOf } from './handles.ts'
import type { EmitOptions, Named, SerdeSource, StoreOptions } from './options.ts'
import { emitOptions, namedOptions, optionalSerde, storeOptions } from './options.ts'
import type { WindowedSideOutputs } from './side-outputs.ts'
import { addSideOutputs, windowedDroppedOption } from './side-outputs.ts'
import { addKeyValueStore } from './stores.ts'
import type { Table } from './table.ts'
import type { AggregateInput, AnyWindows, WindowedStoreOptions } from './windowed-aggregate.ts'
import { addWindowedAggregate, windowedStoreOptions } from './windowed-aggregate.ts'
import { requireWindows } from './windows.ts'
import type { Groupable } from './windowed-stream.ts'

/** One of the streams of a cogroup and how its values are added to the common aggregate. */
export interface CogroupPart {
  readonly grouped: Groupable
  readonly add: AggregateInput['add']
  readonly dropped: AggregateInput['dropped']
}

/** Options of one stream of a cogroup. */
export interface CogroupPartOptions<K, V> {
  /** Who takes up what the aggregate leaves out of this stream; only windows know late records. */
  readonly dropped?: WindowedSideOutputs<K, V>
}

/** Options of `aggregate` on a cogrouped stream: the initial aggregate, its serde and its store. */
export interface CogroupOptions<A> extends StoreOptions, EmitOptions, Named {
  readonly initial: Initial<A>
  readonly value: SerdeSource<NonNullable<A>>
}

/** Options of `aggregate` on a cogrouped stream with windows: the initial aggregate, its serde and its store. */
export interface WindowedCogroupOptions<A> extends Omit<WindowedStoreOptions<never, never>, 'dropped'> {
  readonly initial: Initial<A>
  readonly value: SerdeSource<NonNullable<A>>
}

/** Options of `aggregate` on a cogrouped stream with session windows. */
export interface SessionCogroupOptions<K, A> extends WindowedCogroupOptions<A> {
  /** Makes one aggregate of two where a record joins their sessions; the earlier session is the first. */
  readonly merge: (left: A, right: A, key: K) => A
}

export const cogroupPart = (
  grouped: Groupable,
  add: CogroupPart['add'],
  options: CogroupPartOptions<never, never>,
): CogroupPart => {
  requireHandle('cogroup', grouped, 'groupedStream')
  requireFunction('cogroup', add)
  checkOptions('cogroup', options, partOptions)
  return { grouped, add, dropped: options.dropped }
}

const partOptions: OptionShape<CogroupPartOptions<never, never>> = { dropped: windowedDroppedOption }

const cogroupOptions: OptionShape<CogroupOptions<object>> = {
  ...namedOptions,
  ...storeOptions,
  ...emitOptions,
  initial: initialOption,
  value: required(serdeSource),
}
const { dropped: _perPart, ...storedWindows } = windowedStoreOptions
const windowedCogroupOptions: OptionShape<WindowedCogroupOptions<object>> = {
  ...storedWindows,
  initial: initialOption,
  value: required(serdeSource),
}
const sessionCogroupOptions: OptionShape<SessionCogroupOptions<never, object>> = {
  ...windowedCogroupOptions,
  merge: callbackOption('merge'),
}

/**
 * Several grouped streams of one key, folded into one aggregate, each by its own function (Kafka Streams'
 * `CogroupedKStream`): one store, where joining their aggregates would need one for each.
 *
 * @example
 * orders.groupByKey()
 *   .cogroup<Customer>((customer, order) => ({ ...customer, spent: customer.spent + order.amount }))
 *   .cogroup(returns.groupByKey(), (customer) => ({ ...customer, returns: customer.returns + 1 }))
 *   .aggregate({ store: 'customers', value: Customer, initial: newCustomer })
 */
export class CogroupedStream<K, A> {
  readonly #parts: readonly [CogroupPart, ...CogroupPart[]]

  constructor(parts: readonly [CogroupPart, ...CogroupPart[]]) {
    this.#parts = parts
  }

  /** Adds another stream of the same key. */
  cogroup<V>(
    grouped: GroupedStream<K, V>,
    add: Adder<A, K, NonNullable<V>>,
    options: CogroupPartOptions<K, V> = {},
  ): CogroupedStream<K, A> {
    return new CogroupedStream<K, A>([...this.#parts, cogroupPart(grouped, add as never, options as never)])
  }

  /** The aggregates as a table. Records with a null key or value are dropped and counted. */
  aggregate(options: CogroupOptions<A>): Table<K, NonNullable<A>> {
    checkOptions('aggregate', options, cogroupOptions)
    const inputs = inputsOf(this.#parts, options.store)
    const [{ from }] = inputs
    const { graph } = from
    const value = graph.valueSerde(optionalSerde(options.value), `store '${options.store}'`)
    addKeyValueStore({ ...from, value }, options)
    const nodes = inputs.map(({ from: input, add, dropped }) => {
      const node = graph.add('aggregate', 'cogroup', undefined, {
        from: [input.node],
        verb: 'cogroup',
        store: options.store,
        initial: initialiser(options.initial),
        add,
        emit: options.emit ?? 'onUpdate',
      })
      addSideOutputs(input, node, dropped)
      return node
    })
    const node = graph.add('merge', 'cogroup', options.name, { from: nodes })
    return handlesOf(graph).table<K, NonNullable<A>>({ ...from, node, value, rekeyed: false }, options.store)
  }

  /** The aggregates within tumbling, hopping or sliding windows. */
  windowedBy(windows: TimeWindows | SlidingWindows): TimeWindowedCogroupedStream<K, A>
  /** The aggregates within sessions. */
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedStream<K, A>
  windowedBy(windows: AnyWindows): TimeWindowedCogroupedStream<K, A> | SessionWindowedCogroupedStream<K, A> {
    requireWindows(windows)
    return windows.kind === 'session'
      ? new SessionWindowedCogroupedStream<K, A>(this.#parts, windows)
      : new TimeWindowedCogroupedStream<K, A>(this.#parts, windows)
  }
}

/** Several grouped streams of one key within time windows; each keeps its own stream time. */
export class TimeWindowedCogroupedStream<K, A> {
  readonly #parts: readonly [CogroupPart, ...CogroupPart[]]
  readonly #windows: TimeWindows | SlidingWindows

  constructor(parts: readonly [CogroupPart, ...CogroupPart[]], windows: TimeWindows | SlidingWindows) {
    this.#parts = parts
    this.#windows = windows
  }

  aggregate(options: WindowedCogroupOptions<A>): Table<Windowed<K>, NonNullable<A>> {
    checkOptions('aggregate', options, windowedCogroupOptions)
    return windowedCogroup(this.#windows, this.#parts, options, undefined)
  }
}

/** Several grouped streams of one key within sessions; each keeps its own stream time. */
export class SessionWindowedCogroupedStream<K, A> {
  readonly #parts: readonly [CogroupPart, ...CogroupPart[]]
  readonly #windows: SessionWindows

  constructor(parts: readonly [CogroupPart, ...CogroupPart[]], windows: SessionWindows) {
    this.#parts = parts
    this.#windows = windows
  }

  aggregate(options: SessionCogroupOptions<K, A>): Table<Windowed<K>, NonNullable<A>> {
    checkOptions('aggregate', options, sessionCogroupOptions)
    const { merge } = options
    return windowedCogroup(this.#windows, this.#parts, options, (key, left, right) =>
      merge(left as A, right as A, key as K),
    )
  }
}

const windowedCogroup = <K, A>(
  windows: AnyWindows,
  parts: readonly [CogroupPart, ...CogroupPart[]],
  options: WindowedCogroupOptions<A>,
  merge: ((key: unknown, left: unknown, right: unknown) => unknown) | undefined,
): Table<Windowed<K>, NonNullable<A>> =>
  addWindowedAggregate<K, NonNullable<A>>(
    windows,
    inputsOf(parts, options.store),
    {
      verb: 'cogroup',
      value: optionalSerde(options.value),
      initial: initialiser(options.initial),
      merge,
    },
    options,
  )

/** Every part where it is partitioned by its key; a part without a name of its own is numbered after the store. */
const inputsOf = (
  parts: readonly [CogroupPart, ...CogroupPart[]],
  store: string,
): readonly [AggregateInput, ...AggregateInput[]] =>
  parts.map(({ grouped, add, dropped }, index) => ({
    from: grouped.materialise(`${store}-${index}`),
    add,
    dropped,
  })) as unknown as readonly [AggregateInput, ...AggregateInput[]]
