import type { Bytes } from '../../base/bytes.ts'
import type { Broker } from '../broker.ts'
import { appendProduced } from '../log/validate.ts'
import { produceSchema } from '../protocol/apis/produce.ts'
import { Errors, Refusal, type ErrorName } from '../protocol/errors.ts'
import type { Request, Response } from '../protocol/schema.ts'
import type { Producer } from '../transaction/identity.ts'
import { RequestFailed } from './request-failed.ts'
import { api, type Api } from './api.ts'

/**
 * Produce: appends one record batch per partition.
 *
 * - Refusals are per partition and leave the other partitions appended.
 * - A batch that an idempotent producer sends again is answered with the offset it got the first time.
 * - acks=0 has no answer; an error then closes the connection, which is all a client can notice.
 * - Batches of a transaction need their partition to be part of it (AddPartitionsToTxn); from version 12 on sending
 *   is adding.
 */
export const produceApi: Api = api(produceSchema, async (broker, request, { apiVersion }) => {
  if (apiVersion >= 12 && request.transactionalId !== null)
    await broker.transactions.settled(request.transactionalId)
  const acksAreValid = request.acks === 0 || request.acks === 1 || request.acks === -1
  const responses = request.topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index, records }) => {
      if (!acksAreValid) return refused(index, new Refusal('INVALID_REQUIRED_ACKS'))
      return append(broker, { request, apiVersion, name, index, records })
    }),
  }))
  if (request.acks !== 0) return { responses }
  const failed = responses.some((topic) =>
    topic.partitionResponses.some(({ errorCode }) => errorCode !== Errors.NONE),
  )
  if (failed) throw new RequestFailed('a produce request with acks=0 failed')
  return undefined
})

type PartitionAnswer = Response<typeof produceSchema>['responses'][number]['partitionResponses'][number]

interface PartitionAppend {
  readonly request: Request<typeof produceSchema>
  readonly apiVersion: number
  readonly name: string
  readonly index: number
  readonly records: Bytes | null
}

const append = (
  broker: Broker,
  { request, apiVersion, name, index, records }: PartitionAppend,
): PartitionAnswer => {
  try {
    const topic = broker.topics.get(name)
    const log = topic?.partitions[index]
    if (topic === undefined || log === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    const appended = appendProduced(log, records ?? new Uint8Array(0), {
      topic,
      partition: index,
      apiVersion,
      transactionalId: request.transactionalId,
      nowMs: broker.clock.now(),
      decompress: broker.decompress,
      verifyTransaction: (producerId, producerEpoch) => {
        const producer = { transactionalId: request.transactionalId ?? '', producerId, producerEpoch }
        verify(broker, producer, name, index, apiVersion)
      },
    })
    return {
      index,
      errorCode: Errors.NONE,
      baseOffset: appended.baseOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: log.logStartOffset,
    }
  } catch (error) {
    if (error instanceof Refusal) return refused(index, error)
    throw error
  }
}

/** The first batch of a transaction in a partition; what the coordinator says is put in the words of a partition. */
const verify = (
  broker: Broker,
  producer: Producer,
  topic: string,
  partition: number,
  apiVersion: number,
): void => {
  try {
    if (apiVersion >= 12) broker.transactions.add(producer, [[topic, partition]])
    else broker.transactions.verifyPartition(producer, topic, partition)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal(asPartitionError(error.errorName, apiVersion), error.message)
  }
}

const asPartitionError = (error: ErrorName, apiVersion: number): ErrorName => {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  if (error === 'TRANSACTION_ABORTABLE' && apiVersion < 11) return 'INVALID_TXN_STATE'
  // Older clients know how to retry this one.
  return error === 'CONCURRENT_TRANSACTIONS' ? 'NOT_ENOUGH_REPLICAS' : error
}

const refused = (index: number, refusal: Refusal): PartitionAnswer => ({
  index,
  errorCode: refusal.errorCode,
  baseOffset: -1,
  recordErrors: refusal.records.map((batchIndex) => ({
    batchIndex,
    batchIndexErrorMessage: refusal.message,
  })),
  errorMessage: refusal.message,
})
