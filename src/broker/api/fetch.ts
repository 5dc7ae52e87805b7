import type { Bytes } from '../../base/bytes.ts'
import { LEADER_EPOCH, type Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { fetchSchema } from '../protocol/apis/fetch.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { api, type Api, type RequestContext } from './api.ts'

/**
 * Fetch: whole batches by reference, from the one that holds the wanted offset.
 *
 * - Waits up to `maxWaitMs` for `minBytes`; any error is answered at once.
 * - The first batch comes even if it exceeds the limits, so that a reader can go on.
 * - Readers of committed data get what lies before the last stable offset, with the aborted transactions to skip.
 * - Sessions are declined with session id 0, which makes every fetch a full one; topics go by id from version 13.
 */
export const fetchApi: Api = api(fetchSchema, (broker, request, context) => {
  if (request.sessionId !== 0 && request.sessionEpoch > 0)
    return { errorCode: Errors.FETCH_SESSION_ID_NOT_FOUND, responses: [] }
  const targets = request.topics.flatMap((topic) => resolveTopic(broker, topic, request, context.apiVersion))
  const enough = (): boolean =>
    targets.some(({ errorCode }) => errorCode !== Errors.NONE) || available(targets) >= request.minBytes
  if (request.maxWaitMs <= 0 || enough()) return respond(broker, request, targets)
  return waitFor(broker, targets, request.maxWaitMs, context, enough).then(() => {
    const current = request.topics.flatMap((topic) =>
      resolveTopic(broker, topic, request, context.apiVersion),
    )
    return respond(broker, request, current)
  })
})

type FetchRequest = Request<typeof fetchSchema>
type FetchTopic = Item<FetchRequest, 'topics'>
type FetchResponse = Response<typeof fetchSchema>
type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

interface Target {
  readonly topic: FetchTopic
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  readonly committedOnly: boolean
  readonly log: PartitionLog | undefined
  readonly errorCode: ErrorCode
}

const resolveTopic = (
  broker: Broker,
  topic: FetchTopic,
  request: FetchRequest,
  apiVersion: number,
): Target[] => {
  const known = apiVersion >= 13 ? broker.topics.byId(topic.topicId) : broker.topics.get(topic.topic)
  const unknown = apiVersion >= 13 ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION
  const committedOnly = request.isolationLevel === 1
  return topic.partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }) => {
    const log = known?.partitions[partition]
    const errorCode =
      known === undefined
        ? unknown
        : log === undefined
          ? Errors.UNKNOWN_TOPIC_OR_PARTITION
          : positionError(log, fetchOffset, currentLeaderEpoch)
    return {
      topic,
      partition,
      offset: fetchOffset,
      maxBytes: partitionMaxBytes,
      committedOnly,
      log,
      errorCode,
    }
  })
}

const positionError = (log: PartitionLog, offset: number, leaderEpoch: number): ErrorCode => {
  const epochError = leaderEpochError(leaderEpoch)
  if (epochError !== Errors.NONE) return epochError
  return offset < log.logStartOffset || offset > log.logEndOffset ? Errors.OFFSET_OUT_OF_RANGE : Errors.NONE
}

/** What the client believes of the leader must be what is; -1 is "I do not know". */
export const leaderEpochError = (leaderEpoch: number): ErrorCode => {
  if (leaderEpoch === -1 || leaderEpoch === LEADER_EPOCH) return Errors.NONE
  return leaderEpoch < LEADER_EPOCH ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH
}

const limitOf = (log: PartitionLog, committedOnly: boolean): number =>
  committedOnly ? log.lastStableOffset : log.highWatermark

const available = (targets: readonly Target[]): number => {
  let size = 0
  for (const { log, offset, committedOnly, maxBytes } of targets) {
    if (log !== undefined) size += Math.min(log.bytesBetween(offset, limitOf(log, committedOnly)), maxBytes)
  }
  return size
}

/** Resolves when there is enough, when the time is over or when the client has gone. */
const waitFor = (
  broker: Broker,
  targets: readonly Target[],
  maxWaitMs: number,
  context: RequestContext,
  enough: () => boolean,
): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      for (const stop of stops) stop()
      resolve()
    }
    const stops = targets.map(
      ({ log }) => log?.onAppend(() => enough() && finish()) ?? ((): undefined => undefined),
    )
    stops.push(broker.clock.setTimer(finish, maxWaitMs), context.onClose(finish))
  })

const respond = (broker: Broker, request: FetchRequest, targets: readonly Target[]): FetchResponse => {
  let budget = request.maxBytes
  let isEmpty = true
  const byTopic = new Map<FetchTopic, PartitionAnswer[]>()
  for (const topic of request.topics) byTopic.set(topic, [])
  for (const target of targets) {
    const { answer, sizeInBytes } = readTarget(target, budget, isEmpty)
    budget -= sizeInBytes
    isEmpty &&= sizeInBytes === 0
    byTopic.get(target.topic)?.push(answer)
  }
  return {
    errorCode: Errors.NONE,
    sessionId: 0,
    responses: Array.from(byTopic, ([{ topic, topicId }, partitions]) => ({ topic, topicId, partitions })),
  }
}

const NO_RECORDS: readonly Bytes[] = []

const readTarget = (
  { log, errorCode, partition, offset, committedOnly, maxBytes }: Target,
  budget: number,
  firstWhole: boolean,
): { answer: PartitionAnswer; sizeInBytes: number } => {
  if (log === undefined || errorCode !== Errors.NONE)
    return { answer: failed(partition, errorCode), sizeInBytes: 0 }
  const read = log.read(offset, limitOf(log, committedOnly), Math.min(maxBytes, budget), firstWhole)
  const answer = {
    partitionIndex: partition,
    errorCode,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: committedOnly ? log.abortedBetween(offset, read.nextOffset) : null,
    records: read.sizeInBytes === 0 ? NO_RECORDS : read.chunks,
  }
  return { answer, sizeInBytes: read.sizeInBytes }
}

const failed = (partitionIndex: number, errorCode: number): PartitionAnswer => ({
  partitionIndex,
  errorCode,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  abortedTransactions: null,
  records: NO_RECORDS,
})
