import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { deleteGroupsApi, describeGroupsApi, listGroupsApi, offsetDeleteApi } from './apis.ts'
import type { BrokerMetadata, Cluster } from './cluster.ts'
import type { Assignment } from './group/consumer-protocol.ts'
import { decodeAssignment } from './group/consumer-protocol.ts'
import type { CommittedOffset, OffsetToCommit } from './group/offsets.ts'
import { callCoordinator, commitOffsets, fetchOffsets, noGeneration } from './group/offsets.ts'
import { errorName, protocolFault } from './protocol-errors.ts'
import type { TopicPartition } from './topic-partition.ts'
import { byTopic } from './topic-partition.ts'

/** The part of `Admin` that looks at groups from outside and moves or deletes their offsets. */
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
  /** What the leader's assignor had for it beside its partitions. */
  readonly userData: Bytes | null
}

export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async brokers(): Promise<readonly BrokerMetadata[]> {
    await this.#cluster.allTopics()
    return this.#cluster.brokers
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
          ...(group.protocolType === 'consumer' ? assignmentIn(member.memberAssignment) : noAssignment),
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
}

const noAssignment: Assignment = { partitions: [], userData: null }

/** Who looks at a group from outside sees its members also where one of them has what cannot be read. */
const assignmentIn = (bytes: Bytes): Assignment => {
  try {
    return decodeAssignment(bytes)
  } catch {
    return noAssignment
  }
}

const groupIsLive = (groupId: string, cause: Fault): Fault =>
  new Fault({
    code: 'GROUP_NOT_EMPTY',
    actor: 'author',
    message: `group ${groupId} has live members`,
    remedy: 'stop its members first',
    cause,
  })
