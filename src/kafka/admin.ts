import { Fault } from '../base/fault.ts'
import {
  createPartitionsApi,
  createTopicsApi,
  deleteGroupsApi,
  deleteRecordsApi,
  deleteTopicsApi,
  describeConfigsApi,
  describeGroupsApi,
  incrementalAlterConfigsApi,
  listGroupsApi,
  offsetDeleteApi,
} from './apis.ts'
import type { BrokerMetadata, Cluster, TopicMetadata } from './cluster.ts'
import { decodeAssignment } from './group/consumer-protocol.ts'
import type { CommittedOffset, OffsetToCommit } from './group/offsets.ts'
import { callCoordinator, commitOffsets, fetchOffsets, noGeneration } from './group/offsets.ts'
import type { IsolationLevel, ListedOffset, OffsetQuery } from './list-offsets.ts'
import { byLeader, listOffsets } from './list-offsets.ts'
import { errorName, isStaleMetadata, protocolFault } from './protocol-errors.ts'
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

export interface GroupListing {
  readonly groupId: string
  readonly state: string
  readonly type: string
  readonly protocolType: string
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocolName: string
  readonly members: readonly GroupMemberDescription[]
}

export interface GroupMemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly partitions: readonly TopicPartition[]
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

export class Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async brokers(): Promise<readonly BrokerMetadata[]> {
    await this.#cluster.allTopics()
    return this.#cluster.brokers
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
          'control',
          deleteRecordsApi,
          topics,
          timeoutMs,
        )
        for (const { name, partitions } of response.topics)
          for (const { partitionIndex: partition, errorCode, lowWatermark } of partitions) {
            if (isStaleMetadata(errorCode)) this.#cluster.invalidate(name)
            if (errorCode !== 0) throw protocolFault(errorCode, 'delete records', { topic: name, partition })
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

  /** All groups of all brokers, of every type. */
  async listGroups(): Promise<readonly GroupListing[]> {
    const lists = await Promise.all(
      (await this.brokers()).map((broker) =>
        this.#cluster.callBroker(broker, 'control', listGroupsApi, [], []),
      ),
    )
    return lists.flatMap(({ errorCode, groups }) => {
      if (errorCode !== 0) throw protocolFault(errorCode, 'list groups')
      return groups.map(({ groupId, groupState, groupType, protocolType }) => ({
        groupId,
        state: groupState,
        type: groupType,
        protocolType,
      }))
    })
  }

  /** A group that does not exist is described as dead and empty. */
  describeGroup(groupId: string): Promise<GroupDescription> {
    return callCoordinator(this.#cluster, 'group', groupId, async (coordinator) => {
      const { groups } = await this.#cluster.callBroker(
        coordinator,
        'control',
        describeGroupsApi,
        [groupId],
        false,
      )
      const [group] = groups
      if (group === undefined || group.errorCode !== 0)
        throw protocolFault(group?.errorCode ?? 15, `describe group ${groupId}`)
      return {
        groupId,
        state: group.groupState,
        protocolType: group.protocolType,
        protocolName: group.protocolData,
        members: group.members.map((member) => ({
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId ?? null,
          clientId: member.clientId,
          clientHost: member.clientHost,
          partitions:
            group.protocolType === 'consumer' ? decodeAssignment(member.memberAssignment).partitions : [],
        })),
      }
    })
  }

  groupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>> {
    return fetchOffsets(this.#cluster, groupId, partitions === undefined ? {} : { partitions })
  }

  /** Sets offsets of a group; Kafka refuses it (`UNKNOWN_MEMBER_ID`) while the group has live members. */
  async alterGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    try {
      await commitOffsets(this.#cluster, groupId, noGeneration, offsets)
    } catch (error) {
      throw error instanceof Fault && error.code === 'UNKNOWN_MEMBER_ID' ? groupIsLive(groupId, error) : error
    }
  }

  async deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = Array.from(byTopic(partitions), ([name, group]) => ({
      name,
      partitions: group.map(({ partition }) => ({ partitionIndex: partition })),
    }))
    await callCoordinator(this.#cluster, 'group', groupId, async (coordinator) => {
      const response = await this.#cluster.callBroker(
        coordinator,
        'control',
        offsetDeleteApi,
        groupId,
        topics,
      )
      if (response.errorCode !== 0)
        throw protocolFault(response.errorCode, `delete offsets of group ${groupId}`)
      for (const { name, partitions: deleted } of response.topics)
        for (const { partitionIndex: partition, errorCode } of deleted)
          if (errorCode !== 0)
            throw protocolFault(errorCode, `delete offsets of group ${groupId}`, { topic: name, partition })
    })
  }

  /** Deletes a group with its offsets; one that does not exist is deleted already. */
  deleteGroup(groupId: string): Promise<void> {
    return callCoordinator(this.#cluster, 'group', groupId, async (coordinator) => {
      const { results } = await this.#cluster.callBroker(coordinator, 'control', deleteGroupsApi, [groupId])
      const errorCode = results[0]?.errorCode ?? 0
      const name = errorName(errorCode)
      if (name === 'NON_EMPTY_GROUP') throw groupIsLive(groupId, protocolFault(errorCode, 'delete a group'))
      if (errorCode !== 0 && name !== 'GROUP_ID_NOT_FOUND')
        throw protocolFault(errorCode, `delete group ${groupId}`)
    })
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

const groupIsLive = (groupId: string, cause: Fault): Fault =>
  new Fault({
    code: 'GROUP_NOT_EMPTY',
    actor: 'author',
    message: `group ${groupId} has live members`,
    remedy: 'stop its members first',
    cause,
  })
