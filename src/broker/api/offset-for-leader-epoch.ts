import { LEADER_EPOCH } from '../broker.ts'
import { offsetForLeaderEpochSchema } from '../protocol/apis/offset-for-leader-epoch.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'
import { leaderEpochError } from './fetch.ts'

/** OffsetForLeaderEpoch: where an epoch ended; with one broker there is one epoch, and it ends where the log does. */
export const offsetForLeaderEpochApi: Api = api(offsetForLeaderEpochSchema, (broker, request) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
      const log = broker.topics.partition(topic, partition)
      const errorCode: ErrorCode =
        log === undefined ? Errors.UNKNOWN_TOPIC_OR_PARTITION : leaderEpochError(currentLeaderEpoch)
      if (log === undefined || errorCode !== Errors.NONE || leaderEpoch !== LEADER_EPOCH)
        return { errorCode, partition }
      return { errorCode, partition, leaderEpoch: LEADER_EPOCH, endOffset: log.logEndOffset }
    }),
  })),
}))
