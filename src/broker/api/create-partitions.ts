import { NODE_ID, type Broker } from '../broker.ts'
import { createPartitionsSchema } from '../protocol/apis/create-partitions.ts'
import { Errors, Refusal } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { api, attempt, type Api } from './api.ts'

/** CreatePartitions: topics grow and never shrink; assignments, where given, must be one per new partition. */
export const createPartitionsApi: Api = api(createPartitionsSchema, (broker, { topics, validateOnly }) => {
  const names = topics.map(({ name }) => name)
  const isRepeated = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name)
  const answer = (asked: Asked): Answer => {
    const { errorCode, errorMessage } = isRepeated(asked.name)
      ? { errorCode: Errors.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }
      : attempt(() => grow(broker, asked, validateOnly))
    return { name: asked.name, errorCode, errorMessage }
  }
  return { results: topics.filter(({ name }, index) => names.indexOf(name) === index).map(answer) }
})

type Asked = Item<Request<typeof createPartitionsSchema>, 'topics'>
type Answer = Item<Response<typeof createPartitionsSchema>, 'results'>

const grow = (broker: Broker, { name, count, assignments }: Asked, validateOnly: boolean): void => {
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
  if (!validateOnly) broker.addPartitions(topic, count)
}
