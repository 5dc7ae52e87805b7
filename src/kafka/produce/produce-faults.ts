import { Fault } from '../../base/fault.ts'
import { errorName, protocolFault } from '../protocol-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { fencedFault } from './producer-session.ts'

/** What the answers to produce requests mean. */
export const isStored = (errorCode: number): boolean =>
  errorCode === 0 || errorName(errorCode) === 'DUPLICATE_SEQUENCE_NUMBER'

export const isOutOfOrder = (errorCode: number): boolean =>
  errorName(errorCode) === 'OUT_OF_ORDER_SEQUENCE_NUMBER'

/** True where the broker looked no further before it denied a batch; after any other retriable answer, that is unknown. */
export const isNotStored = (errorCode: number): boolean => notStored.has(errorName(errorCode))

const notStored = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_ENOUGH_REPLICAS',
])

export const produceFault = (
  errorCode: number,
  { topic, partition }: TopicPartition,
  detail: string | null | undefined,
  transactionalId: string | null,
): Fault => {
  const isFenced = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes(errorName(errorCode))
  return isFenced
    ? fencedFault(transactionalId, errorCode)
    : protocolFault(errorCode, 'store a record', { topic, partition }, detail)
}

export const deliveryFault = ({ topic, partition }: TopicPartition, timeoutMs: number, cause: Fault): Fault =>
  new Fault({
    code: cause.code === 'PARTITION_MISSING' ? cause.code : 'DELIVERY_TIMED_OUT',
    actor: 'runtime',
    message: `records could not be stored within ${timeoutMs} ms (deliveryTimeoutMs): ${cause.summary}`,
    place: { topic, partition },
    cause,
  })

/** Why a partition has no leader to send to: its broker is away, or the topic has no such partition (any more). */
export const leaderMissing = ({ topic, partition }: TopicPartition, partitionCount: number): Fault =>
  partition >= 0 && partition < partitionCount
    ? new Fault({
        code: 'LEADER_NOT_AVAILABLE',
        actor: 'retry',
        message: 'the partition has no leader',
        place: { topic, partition },
      })
    : new Fault({
        code: 'PARTITION_MISSING',
        actor: 'runtime',
        message: `the topic has no such partition, only ${partitionCount}`,
        place: { topic, partition },
      })

/** Its number may be taken, and others must not come under it: that is for a new beginning. */
export const refusedLate = ({ topic, partition }: TopicPartition, cause: Fault): Fault =>
  new Fault({
    code: 'REFUSED_AFTER_RETRY',
    actor: 'retry',
    message: `a record that may have been stored is refused when it is sent again: ${cause.message}`,
    place: { topic, partition },
    cause,
  })
