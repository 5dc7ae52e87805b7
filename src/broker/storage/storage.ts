import type { Bytes } from '../../base/bytes.ts'
import type { PartitionJournal } from '../log/partition-log.ts'
import type { TransactionState } from '../transaction/transaction.ts'

/**
 * What must survive a restart, besides the logs: one line of a journal each. Replaying them in order gives the state
 * back; later lines win.
 */
export type JournalEntry =
  | { readonly kind: 'cluster'; readonly clusterId: string }
  | TopicEntry
  | { readonly kind: 'topicDeleted'; readonly id: string }
  | { readonly kind: 'logStart'; readonly id: string; readonly partition: number; readonly offset: number }
  | ({ readonly kind: 'offset' } & OffsetEntry)
  | ({ readonly kind: 'pendingOffset'; readonly producerId: number } & OffsetEntry)
  | {
      readonly kind: 'offsetDeleted'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
    }
  | { readonly kind: 'groupDeleted'; readonly groupId: string }
  | { readonly kind: 'producerIds'; readonly next: number }
  | TransactionEntry

export interface TopicEntry {
  readonly kind: 'topic'
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

export interface OffsetEntry {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface TransactionEntry {
  readonly kind: 'transaction'
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastProducerEpoch: number
  readonly previousProducerId: number
  readonly nextProducerId: number
  readonly timeoutMs: number
  readonly startMs: number
  readonly state: TransactionState
  readonly partitions: readonly (readonly [topic: string, partitions: readonly number[]])[]
  readonly groups: readonly string[]
}

export interface OpenedLog {
  /** The batches that were appended before, in their order. */
  readonly recovered: Iterable<Bytes>
  readonly journal: Pick<PartitionJournal, 'append' | 'close'>
}

/** A log of one partition, where an earlier broker may have left batches. */
export interface LogToOpen {
  readonly topic: string
  readonly partition: number
  /** A new log begins empty, whatever lies there. */
  readonly isNew: boolean
  readonly logStartOffset: number
}

/**
 * Where a broker keeps what must survive it. Without one it keeps everything in memory.
 *
 * What cannot be written throws the refusal KAFKA_STORAGE_ERROR and leaves what was written before as it was.
 */
export interface Storage {
  /**
   * What an earlier broker left.
   *
   * @internal
   */
  recover(): readonly JournalEntry[]
  /**
   * Reports logs that hold records of topics which nothing knows, as where the journal is lost, and keeps them: a new topic
   * of that name would begin in their place. Called once all known logs are open.
   *
   * @internal
   */
  setUnknownLogsAside(): void
  /**
   * Replaces the whole journal by entries that say the same.
   *
   * @internal
   */
  rewrite(entries: Iterable<JournalEntry>): void
  /** @internal */
  record(entry: JournalEntry): void
  /** @internal */
  openLog(log: LogToOpen): OpenedLog
  /** @internal */
  deleteLog(topic: string, partition: number): void
  /** @internal */
  close(): void
}
