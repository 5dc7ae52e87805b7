import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GroupCoordinator } from './group/coordinator.ts'
import type { Group } from './group/group.ts'
import { OffsetTable, type CommittedOffset } from './group/offsets.ts'
import { PartitionLog } from './log/partition-log.ts'
import type { Decompress } from './log/records.ts'
import { readBatchHeader, transactionMarker } from './log/record-batch.ts'
import { uuidFromBytes } from './protocol/uuid.ts'
import type { BrokerSettings } from './settings.ts'
import { Topic, Topics } from './topic/topics.ts'
import { TransactionCoordinator } from './transaction/coordinator.ts'
import type { Transaction } from './transaction/transaction.ts'

/** Everything that one broker knows; the API handlers read and change it. */
export interface BrokerOptions {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly randomBytes: (length: number) => Bytes
  readonly decompress: Decompress
  readonly report: (error: unknown) => void
}

export const NODE_ID = 1
export const LEADER_EPOCH = 0
const COORDINATOR_EPOCH = 0

export class Broker {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly topics: Topics = new Topics()
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly clusterId: string
  /** What clients are told to connect to; known once the socket shell listens. */
  advertised: { host: string; port: number } = { host: '127.0.0.1', port: 9092 }
  readonly #options: BrokerOptions
  #nextProducerId = 0

  constructor(options: BrokerOptions) {
    this.#options = options
    this.clock = options.clock
    this.settings = options.settings
    this.clusterId = this.newUuid()
    this.groups = new GroupCoordinator(options.clock, options.settings, () => this.newUuid())
    this.transactions = new TransactionCoordinator({
      clock: options.clock,
      settings: options.settings,
      newProducerId: () => this.newProducerId(),
      writeMarkers: (transaction, commit) => this.#writeMarkers(transaction, commit),
      changed: () => undefined,
    })
  }

  /** A random id that is not the zero one and, since Kafka's tools choke on it, does not begin with a dash. */
  newUuid(): string {
    for (;;) {
      const id = uuidFromBytes(this.#options.randomBytes(16))
      if (!id.startsWith('-')) return id
    }
  }

  newProducerId(): number {
    return this.#nextProducerId++
  }

  createTopic(name: string, partitionCount: number, configs: ReadonlyMap<string, string>): Topic {
    this.topics.checkNewName(name)
    const topic = new Topic(name, this.newUuid(), [], new Map(configs))
    this.topics.add(topic)
    this.addPartitions(topic, partitionCount)
    return topic
  }

  addPartitions(topic: Topic, partitionCount: number): void {
    while (topic.partitions.length < partitionCount)
      topic.partitions.push(new PartitionLog(this.#options.decompress))
  }

  deleteTopic(topic: Topic): void {
    this.topics.remove(topic)
    for (const log of topic.partitions) log.close()
    for (const group of this.groups.groups.values()) group.offsets.deleteTopic(topic.name)
  }

  setTopicConfigs(topic: Topic, configs: ReadonlyMap<string, string>): void {
    topic.configs.clear()
    for (const [name, value] of configs) topic.configs.set(name, value)
  }

  commitOffset(group: Group, topic: string, partition: number, committed: CommittedOffset): void {
    group.offsets.set(topic, partition, committed)
  }

  deleteOffset(group: Group, topic: string, partition: number): void {
    group.offsets.delete(topic, partition)
  }

  /** Keeps an offset until the transaction of this producer ends. */
  addTransactionalOffset(
    group: Group,
    producerId: number,
    topic: string,
    partition: number,
    committed: CommittedOffset,
  ): void {
    let table = group.transactionalOffsets.get(producerId)
    if (table === undefined) group.transactionalOffsets.set(producerId, (table = new OffsetTable()))
    table.set(topic, partition, committed)
  }

  #writeMarkers(transaction: Transaction, commit: boolean): void {
    const { producerId, producerEpoch } = transaction
    const marker = transactionMarker(commit, producerId, producerEpoch, COORDINATOR_EPOCH, this.clock.now())
    const header = readBatchHeader(marker)
    for (const [topic, partitions] of transaction.partitions) {
      for (const partition of partitions) {
        if (header !== undefined) this.topics.partition(topic, partition)?.append(marker, header)
      }
    }
    for (const groupId of transaction.groups) this.#settleOffsets(groupId, producerId, commit)
  }

  #settleOffsets(groupId: string, producerId: number, commit: boolean): void {
    const group = this.groups.groups.get(groupId)
    const pending = group?.transactionalOffsets.get(producerId)
    if (group === undefined || pending === undefined) return
    group.transactionalOffsets.delete(producerId)
    if (commit)
      pending.visit((topic, partition, committed) => this.commitOffset(group, topic, partition, committed))
  }

  /** Hears of mistakes in the broker itself. */
  report(error: unknown): void {
    this.#options.report(error)
  }

  get decompress(): Decompress {
    return this.#options.decompress
  }

  close(): void {
    this.groups.close()
    this.transactions.close()
    for (const topic of this.topics.all) for (const log of topic.partitions) log.close()
  }
}
