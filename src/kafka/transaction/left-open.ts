import { describeProducersApi } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import { isFault } from '../../base/fault.ts'
import { isRetriable, isRetriableFault, isStaleMetadata, passingFault } from '../protocol-errors.ts'
import { byLeader } from '../list-offsets.ts'
import { retrying } from '../retry.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic } from '../topic-partition.ts'
import type { BrokerAddress } from '../transport.ts'

/**
 * Transactions that stand open in a partition although their coordinator has ended them.
 *
 * A coordinator that is about to write the markers of an end while a partition has no leader takes that partition for
 * deleted and leaves it out (KAFKA-20734, seen with Apache Kafka 4.3.1). A broker that is alone and has crashed is in that
 * case whenever it comes back and finds a transaction that is to be ended. No reader of committed records gets any
 * further in such a partition, and the next marker of the same producer decides about the old records too: a commit makes
 * visible what was aborted.
 */
export interface OpenTransaction extends TopicPartition {
  readonly producerEpoch: number
}

export interface OpenTransactions {
  readonly open: readonly OpenTransaction[]
  /** False where some partition could not be asked about, since its leader is away. */
  readonly isComplete: boolean
}

const answerTimeoutMs = 5_000

/**
 * The open transactions of a producer in these partitions, as their leaders know them. Those whose topic is gone, or may
 * not be read by this user, are left out.
 */
export const openTransactionsOf = async (
  cluster: Cluster,
  producerId: number,
  partitions: readonly TopicPartition[],
): Promise<OpenTransactions> => {
  try {
    const open = await retrying({ clock: cluster.clock, timeoutMs: answerTimeoutMs }, () =>
      askLeaders(cluster, producerId, partitions),
    )
    return { open, isComplete: true }
  } catch (error) {
    if (isRetriableFault(error) || isFault(error, 'TOPIC_MISSING')) return { open: [], isComplete: false }
    throw error
  }
}

const askLeaders = async (
  cluster: Cluster,
  producerId: number,
  partitions: readonly TopicPartition[],
): Promise<readonly OpenTransaction[]> => {
  const existing = await Promise.all(
    Array.from(byTopic(partitions), async ([topic, group]) => ((await exists(cluster, topic)) ? group : [])),
  )
  const groups = await byLeader(cluster, existing.flat())
  const open = await Promise.all(
    groups.map(({ leader, queries }) => askLeader(cluster, leader, producerId, queries)),
  )
  return open.flat()
}

const exists = async (cluster: Cluster, topic: string): Promise<boolean> => {
  try {
    await cluster.topic(topic)
    return true
  } catch (error) {
    if (isFault(error, 'TOPIC_MISSING')) return false
    throw error
  }
}

const askLeader = async (
  cluster: Cluster,
  leader: BrokerAddress,
  producerId: number,
  partitions: readonly TopicPartition[],
): Promise<readonly OpenTransaction[]> => {
  const asked = Array.from(byTopic(partitions), ([name, group]) => ({
    name,
    partitionIndexes: group.map(({ partition }) => partition),
  }))
  const { topics } = await cluster.callBroker(leader, 'control', describeProducersApi, asked)
  const open: OpenTransaction[] = []
  for (const { name: topic, partitions: described } of topics)
    for (const { partitionIndex: partition, errorCode, activeProducers } of described) {
      if (isStaleMetadata(errorCode) || isRetriable(errorCode)) {
        cluster.invalidate(topic)
        throw passingFault(errorCode, 'describe the producers of a partition', { topic, partition })
      }
      for (const producer of activeProducers)
        if (Number(producer.producerId) === producerId && producer.currentTxnStartOffset >= 0n)
          open.push({ topic, partition, producerEpoch: producer.producerEpoch })
    }
  return open
}
