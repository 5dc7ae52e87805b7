import type { Broker } from '../broker.ts'
import type { Group } from '../group/group.ts'
import { offsetCommitSchema } from '../protocol/apis/offset-commit.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import { api, attempt, type Api } from './api.ts'

/**
 * OffsetCommit: by a member of the current generation, or, while the group has no members, by anyone who names neither
 * member nor generation. It counts as a heartbeat.
 */
export const offsetCommitApi: Api = api(offsetCommitSchema, (broker, request) => {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const groupError = commitError(broker, { groupId, memberId, groupInstanceId, generationId })
  const group = groupError === Errors.NONE ? broker.groups.getOrCreate(groupId) : undefined
  if (group !== undefined && memberId !== '') broker.groups.touch(group, memberId)
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: group === undefined ? groupError : storeOffset(broker, group, name, partition),
      })),
    })),
  }
})

interface Committer {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

const commitError = (broker: Broker, { groupId, ...committer }: Committer): ErrorCode => {
  const group = broker.groups.groups.get(groupId)
  if (group === undefined) return committer.generationId < 0 ? Errors.NONE : Errors.ILLEGAL_GENERATION
  if (committer.generationId < 0 && group.state === 'Empty') return Errors.NONE
  const { generationId, memberId, groupInstanceId } = committer
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return Errors.UNKNOWN_MEMBER_ID
  const error = group.memberError(memberId, groupInstanceId)
  if (error !== Errors.NONE) return error
  if (generationId !== group.generationId) return Errors.ILLEGAL_GENERATION
  return group.state === 'CompletingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
}

export interface OffsetToCommit {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

/** Problems of one offset, for every way to commit it. */
export const offsetError = (broker: Broker, topic: string, offset: OffsetToCommit): ErrorCode => {
  if (broker.topics.partition(topic, offset.partitionIndex) === undefined)
    return Errors.UNKNOWN_TOPIC_OR_PARTITION
  if ((offset.committedMetadata ?? '').length > broker.settings.offsetMetadataMaxBytes)
    return Errors.OFFSET_METADATA_TOO_LARGE
  return Errors.NONE
}

const storeOffset = (broker: Broker, group: Group, topic: string, offset: OffsetToCommit): ErrorCode => {
  const error = offsetError(broker, topic, offset)
  if (error !== Errors.NONE) return error
  return attempt(() =>
    broker.commitOffset(group, topic, offset.partitionIndex, {
      offset: offset.committedOffset,
      leaderEpoch: offset.committedLeaderEpoch,
      metadata: offset.committedMetadata ?? '',
    }),
  ).errorCode
}
