import type { Broker } from '../broker.ts'
import { LEADER_EPOCH, NODE_ID } from '../broker.ts'
import { metadataSchema } from '../protocol/apis/metadata.ts'
import { Errors } from '../protocol/errors.ts'
import type { Request, Response } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { checkTopicName, type Topic } from '../topic/topics.ts'
import { api, attempt, type Api } from './api.ts'

/**
 * Metadata: this one broker, and the topics that were asked for by name or (v10+) by id; null, or an empty list in v0,
 * means all. Unknown topics are created only if both the client and `autoCreateTopicsEnable` allow it.
 */
export const metadataApi: Api = api(metadataSchema, (broker, request, { apiVersion }) => {
  const all = request.topics === null || (apiVersion === 0 && request.topics.length === 0)
  const topics = all
    ? Array.from(broker.topics.all, (topic) => describeTopic(topic, apiVersion))
    : (request.topics ?? []).map((asked) => lookUp(broker, asked, request.allowAutoTopicCreation, apiVersion))
  const { host, port } = broker.advertised
  return {
    brokers: [{ nodeId: NODE_ID, host, port, rack: null }],
    clusterId: broker.clusterId,
    controllerId: NODE_ID,
    topics,
  }
})

type AskedTopic = NonNullable<Request<typeof metadataSchema>['topics']>[number]
type TopicAnswer = Response<typeof metadataSchema>['topics'][number]

const lookUp = (broker: Broker, asked: AskedTopic, mayCreate: boolean, apiVersion: number): TopicAnswer => {
  if (asked.name === null || asked.topicId !== ZERO_UUID) return lookUpById(broker, asked, apiVersion)
  const { name } = asked
  const topic = broker.topics.get(name)
  if (topic !== undefined) return describeTopic(topic, apiVersion)
  const { errorCode } = attempt(() => checkTopicName(name))
  if (errorCode !== Errors.NONE) return unknown(name, ZERO_UUID, errorCode)
  if (!mayCreate || !broker.settings.autoCreateTopicsEnable)
    return unknown(name, ZERO_UUID, Errors.UNKNOWN_TOPIC_OR_PARTITION)
  return describeTopic(broker.createTopic(name, broker.settings.numPartitions, new Map()), apiVersion)
}

const lookUpById = (broker: Broker, { topicId, name }: AskedTopic, apiVersion: number): TopicAnswer => {
  const topic = broker.topics.byId(topicId)
  if (topic !== undefined) return describeTopic(topic, apiVersion)
  return unknown(apiVersion < 12 ? (name ?? '') : null, topicId, Errors.UNKNOWN_TOPIC_ID)
}

const unknown = (name: string | null, topicId: string, errorCode: number): TopicAnswer => ({
  errorCode,
  name,
  topicId,
  partitions: [],
})

const describeTopic = (topic: Topic, apiVersion: number): TopicAnswer => ({
  errorCode: Errors.NONE,
  name: topic.name,
  topicId: topic.id,
  isInternal: false,
  partitions: topic.partitions.map((_, partitionIndex) => ({
    errorCode: Errors.NONE,
    partitionIndex,
    leaderId: NODE_ID,
    leaderEpoch: apiVersion >= 7 ? LEADER_EPOCH : undefined,
    replicaNodes: [NODE_ID],
    isrNodes: [NODE_ID],
  })),
})
