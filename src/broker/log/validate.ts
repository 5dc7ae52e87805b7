import type { Bytes } from '../../base/bytes.ts'
import { Refusal } from '../protocol/errors.ts'
import type { Topic } from '../topic/topics.ts'
import type { PartitionLog } from './partition-log.ts'
import {
  checksumHolds,
  compressionOf,
  isControl,
  isTransactional,
  NO_PRODUCER_ID,
  patchLogAppendTime,
  readBatchHeader,
  ZSTD,
  type BatchHeader,
} from './record-batch.ts'
import { visitRecords, type Decompress } from './records.ts'

/** What a produced batch must satisfy before it is appended, in the order in which Kafka looks. */
export interface ProduceContext {
  readonly topic: Topic
  readonly partition: number
  readonly apiVersion: number
  readonly transactionalId: string | null
  readonly nowMs: number
  readonly decompress: Decompress
  /** Throws unless the partition is part of the producer's transaction. */
  readonly verifyTransaction: (producerId: number, producerEpoch: number) => void
}

export interface Appended {
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

/** Checks and appends the batch, or finds that it was appended before. */
export const appendProduced = (log: PartitionLog, records: Bytes, context: ProduceContext): Appended => {
  const header = onlyBatch(records)
  checkTransaction(log, header, context)
  checkBatch(records, header, context)
  const usesLogAppendTime = context.topic.config('message.timestamp.type') === 'LogAppendTime'
  const logAppendTimeMs = usesLogAppendTime ? context.nowMs : -1
  if (header.producerId !== NO_PRODUCER_ID) {
    const earlier = log.producers.duplicateOf(header)
    if (earlier !== undefined)
      return { baseOffset: earlier.baseOffset, logAppendTimeMs: usesLogAppendTime ? earlier.timestamp : -1 }
    log.producers.check(header)
  }
  if (!usesLogAppendTime) return { baseOffset: log.append(records, header), logAppendTimeMs }
  const stamped = records.slice()
  patchLogAppendTime(stamped, context.nowMs)
  return { baseOffset: log.append(stamped, readBatchHeader(stamped) as BatchHeader), logAppendTimeMs }
}

/** Clients send exactly one batch per partition. */
const onlyBatch = (records: Bytes): BatchHeader => {
  const header = readBatchHeader(records)
  if (header === undefined) {
    if (records.length === 0)
      throw new Refusal('INVALID_RECORD', 'there is no record batch for the partition')
    throw new Refusal('CORRUPT_MESSAGE', 'the record batch is shorter than its header says')
  }
  if (header.magic !== 2)
    throw new Refusal('INVALID_RECORD', 'only record batches of magic version 2 are allowed')
  if (header.sizeInBytes !== records.length)
    throw new Refusal('INVALID_RECORD', 'only one record batch per partition is allowed')
  return header
}

/** Before anybody looks at the records: a batch that is refused for them has made its partition part of the transaction. */
const checkTransaction = (log: PartitionLog, header: BatchHeader, context: ProduceContext): void => {
  if (!isTransactional(header)) return
  // Without access control there is one thing that a transactional producer can lack: its name.
  if (context.transactionalId === null)
    throw new Refusal(
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      'a transactional batch has no transactional id',
    )
  if (header.producerId !== NO_PRODUCER_ID && !log.producers.hasOpenTransaction(header))
    context.verifyTransaction(header.producerId, header.producerEpoch)
}

const checkBatch = (records: Bytes, header: BatchHeader, context: ProduceContext): void => {
  const { topic, apiVersion } = context
  if (compressionOf(header) === ZSTD && apiVersion < 7) throw new Refusal('UNSUPPORTED_COMPRESSION_TYPE')
  if (header.sizeInBytes > topic.numberConfig('max.message.bytes'))
    throw new Refusal('MESSAGE_TOO_LARGE', `the record batch of ${header.sizeInBytes} bytes is too large`)
  if (!checksumHolds(records, header)) throw new Refusal('CORRUPT_MESSAGE', 'the checksum does not hold')
  const problem = headerProblem(header)
  if (problem !== undefined) throw new Refusal('INVALID_RECORD', problem)
  checkTimestamps(header, context)
  try {
    checkRecords(records, header, context)
  } catch (error) {
    throw error instanceof Refusal ? placed(error, context) : error
  }
}

/** Clients retry CORRUPT_MESSAGE, which is for what the network damaged. What cannot be unpacked never can be. */
const placed = ({ errorName, message, records }: Refusal, { topic, partition }: ProduceContext): Refusal =>
  new Refusal(
    errorName === 'CORRUPT_MESSAGE' ? 'UNKNOWN_SERVER_ERROR' : errorName,
    `${message} (topic ${topic.name}, partition ${partition})`,
    records,
  )

const headerProblem = (header: BatchHeader): string | undefined => {
  if (isControl(header)) return 'clients may not write control batches'
  if (header.baseOffset !== 0) return 'the base offset of the record batch is not 0'
  if (header.recordCount <= 0) return 'the record batch is empty'
  if (header.lastOffsetDelta !== header.recordCount - 1)
    return 'the record count does not match the last offset'
  if (header.producerId !== NO_PRODUCER_ID && header.baseSequence < 0)
    return 'an idempotent batch has no sequence'
  if (isTransactional(header) && header.producerId === NO_PRODUCER_ID)
    return 'a transactional batch has no producer'
  return undefined
}

const checkTimestamps = (
  { maxTimestamp, baseTimestamp }: BatchHeader,
  { topic, nowMs }: ProduceContext,
): void => {
  if (topic.config('message.timestamp.type') === 'LogAppendTime') return
  const latest = nowMs + topic.numberConfig('message.timestamp.after.max.ms')
  const earliest = nowMs - topic.numberConfig('message.timestamp.before.max.ms')
  if (maxTimestamp > latest || (baseTimestamp >= 0 && baseTimestamp < earliest))
    throw new Refusal('INVALID_TIMESTAMP', `a timestamp is outside of [${earliest}, ${latest}]`)
}

/** All records are looked at, those that are compressed too, where the codec is known. */
const checkRecords = (records: Bytes, header: BatchHeader, context: ProduceContext): void => {
  const needsKeys = context.topic.hasCleanupPolicy('compact')
  const keyless: number[] = []
  let index = 0
  const count = visitRecords(records, header, context.decompress, ({ offsetDelta, hasKey }) => {
    if (offsetDelta !== index)
      throw new Refusal('INVALID_RECORD', 'the offsets in the batch are not consecutive')
    if (needsKeys && !hasKey) keyless.push(index)
    index++
    return true
  })
  if (count !== undefined && count !== header.recordCount)
    throw new Refusal('INVALID_RECORD', 'the record count does not match the records')
  if (keyless.length > 0)
    throw new Refusal(
      'INVALID_RECORD',
      `Compacted topic cannot accept message without key in topic partition ${context.topic.name}-${context.partition}.`,
      keyless,
    )
}
