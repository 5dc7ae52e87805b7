import type { OptionShape } from '../base/options.ts'
import { checkedByReader, numberCheckedByReader } from '../base/value-kinds.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import type { Windowed } from '../topic/windowed.ts'
import { sessionWindowed, timeWindowed } from '../topic/windowed.ts'
import type { EmitPolicy, NodeOf } from '../topology/node.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { SessionWindows, SlidingWindows, TimeWindows } from '../topology/windows.ts'
import type { Graph, Position } from './graph.ts'
import { handlesOf } from './handles.ts'
import type { Named, StoreOptions } from './options.ts'
import { namedOptions, storeOptions } from './options.ts'
import type { WindowedSideOutputs } from './side-outputs.ts'
import { addSideOutputs, windowedDroppedOption } from './side-outputs.ts'
import { storeBase } from './stores.ts'
import type { Table } from './table.ts'
import { neededRetentionMs } from './windows.ts'

/** How a windowed aggregate is stored and when it emits its results. */
export interface WindowedStoreOptions<K, V> extends StoreOptions, Named {
  /** Defaults to `onUpdate`; `onWindowClose` emits each window once, when it has closed. */
  readonly emit?: EmitPolicy
  /** How long windows are kept, for queries and late records: defaults to what the windows and their grace need. */
  readonly retention?: number
  readonly dropped?: WindowedSideOutputs<K, V>
}

export const windowedStoreOptions: OptionShape<WindowedStoreOptions<never, never>> = {
  ...namedOptions,
  ...storeOptions,
  // The node checks when it can emit, and the store how long it keeps windows.
  emit: checkedByReader,
  retention: numberCheckedByReader,
  dropped: windowedDroppedOption,
}

export type AnyWindows = TimeWindows | SlidingWindows | SessionWindows
export type WindowedVerb = NodeOf<'windowAggregate'>['verb']

/** One input of a windowed aggregate: a grouped stream where it is partitioned by its key, and how it is added. */
export interface AggregateInput {
  readonly from: Position
  readonly add: NodeOf<'windowAggregate'>['add']
  readonly dropped: WindowedSideOutputs<never, never> | undefined
}

/** What all inputs share. */
export interface AggregateFunctions {
  readonly verb: WindowedVerb
  readonly value: AnySerde | undefined
  readonly initial: () => unknown
  readonly merge: NodeOf<'sessionAggregate'>['merge'] | undefined
}

/**
 * Adds a windowed aggregate: its store, a node for each input, and where there are several a node that brings their
 * updates together.
 */
export const addWindowedAggregate = <K, A>(
  windows: AnyWindows,
  inputs: readonly [AggregateInput, ...AggregateInput[]],
  functions: AggregateFunctions,
  options: WindowedStoreOptions<never, never>,
): Table<Windowed<K>, A> => {
  const [{ from }] = inputs
  const { graph } = from
  const value = graph.valueSerde(functions.value, `store '${options.store}'`)
  graph.addStore(windowStore({ ...from, value }, windows, options))
  const nodes = inputs.map((input) => addNode(windows, input, functions, options))
  const node =
    functions.verb === 'cogroup'
      ? graph.add('merge', 'cogroup', options.name, { from: nodes })
      : (nodes[0] as string)
  return handlesOf(graph).table<Windowed<K>, A>(
    { graph, node, key: windowedSerde(graph.keySerde(from.key), windows), value, rekeyed: false },
    options.store,
  )
}

const addNode = (
  windows: AnyWindows,
  { from, add, dropped }: AggregateInput,
  { verb, initial, merge }: AggregateFunctions,
  options: WindowedStoreOptions<never, never>,
): string => {
  const common = {
    from: [from.node],
    verb,
    store: options.store,
    initial,
    add,
    emit: options.emit ?? 'onUpdate',
  }
  const name = verb === 'cogroup' ? undefined : options.name
  const node = addOfKind(from.graph, windows, name, common, merge, retentionOf(windows, options))
  addSideOutputs(from, node, dropped)
  return node
}

const addOfKind = (
  graph: Graph,
  windows: AnyWindows,
  name: string | undefined,
  common: Omit<NodeOf<'windowAggregate'>, 'kind' | 'name' | 'named' | 'windows'>,
  merge: AggregateFunctions['merge'],
  retentionMs: number,
): string => {
  switch (windows.kind) {
    case 'time':
      return graph.add('windowAggregate', common.verb, name, { ...common, windows })
    case 'sliding':
      return graph.add('slidingAggregate', common.verb, name, { ...common, windows })
    case 'session':
      return graph.add('sessionAggregate', common.verb, name, {
        ...common,
        windows,
        merge: merge as NodeOf<'sessionAggregate'>['merge'],
        retentionMs,
      })
  }
}

/** The serde of a windowed key, of which stores and topics keep the bounds they need. */
const windowedSerde = (key: AnySerde, windows: AnyWindows): AnySerde => {
  const inner = key as unknown as Serde<unknown>
  switch (windows.kind) {
    case 'time':
      return timeWindowed(inner, windows.sizeMs)
    case 'sliding':
      return timeWindowed(inner, windows.differenceMs)
    case 'session':
      return sessionWindowed(inner)
  }
}

const windowStore = (
  at: Position,
  windows: AnyWindows,
  options: WindowedStoreOptions<never, never>,
): StoreDefinition => {
  const needed = neededRetentionMs(windows)
  const retentionMs = retentionOf(windows, options)
  if (retentionMs < needed)
    at.graph.fault(
      'RETENTION_TOO_SHORT',
      `store '${options.store}' keeps windows for ${retentionMs} ms, but they may change for ${needed} ms`,
      'give a longer `retention`, or none',
    )
  const base = storeBase(at, options)
  // As in Kafka Streams, a window that has just closed stays visible to followers and queries; a session does not.
  const kept =
    options.emit === 'onWindowClose' && windows.kind !== 'session'
      ? { retentionMs: retentionMs + 1, changelogRetentionMs: retentionMs }
      : { retentionMs }
  if (windows.kind === 'session') return { kind: 'session', ...kept, ...base }
  const windowSizeMs = windows.kind === 'time' ? windows.sizeMs : windows.differenceMs
  return { kind: 'window', windowSizeMs, ...kept, ...base }
}

const retentionOf = (windows: AnyWindows, options: WindowedStoreOptions<never, never>): number =>
  options.retention ?? neededRetentionMs(windows)
