import { isDuration } from '../base/duration.ts'
import { Fault } from '../base/fault.ts'
import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { checkedByReader, flag, synchronous, text } from '../base/value-kinds.ts'
import { shown } from '../base/shown.ts'
import type { AnySerde } from '../topic/serde.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { Topic } from '../topic/topic.ts'
import { serde, topicContract } from '../topic/value-kinds.ts'
import type { NodeOf, OffsetReset, TimestampExtractor } from '../topology/node.ts'
import type { SourceTopic } from '../topology/node-topic.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import { optimised } from '../topology/optimise.ts'
import type { Topology } from '../topology/topology.ts'
import { definitionProblems } from '../topology/validate.ts'
import type { Position } from './graph.ts'
import { GlobalTable } from './global-table.ts'
import { Graph } from './graph.ts'
import { refuseLaterSteps, requireFunction } from './arguments.ts'
import { GroupedStream } from './grouped-stream.ts'
import { GroupedTable } from './grouped-table.ts'
import type { Handles } from './handles.ts'
import type { Named, StoreOptions, TableStoreOptions } from './options.ts'
import { namedOptions, storeOptions, tableStoreOptions } from './options.ts'
import { relaxRepartitions } from './relaxed-repartitions.ts'
import { Stream } from './stream.ts'
import { addTableStore, storeBase } from './stores.ts'
import { addNeededStores } from './needed-stores.ts'
import { Table } from './table.ts'

/** Options of `builder.stream` (Kafka Streams' `Consumed`): where reading starts, and the time of the records. */
export interface SourceOptions<K, V> extends Named {
  /** Defaults to the record's own timestamp. A negative result drops the record and counts it. */
  readonly timestampExtractor?: (
    record: KeyValueRecord<K, V>,
    partitionTimeMs: number,
    nowMs: number,
  ) => number
  /** Where to begin without a committed offset; defaults to the setting of the application. */
  readonly offsetReset?: OffsetReset
  /** How far a record's time may be ahead of the clock before the record fails; the application's setting by default. */
  readonly maxTimestampAheadMs?: number
}

/** Options of `builder.table`: the store of its rows and how its topic is read. */
export type TableSourceOptions<K, V> = TableStoreOptions & SourceOptions<K, V>

/** Options of `builder.globalTable`: the store of its rows and how its topic is read. */
export type GlobalTableOptions<K, V> = Pick<StoreOptions, 'store' | 'storage'> &
  Omit<SourceOptions<K, V>, 'maxTimestampAheadMs'>

const globalSourceOptions: OptionShape<Omit<SourceOptions<never, never>, 'maxTimestampAheadMs'>> = {
  ...namedOptions,
  timestampExtractor: synchronous,
  // The builder checks the value.
  offsetReset: checkedByReader,
}
const sourceOptions: OptionShape<SourceOptions<never, never>> = {
  ...globalSourceOptions,
  maxTimestampAheadMs: checkedByReader,
}
const tableOptions: OptionShape<TableSourceOptions<never, never>> = { ...sourceOptions, ...tableStoreOptions }
const globalTableOptions: OptionShape<GlobalTableOptions<never, never>> = {
  ...globalSourceOptions,
  store: storeOptions.store,
  storage: storeOptions.storage,
}

/**
 * Makes the streams, tables and stores of a topology (Kafka Streams' `StreamsBuilder`). `topology` passes it to the
 * function that defines the topology.
 *
 * @example
 * topology('orders', (builder) => builder.stream(orderPlaced).forEach(console.log))
 */
export class TopologyBuilder {
  /** @internal */
  readonly graph: Graph

  constructor(name: string) {
    this.graph = new Graph(name, handles)
  }

  /**
   * The records of one topic, or of several with the same contract. Asking for the same again continues the same source.
   *
   * @example
   * builder.stream(orderPlaced)
   * builder.stream([ordersEurope, ordersAmerica])
   */
  stream<K, V>(
    source: Topic<K, V> | readonly [Topic<K, V>, ...Topic<K, V>[]],
    options: SourceOptions<K, V> = {},
  ): Stream<K, V> {
    const topics = (Array.isArray(source) ? source : [source]) as readonly Topic<K, V>[]
    for (const each of topics.length === 0 ? [undefined] : topics)
      checkArgument('stream', each, topicContract)
    const first = topics[0] as Topic<K, V>
    return this.#source('stream', topics, first, options)
  }

  /** The records of every topic whose whole name matches, topics made later included. */
  streamMatching<K, V>(
    pattern: RegExp,
    contract: Pick<Topic<K, V>, 'key' | 'value'>,
    options: SourceOptions<K, V> = {},
  ): Stream<K, V> {
    checkArgument('streamMatching', pattern, patternKind)
    checkArgument('streamMatching', contract, contractKind)
    for (const name of ['timestampExtractor', 'maxTimestampAheadMs', 'offsetReset'])
      if (name in contract)
        this.graph.refuseArgument(
          `streamMatching takes ${name} in its third argument, not beside key and value`,
        )
    return this.#source('streamMatching', wholeName(pattern), contract, options)
  }

  /**
   * A topic as a table: the latest value by key, in a store of that name; `versioned` keeps the values before it too.
   *
   * @example
   * builder.table(customers, { store: 'customers' })
   * builder.table(prices, { store: 'prices', versioned: { historyRetention: hours(1) } })
   */
  table<K, V>(source: Topic<K, V>, options: TableSourceOptions<K, V>): Table<NonNullable<K>, NonNullable<V>> {
    checkArgument('table', source, topicContract)
    checkOptions('table', options, tableOptions)
    this.#checkSource('table', options)
    const at = this.#position('', source)
    addTableStore(at, options)
    const node = this.graph.add('tableSource', 'table', options.name, {
      from: [],
      topic: source,
      store: options.store,
      global: false,
      timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
      maxTimestampAheadMs: options.maxTimestampAheadMs,
      offsetReset: options.offsetReset,
    })
    return new Table<NonNullable<K>, NonNullable<V>>({ ...at, node }, options.store)
  }

  /**
   * A topic as a table that every task holds whole, filled before the first record is processed: for joins under any
   * key. Its topic is its changelog.
   *
   * @example
   * const rates = builder.globalTable(exchangeRates, { store: 'exchange-rates' })
   */
  globalTable<K, V>(
    source: Topic<K, V>,
    options: GlobalTableOptions<K, V>,
  ): GlobalTable<NonNullable<K>, NonNullable<V>> {
    const { graph } = this
    checkArgument('globalTable', source, topicContract)
    checkOptions('globalTable', options, globalTableOptions)
    this.#checkSource('globalTable', options)
    const at = this.#position('', source)
    graph.addStore({
      kind: 'keyValue',
      timestamped: true,
      ...storeBase(at, { ...options, changelog: false }),
      changelogTopic: source.name,
    })
    const node = graph.add('tableSource', 'globalTable', options.name, {
      from: [],
      topic: source,
      store: options.store,
      global: true,
      timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
      offsetReset: options.offsetReset,
    })
    return new GlobalTable<NonNullable<K>, NonNullable<V>>(graph, node, options.store, at.key as AnySerde)
  }

  /** A store that processors connect to by name. */
  store(definition: StoreDefinition): void {
    checkArgument('store', definition, storeKind)
    this.graph.addStore(definition)
  }

  #source<K, V>(
    verb: 'stream' | 'streamMatching',
    topics: readonly SourceTopic[] | RegExp,
    contract: Pick<Topic<K, V>, 'key' | 'value'>,
    options: SourceOptions<K, V>,
  ): Stream<K, V> {
    checkOptions(verb, options, sourceOptions)
    const source = {
      from: [],
      topics,
      key: contract.key as AnySerde,
      value: contract.value as AnySerde,
      timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
      offsetReset: options.offsetReset,
      maxTimestampAheadMs: options.maxTimestampAheadMs,
    }
    this.#checkSource(verb, options)
    // A topic that is asked for again is read once, as its records have one committed offset.
    const known = this.graph.nodes.find((node) => node.kind === 'source' && isSameSource(node, source))
    const node = known?.name ?? this.graph.add('source', 'stream', options.name, source)
    return new Stream<K, V>(this.#position(node, contract))
  }

  #checkSource(verb: string, { offsetReset, maxTimestampAheadMs }: SourceOptions<never, never>): void {
    if (!offsetResets.has(offsetReset))
      this.graph.refuseArgument(
        `${verb}: offsetReset is ${shown(offsetReset)}, and may be earliest, latest, none`,
      )
    if (maxTimestampAheadMs !== undefined && !isDuration(maxTimestampAheadMs))
      this.graph.refuseArgument(
        `${verb}: maxTimestampAheadMs is ${shown(maxTimestampAheadMs)}, and needs whole milliseconds`,
      )
  }

  #position<K, V>(node: string, contract: Pick<Topic<K, V>, 'key' | 'value'>): Position {
    return {
      graph: this.graph,
      node,
      key: contract.key,
      value: contract.value,
      rekeyed: false,
    }
  }
}

const offsetResets: ReadonlySet<unknown> = new Set([undefined, 'earliest', 'latest', 'none'])

const patternKind: ValueKind = {
  needs: 'a regular expression',
  accepts: (value) => value instanceof RegExp,
}

const contractKind: ValueKind = {
  needs: '{ key, value } with the serdes of the topics',
  accepts: (value) => {
    const contract = value as Partial<Pick<Topic<never, never>, 'key' | 'value'>> | null | undefined
    return serde.accepts(contract?.key) && serde.accepts(contract?.value)
  },
}

const storeKind: ValueKind = {
  needs: 'a store',
  example: 'keyValueStore(name, { value })',
  accepts: (value) => {
    const store = value as Partial<StoreDefinition> | null | undefined
    return typeof store?.kind === 'string' && serde.accepts(store.value)
  },
}

type Source = Omit<NodeOf<'source'>, 'kind' | 'name' | 'named'>

const isSameSource = (left: Source, right: Source): boolean =>
  String(topicNames(left)) === String(topicNames(right)) &&
  left.key === right.key &&
  left.value === right.value &&
  left.timestampExtractor === right.timestampExtractor &&
  left.offsetReset === right.offsetReset &&
  left.maxTimestampAheadMs === right.maxTimestampAheadMs

const topicNames = ({ topics }: Source): RegExp | readonly string[] =>
  topics instanceof RegExp ? topics : topics.map(({ name }) => name)

/** The whole name has to match; without flags that would make a pattern remember its last match. */
const wholeName = ({ source, flags }: RegExp): RegExp =>
  new RegExp(`^(?:${source})$`, flags.replaceAll(/[gy]/g, ''))

const handles: Handles = {
  stream: (at) => new Stream(at),
  table: (at, store) => new Table(at, store),
  groupedStream: (at, grouping) => new GroupedStream(at, grouping),
  groupedTable: (at) => new GroupedTable(at),
}

/** Options of `topology`. */
export interface TopologyOptions {
  /** The service that answers for this topology (its bounded context). */
  readonly owner?: string
  /**
   * Saves topics. A table's source topic serves as its changelog, as under Kafka Streams'
   * `topology.optimization=reuse.ktable.source.topics`. Repartitions directly behind one step that write the same bytes
   * become one. That is less than `topology.optimization=all`, which also merges repartitions with steps between them and
   * the change of the key. Decide before the first deployment: it changes which topics there are.
   */
  readonly optimise?: boolean
}

const topologyOptions: OptionShape<TopologyOptions> = { owner: text, optimise: flag }

/**
 * Says a topology: `define` is called once, at once, and may only describe. Every fault of it is reported together.
 *
 * @example
 * export const shipping = topology('shipping', (builder) => {
 *   builder.stream(paymentCompleted).mapValues(toShipment, { value: Shipment }).to(shipments)
 * })
 */
export const topology = (
  name: string,
  define: (builder: TopologyBuilder) => void,
  options: TopologyOptions = {},
): Topology => {
  checkArgument('topology', name, text)
  requireFunction(`topology '${name}'`, define)
  checkOptions(`topology '${name}'`, options, topologyOptions)
  const builder = new TopologyBuilder(name)
  refuseLaterSteps(`the function of topology '${name}'`, define(builder))
  addNeededStores(builder.graph)
  relaxRepartitions(builder.graph)
  if (options.optimise === true) refuseSelfJoins(builder.graph)
  const { nodes, stores } = options.optimise === true ? optimised(builder.graph) : builder.graph
  builder.graph.finish()
  const result: Topology = Object.freeze({
    name,
    owner: options.owner,
    nodes: Object.freeze([...nodes]),
    stores: Object.freeze([...stores]),
  })
  const faults = [...builder.graph.faults, ...faultsOf(result)]
  if (faults.length > 0) throw topologyFault(name, faults)
  return result
}

/** Kafka Streams makes an optimised self-join one operator with one store, which gives other results and another changelog. */
const refuseSelfJoins = (graph: Graph): void => {
  for (const node of graph.nodes)
    if (node.kind === 'streamStreamJoin' && isSelfJoin(graph, node.from))
      graph.fault(
        'OPTIMISED_SELF_JOIN',
        `'${node.name}' joins a stream with itself, which Kafka Streams optimises into one store with other results`,
        'leave out optimise',
        node.name,
      )
}

/** True where both sides are one stream, or repartitions of one: after a change of key, a join makes one for each side. */
const isSelfJoin = (graph: Graph, [left, right]: readonly string[]): boolean => {
  if (left === right) return true
  const [leftOrigin, rightOrigin] = [left, right].map((name) => {
    const node = graph.nodes.find((each) => each.name === name)
    return node?.kind === 'repartition' ? node.from[0] : undefined
  })
  return leftOrigin !== undefined && leftOrigin === rightOrigin
}

const faultsOf = (said: Topology): readonly Fault[] =>
  definitionProblems(said)
    .filter(({ severity }) => severity === 'error')
    .map(
      ({ code, message, remedy, node, store }) =>
        new Fault({ code, actor: 'author', message, remedy, place: { node, store } }),
    )

const topologyFault = (name: string, faults: readonly Fault[]): Fault =>
  new Fault({
    code: 'TOPOLOGY_INVALID',
    actor: 'author',
    message: `topology '${name}' has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}:\n${faults
      .map(({ message }) => `  - ${message}`)
      .join('\n')}`,
    cause: new AggregateError(faults),
  })
