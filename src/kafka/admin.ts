import { Fault } from '../base/fault.ts'
import {
  createPartitionsApi,
  createTopicsApi,
  deleteRecordsApi,
  deleteTopicsApi,
  describeConfigsApi,
  incrementalAlterConfigsApi,
} from './apis.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { GroupAdmin } from './group-admin.ts'
import type { IsolationLevel, ListedOffset, OffsetQuery } from './list-offsets.ts'
import { byLeader, listOffsets } from './list-offsets.ts'
import { errorName, isStaleMetadata, passingFault, protocolFault } from './protocol-errors.ts'
import { retrying } from './retry.ts'
import type { TopicPartition } from './topic-partition.ts'
import { byTopic, partitionName } from './topic-partition.ts'

/**
 * What an application and the command line ask of a cluster beside records. The library's own Admin is not used: these
 * requests go over the same transport as all others, so that simulated runs have them too.
 *
 * @example
 * const admin = new Admin(cluster)
 * await admin.createTopics([{ topic: 'orders', partitions: 6, configs: { 'cleanup.policy': 'compact' } }])
 */
export interface NewTopic {
  readonly topic: string
  /** The broker's default where left out. */
  readonly partitions?: number | undefined
  readonly replicationFactor?: number | undefined
  readonly configs?: Readonly<Record<string, string>> | undefined
}

export interface TopicConfig {
  readonly name: string
  readonly value: string | null
  readonly isDefault: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
}

const timeoutMs = 30_000
const topicResource = 2
const defaultConfigSource = 5

export class Admin extends GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    super(cluster)
    this.#cluster = cluster
  }

  /** Creates topics and waits until they can be used; those that exist stay as they are. Answers the names created. */
  async createTopics(topics: readonly NewTopic[]): Promise<readonly string[]> {
    if (topics.length === 0) return []
    const created = await this.#retrying(() => this.#createTopics(topics))
    await this.#cluster.waitForTopics(
      topics.map(({ topic }) => topic),
      timeoutMs,
    )
    return created
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return
    const { responses } = await this.#retrying(() =>
      this.#cluster.callController(
        deleteTopicsApi,
        topics.map((name) => ({ name })),
        timeoutMs,
      ),
    )
    for (const { name, errorCode, errorMessage } of responses) {
      if (name != null) this.#cluster.invalidate(name)
      if (errorCode !== 0)
        throw protocolFault(errorCode, 'delete a topic', { topic: name ?? '' }, errorMessage)
    }
  }

  /** The names of all topics but Kafka's internal ones. */
  async listTopics(): Promise<readonly string[]> {
    const topics = await this.#cluster.allTopics()
    return topics
      .filter(({ isInternal }) => !isInternal)
      .map(({ name }) => name)
      .toSorted()
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicMetadata[]> {
    return Promise.all(topics.map((topic) => this.#cluster.refresh(topic)))
  }

  /** The number of partitions by topic; topics that do not exist are missing. */
  async partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(
      topics.map(async (topic) => {
        try {
          return [topic, (await this.#cluster.refresh(topic)).partitions.length] as const
        } catch (error) {
          if (error instanceof Fault && error.code === 'TOPIC_MISSING') return undefined
          throw error
        }
      }),
    )
    return new Map(counts.filter((entry) => entry !== undefined))
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    const { results } = await this.#cluster.callController(
      createPartitionsApi,
      [{ name: topic, count }],
      timeoutMs,
      false,
    )
    for (const { errorCode, errorMessage } of results)
      if (errorCode !== 0) throw protocolFault(errorCode, 'add partitions', { topic }, errorMessage)
    this.#cluster.invalidate(topic)
  }

  listOffsets(
    queries: readonly OffsetQuery[],
    isolation?: IsolationLevel,
  ): Promise<ReadonlyMap<string, ListedOffset>> {
    return listOffsets(this.#cluster, queries, isolation)
  }

  /** Deletes what lies before the offsets (-1: everything); answers the new first offsets by partition name. */
  async deleteRecords(
    before: readonly (TopicPartition & { readonly offset: number })[],
  ): Promise<ReadonlyMap<string, number>> {
    return this.#retrying(async () => {
      const low = new Map<string, number>()
      for (const { leader, queries } of await byLeader(this.#cluster, before)) {
        const topics = Array.from(byTopic(queries), ([name, group]) => ({
          name,
          partitions: group.map(({ partition, offset }) => ({
            partitionIndex: partition,
            offset: BigInt(offset),
          })),
        }))
        const response = await this.#cluster.callBroker(
          leader,
          // Answered when all replicas have followed: commits don't wait behind it.
          'control:deletions',
          deleteRecordsApi,
          topics,
          timeoutMs,
        )
        for (const { name, partitions } of response.topics)
          for (const { partitionIndex: partition, errorCode, lowWatermark } of partitions) {
            const place = { topic: name, partition }
            if (isStaleMetadata(errorCode)) {
              this.#cluster.invalidate(name)
              throw passingFault(errorCode, 'delete records', place)
            }
            if (errorCode !== 0) throw protocolFault(errorCode, 'delete records', place)
            low.set(partitionName(name, partition), Number(lowWatermark))
          }
      }
      return low
    })
  }

  async describeConfigs(topic: string): Promise<readonly TopicConfig[]> {
    const { results } = await this.#retrying(() =>
      this.#cluster.callAny(
        describeConfigsApi,
        [{ resourceType: topicResource, resourceName: topic, configurationKeys: null }],
        false,
        false,
      ),
    )
    return results.flatMap(({ errorCode, errorMessage, configs }) => {
      if (errorCode !== 0) throw protocolFault(errorCode, 'describe configs', { topic }, errorMessage)
      return configs.map((config) => ({
        name: config.name,
        value: config.value ?? null,
        isDefault: config.configSource === defaultConfigSource,
        isReadOnly: config.readOnly,
        isSensitive: config.isSensitive,
      }))
    })
  }

  /** Sets configs of a topic and leaves its others alone. */
  async alterConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const changes = Object.entries(configs).map(([name, value]) => ({
      name,
      configOperation: 0 as const,
      value,
    }))
    const { responses } = await this.#cluster.callController(
      incrementalAlterConfigsApi,
      [{ resourceType: topicResource, resourceName: topic, configs: changes }],
      false,
    )
    for (const { errorCode, errorMessage } of responses)
      if (errorCode !== 0) throw protocolFault(errorCode, 'alter configs', { topic }, errorMessage)
  }

  async #createTopics(topics: readonly NewTopic[]): Promise<readonly string[]> {
    const response = await this.#cluster.callController(
      createTopicsApi,
      topics.map(newTopicOf),
      timeoutMs,
      false,
    )
    return response.topics.flatMap(({ name, errorCode, errorMessage }) => {
      if (errorName(errorCode) === 'TOPIC_ALREADY_EXISTS') return []
      if (errorCode !== 0) throw protocolFault(errorCode, 'create a topic', { topic: name }, errorMessage)
      return [name]
    })
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    return retrying({ clock: this.#cluster.clock, timeoutMs: this.#cluster.retryTimeoutMs }, attempt)
  }
}

type LibraryTopic = Parameters<(typeof createTopicsApi)['encode']>[0][number]

const newTopicOf = ({ topic, partitions, replicationFactor, configs = {} }: NewTopic): LibraryTopic => ({
  name: topic,
  numPartitions: partitions ?? -1,
  replicationFactor: replicationFactor ?? -1,
  assignments: [],
  configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
})
