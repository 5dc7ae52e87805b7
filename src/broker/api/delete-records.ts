import type { Broker } from '../broker.ts'
import { deleteRecordsSchema } from '../protocol/apis/delete-records.ts'
import { Refusal } from '../protocol/errors.ts'
import { api, attempt, type Api } from './api.ts'

/**
 * DeleteRecords: moves the start of a log up to an offset, at most to its end (-1). Topics whose cleanup policy does
 * not say `delete` refuse it.
 */
export const deleteRecordsApi: Api = api(deleteRecordsSchema, (broker, request) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      let lowWatermark = -1
      const { errorCode } = attempt(() => {
        lowWatermark = deleteUpTo(broker, name, partitionIndex, offset)
      })
      return { partitionIndex, lowWatermark, errorCode }
    }),
  })),
}))

const deleteUpTo = (broker: Broker, name: string, partition: number, offset: number): number => {
  const topic = broker.topics.get(name)
  const log = topic?.partitions[partition]
  if (topic === undefined || log === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  if (!topic.hasCleanupPolicy('delete')) throw new Refusal('POLICY_VIOLATION')
  return log.deleteRecords(offset)
}
