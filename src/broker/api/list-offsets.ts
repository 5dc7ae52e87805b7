import type { Broker } from '../broker.ts'
import { LEADER_EPOCH } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { TimestampedOffset } from '../log/stored-batch.ts'
import { listOffsetsSchema } from '../protocol/apis/list-offsets.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { api, type Api } from './api.ts'
import { leaderEpochError } from './fetch.ts'

/**
 * ListOffsets: the first offset at or after a timestamp, or one of the special ones: latest (-1), earliest (-2), the
 * one of the largest timestamp (-3), earliest local (-4) and latest tiered (-5; there is no tier).
 *
 * - "Latest" is the last stable offset for readers of committed data, who find nothing behind it by timestamp either.
 */
export const listOffsetsApi: Api = api(listOffsetsSchema, (broker, request) => {
  const committedOnly = request.isolationLevel === 1
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((asked) => answer(broker, name, asked, committedOnly)),
    })),
  }
})

type Asked = Item<Item<Request<typeof listOffsetsSchema>, 'topics'>, 'partitions'>
type PartitionAnswer = Item<Item<Response<typeof listOffsetsSchema>, 'topics'>, 'partitions'>

const answer = (broker: Broker, name: string, asked: Asked, committedOnly: boolean): PartitionAnswer => {
  const { partitionIndex, currentLeaderEpoch, timestamp } = asked
  const log = broker.topics.partition(name, partitionIndex)
  const errorCode: ErrorCode =
    log === undefined ? Errors.UNKNOWN_TOPIC_OR_PARTITION : leaderEpochError(currentLeaderEpoch)
  if (log === undefined || errorCode !== Errors.NONE) return { partitionIndex, errorCode }
  const found = locate(log, timestamp, committedOnly)
  if (found === undefined) return { partitionIndex, errorCode }
  return { partitionIndex, errorCode, ...found, leaderEpoch: LEADER_EPOCH }
}

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4

const locate = (
  log: PartitionLog,
  timestamp: number,
  committedOnly: boolean,
): TimestampedOffset | undefined => {
  const limit = committedOnly ? log.lastStableOffset : log.highWatermark
  if (timestamp === LATEST) return { offset: limit, timestamp: -1 }
  if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL)
    return { offset: log.logStartOffset, timestamp: -1 }
  const found =
    timestamp === MAX_TIMESTAMP
      ? log.offsetOfMaxTimestamp()
      : timestamp < 0
        ? undefined
        : log.offsetForTimestamp(timestamp)
  return found === undefined || found.offset >= limit ? undefined : found
}
