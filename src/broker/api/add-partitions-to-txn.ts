import type { Broker } from '../broker.ts'
import { addPartitionsToTxnSchema } from '../protocol/apis/add-partitions-to-txn.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Producer } from '../transaction/identity.ts'
import { api, attempt, type Api } from './api.ts'
import { fencedBefore } from './fenced.ts'

/**
 * AddPartitionsToTxn: makes partitions part of a transaction, all of them or none.
 *
 * - If one does not exist, it is named and the others are answered OPERATION_NOT_ATTEMPTED.
 * - From version 4 on (between brokers) several transactions come at once, and `verifyOnly` adds nothing.
 */
export const addPartitionsToTxnApi: Api = api(addPartitionsToTxnSchema, (broker, request, { apiVersion }) => {
  if (apiVersion >= 4)
    return {
      resultsByTransaction: request.transactions.map((transaction) => ({
        transactionalId: transaction.transactionalId,
        topicResults: addAll(broker, transaction, transaction.topics, apiVersion, transaction.verifyOnly),
      })),
    }
  const producer = {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
  }
  return { resultsByTopicV3AndBelow: addAll(broker, producer, request.v3AndBelowTopics, apiVersion, false) }
})

type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[]
interface TopicResult {
  readonly name: string
  readonly resultsByPartition: readonly {
    readonly partitionIndex: number
    readonly partitionErrorCode: ErrorCode
  }[]
}

const addAll = (
  broker: Broker,
  producer: Producer,
  topics: Topics,
  apiVersion: number,
  verifyOnly: boolean,
): TopicResult[] => {
  const isUnknown = (topic: string, partition: number): boolean =>
    broker.topics.partition(topic, partition) === undefined
  if (topics.some(({ name, partitions }) => partitions.some((partition) => isUnknown(name, partition))))
    return answer(topics, (topic, partition) =>
      isUnknown(topic, partition) ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.OPERATION_NOT_ATTEMPTED,
    )
  const { transactions } = broker
  if (verifyOnly)
    return answer(
      topics,
      (topic, partition) => attempt(() => transactions.verifyPartition(producer, topic, partition)).errorCode,
    )
  const all = topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => [name, partition] as const),
  )
  const { errorCode } = attempt(() => transactions.add(producer, all))
  return answer(topics, () => fencedBefore(2, apiVersion, errorCode))
}

const answer = (topics: Topics, errorOf: (topic: string, partition: number) => ErrorCode): TopicResult[] =>
  topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex),
    })),
  }))
