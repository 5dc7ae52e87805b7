import { Refusal } from '../protocol/errors.ts'

/** The most partitions that Kafka's controller creates for one request. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000

export const checkPartitionBatch = (partitions: number): void => {
  if (partitions > MAX_PARTITIONS_PER_REQUEST)
    throw new Refusal('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
}
