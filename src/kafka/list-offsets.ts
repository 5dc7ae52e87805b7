import { listOffsetsApi } from './apis.ts'
import type { Cluster } from './cluster.ts'
import { topicMissing } from './cluster.ts'
import { checkAnswered } from './malformed-response.ts'
import { isStaleMetadata, passingFault, protocolFault } from './protocol-errors.ts'
import { retrying } from './retry.ts'
import type { TopicPartition } from './topic-partition.ts'
import { byTopic, partitionName } from './topic-partition.ts'
import type { BrokerAddress } from './transport.ts'
import { addressText } from './transport.ts'

/** The first record kept, the end of the log, or the first record at or after a time. */
export type OffsetSpec = 'earliest' | 'latest' | { readonly timestamp: number }
export type IsolationLevel = 'read_committed' | 'read_uncommitted'

export interface OffsetQuery extends TopicPartition {
  readonly at: OffsetSpec
}

export interface ListedOffset {
  /** -1 where no record is that young. */
  readonly offset: number
  /** The record's time where a time was asked for, else -1. */
  readonly timestamp: number
}

export const isolationCode = (isolation: IsolationLevel): number => (isolation === 'read_committed' ? 1 : 0)

/** The offsets that stand at the wanted places, by partition name; leaders are asked in parallel. */
export const listOffsets = (
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  isolation: IsolationLevel = 'read_uncommitted',
): Promise<ReadonlyMap<string, ListedOffset>> =>
  retrying({ clock: cluster.clock, timeoutMs: cluster.retryTimeoutMs }, async () => {
    const result = new Map<string, ListedOffset>()
    const groups = await byLeader(cluster, queries)
    await Promise.all(
      groups.map(({ leader, queries: group }) => listFrom(cluster, leader, group, isolation, result)),
    )
    return result
  })

interface LeaderGroup<T> {
  readonly leader: BrokerAddress
  readonly queries: T[]
}

/** The queries grouped by the leader that must answer them; metadata is asked for where it is missing. */
export const byLeader = async <T extends TopicPartition>(
  cluster: Cluster,
  queries: readonly T[],
): Promise<readonly LeaderGroup<T>[]> => {
  await Promise.all([...new Set(queries.map(({ topic }) => topic))].map((topic) => cluster.topic(topic)))
  const groups = new Map<string, LeaderGroup<T>>()
  for (const query of queries) {
    const leader = cluster.leaderOf(query.topic, query.partition)
    if (leader === undefined) {
      // Who has met another leader may have made what was known of the topic forgotten in this very moment.
      const known = cluster.known(query.topic)
      if (known !== undefined && known.partitions[query.partition] === undefined)
        throw topicMissing(query.topic)
      cluster.invalidate(query.topic)
      throw protocolFault(5, 'answer for a partition', placeOf(query))
    }
    const group = groups.get(addressText(leader)) ?? { leader, queries: [] }
    group.queries.push(query)
    groups.set(addressText(leader), group)
  }
  return [...groups.values()]
}

const listFrom = async (
  cluster: Cluster,
  leader: BrokerAddress,
  queries: readonly OffsetQuery[],
  isolation: IsolationLevel,
  result: Map<string, ListedOffset>,
): Promise<void> => {
  const topics = Array.from(byTopic(queries), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, at }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: timestampOf(at),
    })),
  }))
  const response = await cluster.callBroker(
    leader,
    'control',
    listOffsetsApi,
    -1,
    isolationCode(isolation),
    topics,
  )
  for (const { name, partitions } of response.topics)
    for (const { partitionIndex, errorCode, offset, timestamp } of partitions) {
      const place = { topic: name, partition: partitionIndex }
      if (isStaleMetadata(errorCode)) {
        cluster.invalidate(name)
        throw passingFault(errorCode, 'list offsets', place)
      }
      if (errorCode !== 0) throw protocolFault(errorCode, 'list offsets', place)
      result.set(partitionName(name, partitionIndex), {
        offset: Number(offset),
        timestamp: Number(timestamp),
      })
    }
  checkAnswered('ListOffsets', queries, result)
}

const placeOf = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

const timestampOf = (at: OffsetSpec): bigint =>
  at === 'earliest' ? -2n : at === 'latest' ? -1n : BigInt(at.timestamp)
