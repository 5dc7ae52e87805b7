import { Refusal } from '../protocol/errors.ts'
import { isEnding, isExhausted, type Transaction } from './transaction.ts'

/** Who a producer says it is. Of those with one producer id, the one with the highest epoch may write. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface Producer extends ProducerIdentity {
  readonly transactionalId: string
}

/** A client that names its identity may go on with it, unless another client has taken the transactional id over. */
export const mayResume = (transaction: Transaction, expected: ProducerIdentity): boolean =>
  transaction.producerEpoch === -1 ||
  expected.producerId === transaction.producerId ||
  (expected.producerId === transaction.previousProducerId && isExhausted(expected.producerEpoch))

/** Whether the producer still speaks from before the last raise, whose answer it may not have got. */
export const isRetryOfRaise = (
  transaction: Transaction,
  { producerId, producerEpoch }: ProducerIdentity,
): boolean =>
  (producerId === transaction.producerId && producerEpoch + 1 === transaction.producerEpoch) ||
  (producerId === transaction.previousProducerId &&
    isExhausted(producerEpoch) &&
    transaction.producerEpoch === 0)

/** Throws while the markers of the last transaction are pending. */
export const checkSettled = (transaction: Transaction): void => {
  if (isEnding(transaction)) throw new Refusal('CONCURRENT_TRANSACTIONS')
}

/** Throws unless the producer has the current identity of the transactional id. */
export const checkOwner = (transaction: Transaction, producer: ProducerIdentity): void => {
  if (transaction.producerId !== producer.producerId) throw new Refusal('INVALID_PRODUCER_ID_MAPPING')
  if (transaction.producerEpoch !== producer.producerEpoch) throw new Refusal('PRODUCER_FENCED')
}

/** Throws unless the producer owns the transaction that it ends, or repeats the end of the completed one. */
export const checkRaiseIdentity = (
  transaction: Transaction,
  producer: ProducerIdentity,
  isRetry: boolean,
): void => {
  if (!isRetry) return checkOwner(transaction, producer)
  const isComplete = transaction.state === 'CompleteCommit' || transaction.state === 'CompleteAbort'
  if (!isComplete) throw new Refusal('PRODUCER_FENCED')
}
