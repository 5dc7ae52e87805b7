import { NODE_ID, type Broker } from '../broker.ts'
import { createTopicsSchema } from '../protocol/apis/create-topics.ts'
import { Errors, Refusal } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { checkTopicConfig, TOPIC_CONFIGS } from '../topic/topic-configs.ts'
import { api, attempt, type Api } from './api.ts'
import { checkPartitionBatch, MAX_PARTITIONS_PER_REQUEST } from './partition-batch.ts'

/**
 * CreateTopics: each topic succeeds or fails by itself.
 *
 * - Partitions and replication factor of -1 are the broker's defaults; a factor above one broker cannot be met.
 * - Explicit assignments must be the consecutive partitions from 0, all on this broker.
 * - A request for more than 10,000 partitions is refused as a whole, with POLICY_VIOLATION.
 * - Configs are checked by name and value, kept, and given back (v5+) with the defaults of the others.
 */
export const createTopicsApi: Api = api(createTopicsSchema, (broker, { topics, validateOnly }) => {
  const names = topics.map(({ name }) => name)
  const isRepeated = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name)
  const unique = topics.filter(({ name }) => !isRepeated(name))
  const { errorCode, errorMessage } = attempt(() => checkPartitionsOfRequest(broker, unique))
  const answers = topics.map((asked) =>
    isRepeated(asked.name)
      ? failed(asked.name, Errors.INVALID_REQUEST, 'Duplicate topic name.')
      : errorCode === Errors.NONE
        ? create(broker, asked, validateOnly)
        : failed(asked.name, errorCode, errorMessage),
  )
  return { topics: answers.filter(({ name }, index) => names.indexOf(name) === index) }
})

type Asked = Item<Request<typeof createTopicsSchema>, 'topics'>
type TopicAnswer = Item<Response<typeof createTopicsSchema>, 'topics'>

/** Kafka's controller writes a request as one batch of at most 10,000 records: one per topic, partition and config. */
const checkPartitionsOfRequest = (broker: Broker, topics: readonly Asked[]): void => {
  let partitions = 0
  let records = 0
  for (const { numPartitions, assignments, configs } of topics) {
    const byNumber = numPartitions === -1 ? broker.settings.numPartitions : Math.max(numPartitions, 0)
    const count = assignments.length > 0 ? assignments.length : byNumber
    partitions += count
    records += 1 + count + configs.length
  }
  checkPartitionBatch(partitions)
  if (records > MAX_PARTITIONS_PER_REQUEST)
    throw new Refusal('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.')
}

const create = (broker: Broker, asked: Asked, validateOnly: boolean): TopicAnswer => {
  const { name } = asked
  const configs = new Map<string, string>()
  let numPartitions = 0
  const { errorCode, errorMessage } = attempt(() => {
    broker.topics.checkNewName(name)
    numPartitions = partitionCount(asked, broker.settings.numPartitions)
    for (const config of asked.configs) {
      checkTopicConfig(config.name, config.value)
      configs.set(config.name, config.value ?? '')
    }
    if (!validateOnly) broker.createTopic(name, numPartitions, configs)
  })
  if (errorCode !== Errors.NONE) return failed(name, errorCode, errorMessage)
  return {
    name,
    topicId: broker.topics.get(name)?.id,
    errorCode,
    errorMessage: null,
    numPartitions,
    replicationFactor: 1,
    configs: describeConfigs(configs),
  }
}

const partitionCount = (
  { numPartitions, replicationFactor, assignments }: Asked,
  byDefault: number,
): number => {
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1)
      throw new Refusal(
        'INVALID_REQUEST',
        'Both partition assignments and a number of partitions or replicas were given.',
      )
    checkAssignments(assignments)
    return assignments.length
  }
  if (replicationFactor !== -1 && replicationFactor <= 0)
    throw new Refusal('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0, or -1.')
  if (replicationFactor > 1)
    throw new Refusal(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): only 1 broker(s) are registered.`,
    )
  if (numPartitions !== -1 && numPartitions <= 0)
    throw new Refusal('INVALID_PARTITIONS', 'Number of partitions must be larger than 0, or -1.')
  return numPartitions === -1 ? byDefault : numPartitions
}

const checkAssignments = (assignments: Asked['assignments']): void => {
  const partitions = assignments.map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b)
  if (partitions.some((partition, index) => partition !== index))
    throw new Refusal(
      'INVALID_REPLICA_ASSIGNMENT',
      'Partitions should be a consecutive 0-based integer sequence.',
    )
  if (assignments.some(({ brokerIds }) => brokerIds.length !== 1 || brokerIds[0] !== NODE_ID))
    throw new Refusal('INVALID_REPLICA_ASSIGNMENT', 'The assignment names a broker that is not registered.')
}

const failed = (name: string, errorCode: number, errorMessage: string | null): TopicAnswer => ({
  name,
  errorCode,
  errorMessage,
  configs: [],
})

const TOPIC_CONFIG = 1
const DEFAULT_CONFIG = 5

const describeConfigs = (configs: ReadonlyMap<string, string>): NonNullable<TopicAnswer['configs']> =>
  Array.from(TOPIC_CONFIGS, ([name, { defaultValue }]) => ({
    name,
    value: configs.get(name) ?? defaultValue,
    configSource: configs.has(name) ? TOPIC_CONFIG : DEFAULT_CONFIG,
    readOnly: false,
    isSensitive: false,
  }))
