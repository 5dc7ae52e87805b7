import type { Broker } from '../broker.ts'
import { deleteTopicsSchema } from '../protocol/apis/delete-topics.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Response } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { api, type Api } from './api.ts'

/** DeleteTopics: by name, or (v6) by name or id, one of the two. The topic's committed offsets go with it. */
export const deleteTopicsApi: Api = api(deleteTopicsSchema, (broker, request, { apiVersion }) => {
  const asked =
    apiVersion >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  return { responses: asked.map((topic) => remove(broker, topic)) }
})

interface Asked {
  readonly name: string | null
  readonly topicId: string
}
type TopicAnswer = Response<typeof deleteTopicsSchema>['responses'][number]

const remove = (broker: Broker, { name, topicId }: Asked): TopicAnswer => {
  const byId = topicId !== ZERO_UUID
  if (byId === (name !== null)) return answer(name, topicId, Errors.INVALID_REQUEST)
  const topic = name === null ? broker.topics.byId(topicId) : broker.topics.get(name)
  if (topic === undefined)
    return answer(name, topicId, byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION)
  broker.deleteTopic(topic)
  return answer(topic.name, topic.id, Errors.NONE)
}

const answer = (name: string | null, topicId: string, errorCode: ErrorCode): TopicAnswer => ({
  name,
  topicId,
  errorCode,
  errorMessage: errorCode === Errors.NONE ? null : refusalText(errorCode),
})

const refusalText = (errorCode: ErrorCode): string =>
  errorCode === Errors.INVALID_REQUEST
    ? 'Either a name or an id must be given, and not both.'
    : 'This server does not host this topic.'
