import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { checkedByReader, count, flag, numberCheckedByReader, required, text } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import type { WaitingValues } from '../topology/join-store-serdes.ts'
import {
  bufferedKeySerde,
  bufferedValueSerde,
  waitingKeySerde,
  waitingValuesSerde,
} from '../topology/join-store-serdes.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import type { JoinWindows } from '../topology/windows.ts'
import { GlobalTable } from './global-table.ts'
import type { Handle } from './arguments.ts'
import { requireFunction, requireHandle } from './arguments.ts'
import { refuseForeign } from './refuse-foreign.ts'
import type { Position } from './graph.ts'
import type { Named, SerdeSource } from './options.ts'
import { namedOptions, optionalSerde } from './options.ts'
import { repartitioned } from './repartitioned.ts'
import type { SideOutputs } from './side-outputs.ts'
import { addSideOutputs, droppedOption } from './side-outputs.ts'
import { joinWindowsKind } from './join-windows.ts'

/**
 * What the joins of a stream say. Both sides must be partitioned alike: a stream whose key was changed goes through a
 * repartition topic first, under the name of the join.
 */

/** Joining a stream with a table. */
export interface StreamTableJoinOptions<K, V, J> extends Named {
  /** Needed where the stream's key was changed (`<application>-<name>-repartition`) and with a grace. */
  readonly name?: string
  /** How the key and the stream's values stand on the repartition topic, where the steps before did not say. */
  readonly key?: Serde<NonNullable<K>>
  readonly left?: SerdeSource<NonNullable<V>>
  /** How the joined values stand on a topic, for what follows. */
  readonly value?: SerdeSource<NonNullable<J>>
  /** Partitions of the repartition topic, if there has to be one. */
  readonly partitions?: number
  /**
   * With a versioned table: how long a record of the stream waits, in stream time, for updates of the table that are
   * older than itself. The waiting records are kept in the store `<name>-Buffer`.
   */
  readonly grace?: number
  /** Where the waiting records are kept. Defaults to `disk`. */
  readonly storage?: 'memory' | 'disk'
  /** Records without value, or in an inner join without key, are counted, and may be taken up as streams too. */
  readonly dropped?: SideOutputs<K, V>
}

/** Joining a stream with a global table. */
export interface GlobalJoinOptions<J> extends Named {
  /** How the joined values stand on a topic, for what follows. */
  readonly value?: SerdeSource<NonNullable<J>>
}

/** Joining two streams within a window. */
export interface StreamJoinOptions<K, L, R, J> {
  /** Becomes part of the names of the stores and repartition topics, so it stays over deployments. */
  readonly name: string
  /** How far apart partners may lie: `within(...)` or `joinWindows(...)`. */
  readonly windows: JoinWindows
  /** How the key and the values of both sides stand in the stores, where the steps before did not say. */
  readonly key?: Serde<NonNullable<K>>
  readonly left?: SerdeSource<NonNullable<L>>
  readonly right?: SerdeSource<NonNullable<R>>
  /** How the joined values stand on a topic, for what follows. */
  readonly value?: SerdeSource<NonNullable<J>>
  /** Partitions of repartition topics, if there have to be any. */
  readonly partitions?: number
  /** How long partners are kept; defaults to before + after + grace. */
  readonly retention?: number
  /** Where partners are kept. Defaults to `disk`. */
  readonly storage?: 'memory' | 'disk'
  /** False for stores that a restart may lose. */
  readonly changelog?: boolean
}

/** What a stream is joined with. */
export type Joinable =
  | (Handle<'table'> & { readonly at: Position; readonly store: string | undefined })
  | (Handle<'stream'> & { readonly at: Position })
  | GlobalTable<unknown, unknown>

/** `(joiner, options)`, with a look-up before them for global tables. */
export type JoinArguments = readonly unknown[]

/** Adds the join that suits the other side. */
export const joinWith = (
  stream: Position,
  other: Joinable,
  type: 'inner' | 'left' | 'outer',
  rest: JoinArguments,
): Position => {
  const verb = verbs[type]
  if (type === 'outer') requireHandle(verb, other, 'stream')
  else requireHandle(verb, other, 'table', 'globalTable', 'stream')
  const kind = type as 'inner' | 'left'
  if (other instanceof GlobalTable) {
    const [lookup, joiner, options = {}] = rest as readonly [never, never, GlobalJoinOptions<never>?]
    requireFunction(verb, lookup, 'lookup')
    requireFunction(verb, joiner, 'joiner')
    checkOptions(verb, options, globalJoinOptions)
    return joinGlobalTable(stream, other, kind, lookup, joiner, options)
  }
  const [joiner, options] = rest as readonly [never, never]
  requireFunction(verb, joiner, 'joiner')
  if (other.handle === 'stream') {
    checkOptions(verb, options, streamJoinOptions)
    return joinStreams(stream, other.at, type, joiner, options)
  }
  const tableOptions: AnyStreamTableJoinOptions = options === undefined ? {} : options
  checkOptions(verb, tableOptions, tableJoinOptions)
  return joinTable(stream, other, kind, joiner, tableOptions)
}

const globalJoinOptions: OptionShape<GlobalJoinOptions<never>> = { ...namedOptions, value: serdeSource }

const tableJoinOptions: OptionShape<AnyStreamTableJoinOptions> = {
  ...globalJoinOptions,
  key: serde,
  left: serdeSource,
  partitions: count,
  // The store checks both.
  grace: numberCheckedByReader,
  storage: checkedByReader,
  dropped: droppedOption,
}

const streamJoinOptions: OptionShape<StreamJoinOptions<never, never, never, never>> = {
  name: required(text),
  windows: required(joinWindowsKind),
  key: serde,
  left: serdeSource,
  right: serdeSource,
  value: serdeSource,
  partitions: count,
  // The stores check both.
  retention: numberCheckedByReader,
  storage: checkedByReader,
  changelog: flag,
}

type JoinFunction = NodeOf<'streamTableJoin'>['join']
const verbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

type AnyStreamTableJoinOptions = StreamTableJoinOptions<never, never, never>

/** Adds a stream-table join, behind a repartition where the stream's key was changed. */
export const joinTable = (
  stream: Position,
  table: { readonly at: Position; readonly store: string | undefined },
  type: 'inner' | 'left',
  join: JoinFunction,
  options: AnyStreamTableJoinOptions,
): Position => {
  const { graph } = stream
  refuseForeign(graph, table.at, 'table')
  const left = partitionedLike(stream, table.at.key, options, options.left, {
    name: options.name,
    dropNullKeys: type === 'inner',
  })
  const store = options.grace === undefined ? undefined : addBuffer(left, options)
  const node = graph.add('streamTableJoin', verbs[type], options.name, {
    from: [left.node, table.at.node],
    type,
    join,
    graceMs: options.grace,
    store,
  })
  addSideOutputs(left, node, options.dropped)
  return { ...left, node, value: optionalSerde(options.value) }
}

/** Adds a join with a global table: there is no partitioning to mind, as every task holds all its rows. */
export const joinGlobalTable = (
  stream: Position,
  table: GlobalTable<unknown, unknown>,
  type: 'inner' | 'left',
  lookup: (record: KeyValueRecord<unknown, unknown>) => unknown,
  join: JoinFunction,
  options: GlobalJoinOptions<never>,
): Position => {
  refuseForeign(stream.graph, table, 'table')
  const node = stream.graph.add('streamGlobalTableJoin', verbs[type], options.name, {
    from: [stream.node, table.node],
    type,
    globalStore: table.store,
    lookup,
    join,
  })
  return { ...stream, node, value: optionalSerde(options.value) }
}

/** Adds a windowed join of two streams with its stores, named as Kafka Streams names them. */
export const joinStreams = (
  leftStream: Position,
  rightStream: Position,
  type: 'inner' | 'left' | 'outer',
  join: JoinFunction,
  options: StreamJoinOptions<never, never, never, never>,
): Position => {
  const { graph } = leftStream
  const { name } = options
  refuseForeign(graph, rightStream, 'stream')
  const left = partitionedLike(leftStream, rightStream.key, options, options.left, {
    name: `${name}-left`,
    dropNullKeys: type === 'inner',
  })
  const right = partitionedLike(rightStream, left.key, options, options.right, {
    name: `${name}-right`,
    // Records of the right without key have no partner, but are counted as Kafka Streams counts them: by the join.
    dropNullKeys: type === 'inner',
  })
  const leftStore = addSide(left, `${name}-${type === 'outer' ? 'outer-this' : 'this'}-join-store`, options)
  const rightStore = addSide(
    right,
    `${name}-${type === 'inner' ? 'other' : 'outer-other'}-join-store`,
    options,
  )
  const node = graph.add('streamStreamJoin', verbs[type], name, {
    from: [left.node, right.node],
    type,
    windows: options.windows,
    leftStore,
    rightStore,
    outerStore: type === 'inner' ? undefined : addWaiting(left, right, type, options),
    join,
  })
  return { ...left, node, value: optionalSerde(options.value), rekeyed: false }
}

/** The stream as it can be joined: serdes filled in, and behind a repartition where its key was changed. */
const partitionedLike = (
  at: Position,
  otherKey: AnySerde | undefined,
  options: { readonly key?: unknown; readonly partitions?: number },
  value: SerdeSource<never> | undefined,
  repartition: { readonly name: string | undefined; readonly dropNullKeys: boolean },
): Position => {
  const complete = {
    ...at,
    key: (options.key as AnySerde | undefined) ?? at.key ?? otherKey,
    value: optionalSerde(value) ?? at.value,
  }
  if (!at.rekeyed) return complete
  if (repartition.name === undefined) {
    at.graph.fault(
      'JOIN_NAME_MISSING',
      `a join after '${at.node}', which changes the key, needs a repartition topic, and that needs a name`,
      'give the join a `name`',
      at.node,
    )
  }
  return repartitioned(complete, 'join', repartition.name ?? at.node, {
    partitions: options.partitions,
    dropNullKeys: repartition.dropNullKeys,
  })
}

/** The records of a stream that wait for the past of a versioned table. */
const addBuffer = (at: Position, options: AnyStreamTableJoinOptions): string => {
  const { graph } = at
  const { name, grace = 0 } = options
  if (name === undefined)
    graph.fault('JOIN_NAME_MISSING', 'a join with a grace keeps a store', 'give the join a `name`', at.node)
  if (!isDuration(grace))
    graph.fault(
      'JOIN_GRACE_INVALID',
      `grace ${String(grace)} is negative or no whole number`,
      'give it as milliseconds',
    )
  const buffer = `${name ?? at.node}-Buffer`
  return graph.addStore({
    kind: 'keyValue',
    timestamped: false,
    name: buffer,
    key: bufferedKeySerde(graph.keySerde(at.key)),
    value: bufferedValueSerde(graph.valueSerde(at.value, `store '${buffer}'`)),
    changelog: true,
    storage: options.storage ?? 'disk',
  })
}

type AnyStreamJoinOptions = StreamJoinOptions<never, never, never, never>

/** Every record of one side, as long as it may find a partner. */
const addSide = (at: Position, name: string, options: AnyStreamJoinOptions): string => {
  const { beforeMs, afterMs, graceMs } = options.windows
  const needed = beforeMs + afterMs + graceMs
  const retentionMs = options.retention ?? needed
  if (retentionMs < needed)
    at.graph.fault(
      'JOIN_RETENTION_TOO_SHORT',
      `store '${name}' keeps records for ${retentionMs} ms, but its join looks back ${needed} ms`,
      'give at least before + after + grace as `retention`',
    )
  return at.graph.addStore({
    kind: 'joinWindow',
    name,
    key: at.graph.keySerde(at.key),
    value: at.graph.valueSerde(at.value, `store '${name}'`),
    changelog: options.changelog ?? true,
    storage: options.storage ?? 'disk',
    windowSizeMs: beforeMs + afterMs,
    retentionMs,
  })
}

/** The records that have no partner yet and are emitted when their window has closed. */
const addWaiting = (
  left: Position,
  right: Position,
  type: 'left' | 'outer',
  options: AnyStreamJoinOptions,
): string => {
  const { graph } = left
  const name = `${options.name}-${type}-shared-join-store`
  return graph.addStore({
    kind: 'keyValue',
    timestamped: false,
    name,
    key: waitingKeySerde(graph.keySerde(left.key)),
    value: waitingValuesSerde(
      graph.valueSerde(left.value, `store '${name}'`),
      graph.valueSerde(right.value, `store '${name}'`),
    ),
    changelog: options.changelog ?? true,
    storage: options.storage ?? 'disk',
    // The store of its side takes a record first. Several values of one key and time may be too large together.
    isKnownWritable: (entry) => (entry as WaitingValues).values.length === 1,
  })
}
