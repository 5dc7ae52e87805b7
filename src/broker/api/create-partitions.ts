import { NODE_ID, type Broker } from '../broker.ts'
import { createPartitionsSchema } from '../protocol/apis/create-partitions.ts'
import { Errors, Refusal } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { api, attempt, type Api } from './api.ts'
import { checkPartitionBatch } from './partition-batch.ts'

/**
 * CreatePartitions: topics grow and never shrink; assignments, where given, must be one per new partition.
 *
 * - Topics that would bring a request above 10,000 new partitions are refused with POLICY_VIOLATION. (Apache Kafka
 *   refuses them with UNKNOWN_SERVER_ERROR, which says nothing to a user.)
 */
export const createPartitionsApi: Api = api(createPartitionsSchema, (broker, { topics, validateOnly }) => {
  const names = topics.map(({ name }) => name)
  const isRepeated = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name)
  let added = 0
  const answer = (asked: Asked): Answer => {
    const { errorCode, errorMessage } = isRepeated(asked.name)
      ? { errorCode: Errors.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }
      : attempt(() => {
          const additional = additionalPartitions(broker, asked)
          checkPartitionBatch(added + additional)
          added += additional
          if (!validateOnly) grow(broker, asked)
        })
    return { name: asked.name, errorCode, errorMessage }
  }
  return { results: topics.filter(({ name }, index) => names.indexOf(name) === index).map(answer) }
})

type Asked = Item<Request<typeof createPartitionsSchema>, 'topics'>
type Answer = Item<Response<typeof createPartitionsSchema>, 'results'>

const grow = (broker: Broker, { name, count }: Asked): void => {
  const topic = broker.topics.get(name)
  if (topic !== undefined) broker.addPartitions(topic, count)
}

/** How many partitions a topic gains, after the checks of its request. */
const additionalPartitions = (broker: Broker, { name, count, assignments }: Asked): number => {
  const topic = broker.topics.get(name)
  if (topic === undefined)
    throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic.')
  const current = topic.partitions.length
  if (count <= current)
    throw new Refusal(
      'INVALID_PARTITIONS',
      count === current
        ? `Topic already has ${current} partition(s).`
        : `The topic ${name} currently has ${current} partition(s); ${count} would not be an increase.`,
    )
  if (assignments !== null) {
    const isMet = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === NODE_ID)
    if (assignments.length !== count - current || !isMet)
      throw new Refusal(
        'INVALID_REPLICA_ASSIGNMENT',
        `Attempted to add ${count - current} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
      )
  }
  return count - current
}
