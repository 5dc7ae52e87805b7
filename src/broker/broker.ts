import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GroupCoordinator } from './group/coordinator.ts'
import type { Group } from './group/group.ts'
import type { CommittedOffset } from './group/offsets.ts'
import { MemoryBudget, PARTITION_BYTES, type MemoryLimits } from './log/memory-budget.ts'
import { PartitionLog } from './log/partition-log.ts'
import { readBatchHeader, transactionMarker, type BatchHeader } from './log/record-batch.ts'
import type { Decompress } from './log/records.ts'
import { uuidFromBytes } from './protocol/uuid.ts'
import type { BrokerSettings } from './settings.ts'
import { replay, snapshotOf, topicEntry, transactionEntry } from './storage/journaled.ts'
import type { JournalEntry, Storage, TopicEntry } from './storage/storage.ts'
import { Topic, Topics } from './topic/topics.ts'
import { TransactionCoordinator } from './transaction/coordinator.ts'
import type { Transaction } from './transaction/transaction.ts'

/** Everything that one broker knows; the API handlers read and change it, and what must last goes to its storage. */
export interface BrokerParts {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly randomBytes: (length: number) => Bytes
  readonly decompress: Decompress
  readonly storage: Storage | undefined
  readonly report: (error: unknown) => void
  readonly memory: MemoryLimits
}

export const NODE_ID = 1
export const LEADER_EPOCH = 0
const COORDINATOR_EPOCH = 0
/** Ids are reserved in blocks, as on Kafka, so that the journal is not written for each. */
const PRODUCER_ID_BLOCK = 1000
const ENTRIES_UNTIL_REWRITE = 50_000

export class Broker {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly topics: Topics = new Topics()
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  clusterId: string
  /** The next producer id that is not reserved. */
  nextProducerId = 0
  /** The address that clients get; known once the socket shell listens. */
  advertised: { host: string; port: number } = { host: '127.0.0.1', port: 9092 }
  readonly #parts: BrokerParts
  readonly #memory: MemoryBudget
  #reservedProducerIds: number[] = []
  #entriesSinceRewrite = 0

  constructor(parts: BrokerParts) {
    this.#parts = parts
    this.#memory = new MemoryBudget(parts.memory, parts.report)
    this.clock = parts.clock
    this.settings = parts.settings
    this.clusterId = this.newUuid()
    this.groups = new GroupCoordinator(parts.clock, parts.settings, () => this.newUuid())
    this.transactions = new TransactionCoordinator({
      clock: parts.clock,
      settings: parts.settings,
      newProducerId: () => this.newProducerId(),
      writeMarkers: (transaction, commit) => this.#writeMarkers(transaction, commit),
      changed: (transaction) => this.#record(transactionEntry(transaction)),
      report: (error) => this.report(error),
    })
    if (parts.storage !== undefined) {
      replay(this, parts.storage.recover())
      parts.storage.setUnknownLogsAside()
      parts.storage.rewrite(snapshotOf(this))
    }
  }

  /** A random id that is not the zero one and, since Kafka's tools choke on it, does not begin with a dash. */
  newUuid(): string {
    for (;;) {
      const id = uuidFromBytes(this.#parts.randomBytes(16))
      if (!id.startsWith('-')) return id
    }
  }

  newProducerId(): number {
    if (this.#reservedProducerIds.length === 0) {
      const first = this.nextProducerId
      this.#record({ kind: 'producerIds', next: first + PRODUCER_ID_BLOCK })
      this.nextProducerId = first + PRODUCER_ID_BLOCK
      this.#reservedProducerIds = Array.from(
        { length: PRODUCER_ID_BLOCK },
        (_, index) => first + index,
      ).toReversed()
    }
    return this.#reservedProducerIds.pop() as number
  }

  createTopic(name: string, partitionCount: number, configs: ReadonlyMap<string, string>): Topic {
    this.topics.checkNewName(name)
    const topic = new Topic(name, this.newUuid(), [], new Map(configs))
    this.addPartitions(topic, partitionCount)
    this.topics.add(topic)
    return topic
  }

  addPartitions(topic: Topic, partitionCount: number): void {
    const { length } = topic.partitions
    const bytes = (partitionCount - length) * PARTITION_BYTES
    this.#memory.reserve(bytes, 0)
    const added = Array.from({ length: partitionCount - length }, (_, index) =>
      this.#openLog(topic, length + index, true, 0),
    )
    try {
      this.#record({ ...topicEntry(topic), partitions: partitionCount })
    } catch (error) {
      this.#memory.release(bytes, 0)
      throw error
    }
    for (const log of added) topic.partitions.push(log)
  }

  restoreTopic(entry: TopicEntry, logStartOf: (partition: number) => number): void {
    const topic = new Topic(entry.name, entry.id, [], new Map(Object.entries(entry.configs)))
    this.topics.add(topic)
    this.#memory.reserve(entry.partitions * PARTITION_BYTES, 0)
    for (let partition = 0; partition < entry.partitions; partition++)
      topic.partitions.push(this.#openLog(topic, partition, false, logStartOf(partition)))
  }

  #openLog(topic: Topic, partition: number, isNew: boolean, logStartOffset: number): PartitionLog {
    const { storage, decompress } = this.#parts
    if (storage === undefined) return new PartitionLog(decompress, undefined, this.#memory)
    const { recovered, journal } = storage.openLog({ topic: topic.name, partition, isNew, logStartOffset })
    const partitionJournal = {
      ...journal,
      logStartOffset: (offset: number) => this.#record({ kind: 'logStart', id: topic.id, partition, offset }),
    }
    const log = new PartitionLog(decompress, partitionJournal, this.#memory)
    log.recover(recovered, logStartOffset)
    return log
  }

  deleteTopic(topic: Topic): void {
    this.#record({ kind: 'topicDeleted', id: topic.id })
    this.topics.remove(topic)
    for (const log of topic.partitions) log.close()
    this.#memory.release(topic.partitions.length * PARTITION_BYTES, 0)
    for (const partition of topic.partitions.keys()) this.#parts.storage?.deleteLog(topic.name, partition)
    for (const group of this.groups.groups.values()) {
      for (const partition of topic.partitions.keys()) {
        if (group.offsets.get(topic.name, partition) !== undefined)
          this.deleteOffset(group, topic.name, partition)
      }
    }
  }

  setTopicConfigs(topic: Topic, configs: ReadonlyMap<string, string>): void {
    this.#record({ ...topicEntry(topic), configs: Object.fromEntries(configs) })
    topic.configs.clear()
    for (const [name, value] of configs) topic.configs.set(name, value)
  }

  commitOffset(group: Group, topic: string, partition: number, committed: CommittedOffset): void {
    this.#record({ kind: 'offset', groupId: group.groupId, topic, partition, ...committed })
    group.offsets.set(topic, partition, committed)
  }

  deleteOffset(group: Group, topic: string, partition: number): void {
    this.#record({ kind: 'offsetDeleted', groupId: group.groupId, topic, partition })
    group.offsets.delete(topic, partition)
  }

  deleteGroup(group: Group): void {
    this.#record({ kind: 'groupDeleted', groupId: group.groupId })
    this.groups.delete(group)
  }

  /** Keeps an offset until the transaction of this producer ends. */
  addTransactionalOffset(
    group: Group,
    producerId: number,
    topic: string,
    partition: number,
    committed: CommittedOffset,
  ): void {
    const { groupId } = group
    this.#record({ kind: 'pendingOffset', producerId, groupId, topic, partition, ...committed })
    group.addPending(producerId, topic, partition, committed)
  }

  #writeMarkers(transaction: Transaction, commit: boolean): void {
    const { producerId, producerEpoch } = transaction
    const marker = transactionMarker(commit, producerId, producerEpoch, COORDINATOR_EPOCH, this.clock.now())
    const header = readBatchHeader(marker) as BatchHeader
    for (const [topic, partitions] of transaction.partitions) {
      for (const partition of partitions) {
        this.topics.partition(topic, partition)?.append(marker, header)
        // After a write that failed, the next attempt continues with the partitions that are left.
        partitions.delete(partition)
      }
    }
    for (const groupId of transaction.groups) this.#settleOffsets(groupId, producerId, commit)
  }

  #settleOffsets(groupId: string, producerId: number, commit: boolean): void {
    const group = this.groups.groups.get(groupId)
    const pending = group?.transactionalOffsets.get(producerId)
    if (group === undefined || pending === undefined) return
    if (commit)
      for (const { topic, partition, offset, leaderEpoch, metadata } of pending.entries(groupId))
        this.commitOffset(group, topic, partition, { offset, leaderEpoch, metadata })
    group.transactionalOffsets.delete(producerId)
  }

  #record(entry: JournalEntry): void {
    const { storage } = this.#parts
    if (storage === undefined) return
    if (++this.#entriesSinceRewrite >= ENTRIES_UNTIL_REWRITE) {
      this.#entriesSinceRewrite = 0
      storage.rewrite(snapshotOf(this))
    }
    storage.record(entry)
  }

  /** Hears of mistakes in the broker itself. */
  report(error: unknown): void {
    this.#parts.report(error)
  }

  get decompress(): Decompress {
    return this.#parts.decompress
  }

  close(): void {
    this.groups.close()
    this.transactions.close()
    for (const topic of this.topics.all) for (const log of topic.partitions) log.close()
    this.#parts.storage?.close()
  }
}
