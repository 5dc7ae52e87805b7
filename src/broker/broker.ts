import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GroupCoordinator } from './group/coordinator.ts'
import type { Group } from './group/group.ts'
import type { CommittedOffset } from './group/offsets.ts'
import { PartitionLog } from './log/partition-log.ts'
import type { Decompress } from './log/records.ts'
import { uuidFromBytes } from './protocol/uuid.ts'
import type { BrokerSettings } from './settings.ts'
import { Topic, Topics } from './topic/topics.ts'

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

export class Broker {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly topics: Topics = new Topics()
  readonly groups: GroupCoordinator
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

  /** Hears of mistakes in the broker itself. */
  report(error: unknown): void {
    this.#options.report(error)
  }

  get decompress(): Decompress {
    return this.#options.decompress
  }

  close(): void {
    this.groups.close()
    for (const topic of this.topics.all) for (const log of topic.partitions) log.close()
  }
}
