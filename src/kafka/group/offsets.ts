import { offsetCommitApi, offsetFetchApi } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import { checkAnswered, incompleteResponse } from '../malformed-response.ts'
import { isRetriableFault, isStaleMetadata, passingFault, protocolFault } from '../protocol-errors.ts'
import { retrying } from '../retry.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic, partitionName } from '../topic-partition.ts'
import type { BrokerAddress } from '../transport.ts'

/** A member's proof that it is alive in its group: what a commit is fenced by. */
export interface GroupGeneration {
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * Runs a commit under the live generation. One that a rebalance has overtaken, in which the member takes part, is run
 * again under the next generation; one of a member that has lost its partitions rejects.
 */
export interface CommitFence {
  commit<T>(run: (generation: GroupGeneration) => Promise<T>): Promise<T>
}

/** For groups without live members: their offsets may be written by anybody. */
export const noGeneration: GroupGeneration = { generationId: -1, memberId: '', groupInstanceId: null }

export interface OffsetToCommit extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number
  readonly metadata?: string | null
}

export interface CommittedOffset {
  readonly offset: number
  readonly metadata: string | null
}

/** Sends to a group's or transaction's coordinator; a lost or moved coordinator is looked up again and tried again. */
export const callCoordinator = <T>(
  cluster: Cluster,
  kind: 'group' | 'transaction',
  key: string,
  call: (coordinator: BrokerAddress) => Promise<T>,
  timeoutMs: number = cluster.retryTimeoutMs,
): Promise<T> =>
  retrying({ clock: cluster.clock, timeoutMs, ...coordinatorBackoff }, async () => {
    try {
      return await call(await cluster.coordinator(kind, key))
    } catch (error) {
      if (isRetriableFault(error) && coordinatorIsGone.has(error.code))
        cluster.invalidateCoordinator(kind, key)
      throw error
    }
  })

/** A coordinator is soon elected: the first attempts follow quickly. */
const coordinatorBackoff = { backoffMs: 20, maxBackoffMs: 500 }

const coordinatorIsGone = new Set([
  'BROKER_UNREACHABLE',
  'CONNECTION_LOST',
  'REQUEST_TIMED_OUT',
  'RESPONSE_MALFORMED',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
])

/** Commits offsets outside a transaction. Rejects where the member is no longer in the group's generation. */
export const commitOffsets = (
  cluster: Cluster,
  groupId: string,
  generation: GroupGeneration,
  offsets: readonly OffsetToCommit[],
): Promise<void> => {
  if (offsets.length === 0) return Promise.resolve()
  const { generationId, memberId, groupInstanceId } = generation
  const topics = toCommit(offsets)
  return callCoordinator(cluster, 'group', groupId, async (coordinator) => {
    const response = await cluster.callBroker(
      coordinator,
      'control',
      offsetCommitApi,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      topics,
    )
    const answered = new Set<string>()
    for (const { name, partitions } of response.topics)
      for (const { partitionIndex, errorCode } of partitions) {
        checkCommitted(errorCode, groupId, { topic: name, partition: partitionIndex })
        answered.add(partitionName(name, partitionIndex))
      }
    checkAnswered('OffsetCommit', offsets, answered)
  })
}

/** The coordinator may not have heard yet of a topic that is new. */
export const checkCommitted = (errorCode: number, groupId: string, place: TopicPartition): void => {
  if (errorCode === 0) return
  const doing = `commit offsets of group ${groupId}`
  if (isStaleMetadata(errorCode)) throw passingFault(errorCode, doing, place)
  throw protocolFault(errorCode, doing, place)
}

type LibraryTopics = Parameters<(typeof offsetCommitApi)['encode']>[4]

/** The offsets in the shape of OffsetCommit and TxnOffsetCommit. */
export const toCommit = (offsets: readonly OffsetToCommit[]): LibraryTopics =>
  Array.from(byTopic(offsets), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata ?? '',
    })),
  }))

export interface FetchOffsetsOptions {
  /**
   * All that the group has committed where left out. Then a partition whose first offset is still in a pending
   * transaction is missing, also with `requireStable`: who needs it waited for must name it.
   */
  readonly partitions?: readonly TopicPartition[]
  /** Waits for pending transactions to end, as exactly-once needs it. */
  readonly requireStable?: boolean
  /** That of a dead producer ends only at its timeout, and up to 10 s later. */
  readonly timeoutMs?: number
}

/** The committed offsets of a group by partition name; partitions without one are missing. */
export const fetchOffsets = (
  cluster: Cluster,
  groupId: string,
  options: FetchOffsetsOptions = {},
): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>> => {
  const { partitions, requireStable = false } = options
  const topics =
    partitions === undefined
      ? null
      : Array.from(byTopic(partitions), ([name, group]) => ({
          name,
          partitionIndexes: group.map(({ partition }) => partition),
        }))
  const ask = async (
    coordinator: BrokerAddress,
  ): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>> => {
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics }]
    const response = await cluster.callBroker(coordinator, 'control', offsetFetchApi, groups, requireStable)
    const result = new Map<string, CommittedOffset & TopicPartition>()
    const answered = new Set<string>()
    for (const group of response.groups) {
      if (group.errorCode !== 0) throw protocolFault(group.errorCode, `read the offsets of group ${groupId}`)
      for (const { name, partitions: found } of group.topics)
        for (const { partitionIndex, committedOffset, metadata, errorCode } of found) {
          const place = { topic: name, partition: partitionIndex }
          answered.add(partitionName(name, partitionIndex))
          if (errorCode !== 0) throw protocolFault(errorCode, `read the offsets of group ${groupId}`, place)
          if (committedOffset >= 0n)
            result.set(partitionName(name, partitionIndex), {
              ...place,
              offset: Number(committedOffset),
              metadata: metadata ?? null,
            })
        }
    }
    // Without an answer, a partition would count as one that was never read, and begin where its reset says.
    if (response.groups.length === 0) throw incompleteResponse('OffsetFetch', `group ${groupId}`)
    checkAnswered('OffsetFetch', partitions ?? [], answered)
    return result
  }
  const timeoutMs = options.timeoutMs ?? cluster.retryTimeoutMs * (requireStable ? 2 : 1)
  return callCoordinator(cluster, 'group', groupId, ask, timeoutMs)
}
