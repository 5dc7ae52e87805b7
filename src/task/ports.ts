import type { Clock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import type { ChangelogSink, StateStore } from '../state/store.ts'
import type { RecordOrigin } from '../topic/record.ts'
import type { Serializer } from '../topic/serde.ts'
import type { AnyRecord, Partitioner } from '../topology/node.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { NodeTime } from './node-times.ts'

/**
 * What a task needs of the world. The runtime answers with Kafka behind it, the test driver with memory.
 */
export interface TaskHost {
  readonly applicationId: string
  readonly clock: Clock
  readonly output: Output
  readonly openStore: (definition: StoreDefinition, changelog: ChangelogSink) => StateStore
  /** A store of a global table; filled outside of the task. */
  readonly globalStore: (name: string) => StateStore
  /** Where a store's updates go; the changelog topic's partition is the task's. */
  readonly changelog: ChangelogSink
  /** A record was not processed, on purpose: it is counted, never silent. */
  readonly dropped: (reason: DropReason, node: string, record: AnyRecord | undefined) => void
  /** True where an input has records that are on their way here; by default, only queued records count. */
  readonly hasMore?: (topic: string, partition: number) => boolean
  /** A commit was requested. */
  readonly requestCommit: () => void
  /** A result of asynchronous work waits for `Task.process`, though no record has come. */
  readonly workReady?: () => void
  /** A step held the thread for a second or longer. */
  readonly blocked?: (event: Blocked) => void
  /** Objects that several steps get are frozen; the stores are opened with the same setting. */
  readonly freezeState?: boolean
  /**
   * Follow Kafka Streams as it runs without its record cache, which loses windows at their close, headers and old values
   * of sessions. Only comparisons with recordings made that way set it.
   */
  readonly withoutRecordCache?: boolean
  /** Sees every step of every record; only a task with a watcher pays for one. */
  readonly watcher?: Watcher | undefined
}

/**
 * Follows records through a task, to explain what became of them. What happens between `enters` and
 * `left` is the node's doing; what is entered between `emits` and `emitted` follows from that emission.
 */
export interface Watcher {
  enters(node: string, record: AnyRecord): void
  left(node: string): void
  emits(node: string, record: AnyRecord): void
  emitted(node: string): void
}

/** A step of a task that held the thread for long. */
export interface Blocked {
  readonly durationMs: number
  /** The node that took most of it; undefined where the records before were so fast that nodes were not measured. */
  readonly longest: NodeTime | undefined
  /** The last record of the step; undefined for a punctuator and before a commit. */
  readonly origin: RecordOrigin | undefined
}

/** Takes what a sink gives; the serialised form is the receiver's matter, so that it is written once, in place. */
export interface Output {
  /** `topic` is the full name; `source` the record of the task's input that this one was made from, if there is one. */
  send(topic: string, target: SinkTarget, record: AnyRecord, source: AnyRecord | undefined): void
}

export interface SinkTarget {
  readonly node: string
  readonly key: Serializer<never>
  readonly value: Serializer<never>
  readonly partitioner: Partitioner | undefined
  /** Counts a record for which the partitioner chose no partition. */
  readonly dropped: (record: AnyRecord) => void
}

/** Why a record was dropped; each is a counter of its own. */
export type DropReason =
  | 'nullKey'
  /** Before a repartition topic that groups or joins by key; Kafka Streams filters these without counting. */
  | 'nullRepartitionKey'
  | 'nullValue'
  | 'late'
  | 'expired'
  | 'negativeTimestamp'
  | 'outOfOrder'
  | 'nullForeignKey'
  | 'nullLookupKey'
  | 'duplicate'
  | 'outdated'
  | 'undecodable'
  /** The partitioner of a sink returned an empty array. */
  | 'noPartition'
  /** A record at which a pipe of RxJS operators completed, where the policy leaves it out. */
  | 'pipelineCompleted'
  /** No record: a saga is stuck, as a function of its author failed to build a command when a timer asked for it. */
  | 'sagaStuck'
  | 'failed'

/** A failure while a record was processed: where, at which record, and what was thrown. */
export interface TaskFailure {
  readonly node: string
  /** What was being done: reading the record, processing it, or writing a result. */
  readonly stage: 'deserialization' | 'processing' | 'production'
  readonly origin: RecordOrigin | undefined
  readonly fault: Fault
}
