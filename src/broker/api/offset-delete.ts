import type { Broker } from '../broker.ts'
import type { Group } from '../group/group.ts'
import { offsetDeleteSchema } from '../protocol/apis/offset-delete.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

/** OffsetDelete: forgets committed offsets; not of topics that a member of the group subscribes to. */
export const offsetDeleteApi: Api = api(offsetDeleteSchema, (broker, { groupId, topics }) => {
  const group = broker.groups.groups.get(groupId)
  if (group === undefined) return { errorCode: Errors.GROUP_ID_NOT_FOUND, topics: [] }
  if (group.state !== 'Empty' && group.protocolType !== 'consumer')
    return { errorCode: Errors.NON_EMPTY_GROUP, topics: [] }
  return {
    errorCode: Errors.NONE,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: remove(broker, group, name, partitionIndex),
      })),
    })),
  }
})

const remove = (broker: Broker, group: Group, topic: string, partition: number): ErrorCode => {
  if (broker.topics.partition(topic, partition) === undefined) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  if (group.isSubscribedTo(topic)) return Errors.GROUP_SUBSCRIBED_TO_TOPIC
  broker.deleteOffset(group, topic, partition)
  return Errors.NONE
}
