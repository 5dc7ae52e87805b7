import type { Broker } from '../broker.ts'
import type { Group } from '../group/group.ts'
import { offsetFetchSchema } from '../protocol/apis/offset-fetch.ts'
import { Errors } from '../protocol/errors.ts'
import type { Item, Response } from '../protocol/schema.ts'
import { api, type Api } from './api.ts'

/**
 * OffsetFetch: committed offsets of a group, or (v8+) of several; all of them where no topics are named.
 *
 * - A partition without one is answered with offset -1 and no error.
 * - `requireStable` refuses partitions whose offset an open transaction is about to change.
 */
export const offsetFetchApi: Api = api(offsetFetchSchema, (broker, request, { apiVersion }) => {
  const { requireStable } = request
  if (apiVersion < 8)
    return {
      errorCode: Errors.NONE,
      topics: fetchOffsets(broker, request.groupId, request.topics, requireStable),
    }
  return {
    groups: request.groups.map(({ groupId, topics }) => ({
      groupId,
      topics: fetchOffsets(broker, groupId, topics, requireStable),
      errorCode: Errors.NONE,
    })),
  }
})

type AskedTopics = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null
type TopicAnswer = NonNullable<Item<Response<typeof offsetFetchSchema>, 'topics'>>

const fetchOffsets = (
  broker: Broker,
  groupId: string,
  asked: AskedTopics,
  requireStable: boolean,
): TopicAnswer[] => {
  const group = broker.groups.groups.get(groupId)
  const topics = asked ?? group?.offsets.partitions() ?? []
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => fetchOffset(group, name, partition, requireStable)),
  }))
}

const fetchOffset = (
  group: Group | undefined,
  topic: string,
  partitionIndex: number,
  requireStable: boolean,
): TopicAnswer['partitions'][number] => {
  if (requireStable && group !== undefined && isUnstable(group, topic, partitionIndex))
    return { ...missing(partitionIndex), errorCode: Errors.UNSTABLE_OFFSET_COMMIT }
  const committed = group?.offsets.get(topic, partitionIndex)
  if (committed === undefined) return missing(partitionIndex)
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: Errors.NONE,
  }
}

const isUnstable = (group: Group, topic: string, partition: number): boolean =>
  group.transactionalOffsets.values().some((table) => table.get(topic, partition) !== undefined)

const missing = (partitionIndex: number): TopicAnswer['partitions'][number] => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode: Errors.NONE,
})
