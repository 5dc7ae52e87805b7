import { describeProducersSchema } from '../protocol/apis/describe-producers.ts'
import { Errors } from '../protocol/errors.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Item, Response } from '../protocol/schema.ts'
import { api, type Api } from './api.ts'

/** DescribeProducers: the idempotent producers that a partition remembers, and where their transactions began. */
export const describeProducersApi: Api = api(describeProducersSchema, (broker, request) => ({
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => {
      const log = broker.topics.partition(name, partitionIndex)
      return {
        partitionIndex,
        errorCode: log === undefined ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.NONE,
        errorMessage: null,
        activeProducers: log === undefined ? [] : describe(log),
      }
    }),
  })),
}))

type Partition = Item<Item<Response<typeof describeProducersSchema>, 'topics'>, 'partitions'>

const describe = (log: PartitionLog): Partition['activeProducers'] =>
  Array.from(log.producers.entries, ([producerId, entry]) => ({
    producerId,
    producerEpoch: entry.producerEpoch,
    lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: 0,
    currentTxnStartOffset: log.producers.openOffsetOf(producerId) ?? -1,
  }))
