import type { OperatorFunction } from 'rxjs'
import type { StreamRecord, KeyValueRecord } from '../topic/record.ts'
import type { AnySerde } from '../topic/serde.ts'
import type { AnySinkTopic, SourceTopic } from './node-topic.ts'
import type { ProcessorSupplier, TaskContext } from './processor.ts'
import type { TimeWindows, SessionWindows, SlidingWindows, JoinWindows } from './windows.ts'
import type { WorkflowSnapshot } from './workflow-snapshot.ts'

/**
 * The node kinds: everything that can stand in a topology, as plain frozen data. The DSL says them, tasks interpret
 * them, and describe, diff, validate and the dashboard read them. Few kinds serve many verbs; `verb` keeps the word the
 * author used.
 *
 * `from` names the parents. A node hands a record depth first to its children in the order they were created, which is
 * the order of the nodes in the topology.
 */
export type TopologyNode =
  | SourceNode
  | TableSourceNode
  | FilterNode
  | MapNode
  | FlatMapNode
  | PeekNode
  | PipeNode
  | SplitNode
  | BranchNode
  | MergeNode
  | MapAsyncNode
  | DeduplicateNode
  | SinkNode
  | RepartitionNode
  | ProcessNode
  | ToTableNode
  | ToStreamNode
  | AggregateNode
  | WindowAggregateNode
  | SlidingAggregateNode
  | SessionAggregateNode
  | TableFilterNode
  | TableMapValuesNode
  | TableGroupByNode
  | TableAggregateNode
  | SuppressNode
  | StreamTableJoinNode
  | StreamGlobalTableJoinNode
  | StreamStreamJoinNode
  | TableTableJoinNode
  | ForeignKeySubscribeNode
  | ForeignKeyStoreNode
  | ForeignKeyRespondNode
  | ForeignKeyJoinNode

export type NodeKind = TopologyNode['kind']
export type NodeOf<Kind extends NodeKind> = Extract<TopologyNode, { kind: Kind }>

interface NodeBase {
  readonly name: string
  readonly from: readonly string[]
  /** What the author called this node for; undefined where the name was generated from the verb. */
  readonly named?: boolean
}

/** A record on a stream's edge; on a table's edge the value is a `Change`. */
export type AnyRecord = StreamRecord<unknown, unknown>

/** An update of a table, as the nodes below get it. */
export interface Change<out V> {
  readonly newValue: V | null
  /** The value before; null where there was none, or where no node downstream needs it. */
  readonly oldValue: V | null
  /** False for an update of a versioned table that is older than its newest version. */
  readonly isLatest: boolean
}

/**
 * Gives a record its time: milliseconds, or a negative number for a record that is to be dropped and counted. It may
 * use the largest time of the partition so far (-1 before the first record) and the time of day.
 */
export type TimestampExtractor = (
  record: KeyValueRecord<unknown, unknown>,
  partitionTimeMs: number,
  nowMs: number,
) => number
/** Where a reader without a committed offset begins. */
export type OffsetReset = 'earliest' | 'latest' | 'none'
/** Chooses the partition of an outgoing record, or several or none; undefined leaves it to the key's murmur2. */
export type Partitioner<Choice = number | readonly number[]> = (
  record: KeyValueRecord<unknown, unknown>,
  partitionCount: number,
) => Choice | undefined

/** When an aggregate emits its new value: at once, at the next commit (coalesced), or when its window has closed. */
export type EmitPolicy = 'onUpdate' | 'onCommit' | 'onWindowClose'

export interface SourceNode extends NodeBase {
  readonly kind: 'source'
  readonly topics: readonly SourceTopic[] | RegExp
  readonly key: AnySerde
  readonly value: AnySerde
  readonly timestampExtractor?: TimestampExtractor | undefined
  readonly maxTimestampAheadMs?: number | undefined
  readonly offsetReset?: OffsetReset | undefined
}

/** A topic read as a table; `global` gives every task the whole of it. */
export interface TableSourceNode extends NodeBase {
  readonly kind: 'tableSource'
  readonly topic: SourceTopic
  readonly store: string
  readonly global: boolean
  readonly timestampExtractor?: TimestampExtractor | undefined
  readonly maxTimestampAheadMs?: number | undefined
  readonly offsetReset?: OffsetReset | undefined
}

export interface FilterNode extends NodeBase {
  readonly kind: 'filter'
  readonly verb: 'filter' | 'filterNot'
  readonly predicate: (record: KeyValueRecord<unknown, unknown>) => boolean
}

export interface MapNode extends NodeBase {
  readonly kind: 'map'
  readonly verb: 'map' | 'mapValues' | 'selectKey'
  readonly transform: (record: AnyRecord) => AnyRecord
}

export interface FlatMapNode extends NodeBase {
  readonly kind: 'flatMap'
  readonly verb: 'flatMap' | 'flatMapValues'
  readonly transform: (record: AnyRecord) => Iterable<AnyRecord>
}

export interface PeekNode extends NodeBase {
  readonly kind: 'peek'
  /** `forEach` and `print` end a stream, `peek` does not. */
  readonly verb: 'peek' | 'forEach' | 'print'
  readonly action: (record: KeyValueRecord<unknown, unknown>) => void
}

/** Any synchronous RxJS operators, over records (`pipe`) or over their values (`pipeValues`). */
export interface PipeNode extends NodeBase {
  readonly kind: 'pipe'
  readonly verb: 'pipe' | 'pipeValues'
  readonly operators: readonly OperatorFunction<unknown, unknown>[]
  /** What is emitted has the key of the record that caused it; a record of another key fails. */
  readonly preservesKey: boolean
}

/** What a piped operator may emit: a record, or a plain object whose time and headers default to its cause's. */
export interface EmittedRecord {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp?: number | undefined
  readonly headers?: StreamRecord<unknown, unknown>['headers'] | undefined
}

/** Hands each record to the first branch whose predicate holds; one that suits none ends here. */
export interface SplitNode extends NodeBase {
  readonly kind: 'split'
  readonly branches: readonly {
    readonly name: string
    readonly predicate: (record: KeyValueRecord<unknown, unknown>) => boolean
  }[]
}

/** The stream of one branch of its parent split. */
export interface BranchNode extends NodeBase {
  readonly kind: 'branch'
  readonly branch: string
}

export interface MergeNode extends NodeBase {
  readonly kind: 'merge'
}

export interface MapAsyncNode extends NodeBase {
  readonly kind: 'mapAsync'
  readonly transform: (
    record: KeyValueRecord<unknown, unknown>,
    signal: AbortSignal,
  ) => Promise<EmittedRecord>
  readonly verb: 'mapAsync' | 'mapValuesAsync'
  readonly concurrency: number
  readonly orderedBy: 'key' | 'partition' | 'nothing'
  /** Distinguishes keys that are no plain values. */
  readonly key?: AnySerde | undefined
  readonly timeoutMs: number
  readonly retry: { readonly attempts: number; readonly backoffMs: number }
}

export interface DeduplicateNode extends NodeBase {
  readonly kind: 'deduplicate'
  readonly store: string
  readonly id: (record: KeyValueRecord<unknown, unknown>) => unknown
  readonly retentionMs: number
}

export interface SinkNode extends NodeBase {
  readonly kind: 'sink'
  readonly topic: AnySinkTopic | ((record: KeyValueRecord<unknown, unknown>) => string)
  readonly key: AnySinkTopic['key']
  readonly value: AnySinkTopic['value']
  readonly partitioner?: Partitioner | undefined
}

/**
 * An internal topic between two sub-topologies: written by the one above, read by the one below. Its full name is
 * `<application>-<topic>`. `changes` says that table changes travel on it (both values, Kafka Streams' change format).
 */
export interface RepartitionNode extends NodeBase {
  readonly kind: 'repartition'
  readonly verb: 'repartition' | 'groupBy' | 'join' | 'foreignKey'
  readonly topic: string
  readonly key: AnySerde
  readonly value: AnySerde
  readonly changes: boolean
  /** False where a record without key must pass too. */
  readonly dropNullKeys: boolean
  readonly partitions?: number | undefined
  /** Chooses one partition at most: what is below counts each record once. */
  readonly partitioner?: Partitioner<number> | undefined
}

export interface ProcessNode extends NodeBase {
  readonly kind: 'process'
  readonly verb: 'process' | 'processValues' | 'saga'
  readonly supplier: ProcessorSupplier
  readonly stores: readonly string[]
  /** The saga that the processor runs. */
  readonly workflow?: WorkflowSnapshot
}

export interface ToTableNode extends NodeBase {
  readonly kind: 'toTable'
  readonly store: string
}

export interface ToStreamNode extends NodeBase {
  readonly kind: 'toStream'
}

/** Adds one value to an aggregate (null where there is none yet); null deletes the entry. */
export type Aggregator = (
  aggregate: unknown,
  value: unknown,
  record: KeyValueRecord<unknown, unknown>,
) => unknown

export interface AggregateNode extends NodeBase {
  readonly kind: 'aggregate'
  readonly verb: 'count' | 'reduce' | 'aggregate' | 'cogroup'
  readonly store: string
  readonly initial: () => unknown
  readonly add: Aggregator
  readonly emit: EmitPolicy
}

export interface WindowAggregateNode extends NodeBase {
  readonly kind: 'windowAggregate'
  readonly verb: 'count' | 'reduce' | 'aggregate' | 'cogroup'
  readonly windows: TimeWindows
  readonly store: string
  readonly initial: () => unknown
  readonly add: Aggregator
  readonly emit: EmitPolicy
}

export interface SlidingAggregateNode extends NodeBase {
  readonly kind: 'slidingAggregate'
  readonly verb: 'count' | 'reduce' | 'aggregate' | 'cogroup'
  readonly windows: SlidingWindows
  readonly store: string
  readonly initial: () => unknown
  readonly add: Aggregator
  readonly emit: EmitPolicy
}

export interface SessionAggregateNode extends NodeBase {
  readonly kind: 'sessionAggregate'
  readonly verb: 'count' | 'reduce' | 'aggregate' | 'cogroup'
  readonly windows: SessionWindows
  readonly store: string
  readonly initial: () => unknown
  readonly add: Aggregator
  readonly merge: (key: unknown, left: unknown, right: unknown) => unknown
  readonly emit: EmitPolicy
  /** Sessions whose end is this far behind the largest end are out of reach. */
  readonly retentionMs: number
}

export interface TableFilterNode extends NodeBase {
  readonly kind: 'tableFilter'
  readonly verb: 'filter' | 'filterNot'
  readonly predicate: (key: unknown, value: unknown) => boolean
  readonly store?: string | undefined
}

export interface TableMapValuesNode extends NodeBase {
  readonly kind: 'tableMapValues'
  readonly verb: 'mapValues' | 'transformValues'
  /** Made again for every task; `transformValues` sees deletions too. */
  readonly transformFor: (context: TaskContext) => (value: unknown, key: unknown) => unknown
  /** Of the step's own result. */
  readonly store?: string | undefined
  /** That the transformer may ask for. */
  readonly stores: readonly string[]
}

/** Gives each row its group; always followed by a repartition node that carries changes. */
export interface TableGroupByNode extends NodeBase {
  readonly kind: 'tableGroupBy'
  /** Of the group key: two groups are the same where their bytes are. */
  readonly key: AnySerde
  readonly select: (value: unknown, key: unknown) => { readonly key: unknown; readonly value: unknown }
}

export interface TableAggregateNode extends NodeBase {
  readonly kind: 'tableAggregate'
  readonly verb: 'count' | 'reduce' | 'aggregate'
  readonly store: string
  readonly initial: () => unknown
  readonly add: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly subtract: (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly emit: EmitPolicy
}

export interface SuppressNode extends NodeBase {
  readonly kind: 'suppress'
  readonly store: string
  readonly until:
    | { readonly kind: 'windowCloses'; readonly graceMs: number }
    | { readonly kind: 'timeLimit'; readonly limitMs: number }
  readonly maxRecords?: number | undefined
  readonly maxBytes?: number | undefined
  /** What happens when a bound is reached: the oldest leaves early, or the application stops. */
  readonly whenFull: 'emitEarly' | 'shutDown'
}

/** `from` is [stream, table]. */
export interface StreamTableJoinNode extends NodeBase {
  readonly kind: 'streamTableJoin'
  readonly type: 'inner' | 'left'
  readonly join: (left: unknown, right: unknown, key: unknown) => unknown
  /** With a versioned table: how long a stream record waits for the table's past. */
  readonly graceMs?: number | undefined
  /** The buffer of waiting records where there is a grace. */
  readonly store?: string | undefined
}

/** `from` is [stream, global table]; the table is reached by its store, not over the edge. */
export interface StreamGlobalTableJoinNode extends NodeBase {
  readonly kind: 'streamGlobalTableJoin'
  readonly type: 'inner' | 'left'
  readonly globalStore: string
  readonly lookup: (record: KeyValueRecord<unknown, unknown>) => unknown
  readonly join: (left: unknown, right: unknown, key: unknown) => unknown
}

/** `from` is [left, right]. */
export interface StreamStreamJoinNode extends NodeBase {
  readonly kind: 'streamStreamJoin'
  readonly type: 'inner' | 'left' | 'outer'
  readonly windows: JoinWindows
  readonly leftStore: string
  readonly rightStore: string
  /** Records still without a partner; only for left and outer joins. */
  readonly outerStore?: string | undefined
  readonly join: (left: unknown, right: unknown, key: unknown) => unknown
}

/** `from` is [left, right]. */
export interface TableTableJoinNode extends NodeBase {
  readonly kind: 'tableTableJoin'
  readonly type: 'inner' | 'left' | 'outer'
  readonly join: (left: unknown, right: unknown, key: unknown) => unknown
  readonly store?: string | undefined
}

/**
 * A foreign-key join is four nodes and two internal topics (KIP-213):
 * subscribe (left side) → subscription topic → store (right side, keeps who asks for what) → respond (looks the right
 * row up, also when it changes) → response topic → join (left side again, drops answers to outdated questions).
 */
export interface ForeignKeySubscribeNode extends NodeBase {
  readonly kind: 'foreignKeySubscribe'
  readonly type: 'inner' | 'left'
  readonly foreignKey: (value: unknown, key: unknown) => unknown
  readonly foreignKeySerde: AnySerde
  readonly leftValue: AnySerde
}

export interface ForeignKeyStoreNode extends NodeBase {
  readonly kind: 'foreignKeyStore'
  readonly store: string
}

/** `from` is [foreignKeyStore, right table]. */
export interface ForeignKeyRespondNode extends NodeBase {
  readonly kind: 'foreignKeyRespond'
  readonly store: string
  readonly foreignKeySerde: AnySerde
}

/** `from` is [response repartition, left table]; the left row is looked up, nothing flows over that edge. */
export interface ForeignKeyJoinNode extends NodeBase {
  readonly kind: 'foreignKeyJoin'
  readonly type: 'inner' | 'left'
  readonly leftValue: AnySerde
  readonly join: (left: unknown, right: unknown, key: unknown) => unknown
  readonly store?: string | undefined
  /** True for a store that the author did not name: it exists because a later step looks rows up. */
  readonly storeIsNeeded?: boolean
}
