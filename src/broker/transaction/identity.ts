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

/** A client that names its identity may go on with it, unless somebody else has taken the transactional id over. */
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

/** Throws unless the producer owns the transaction that it ends, or ended it before. */
export const checkRaiseIdentity = (
  transaction: Transaction,
  producer: ProducerIdentity,
  isRetry: boolean,
): void => {
  const { state, producerId, producerEpoch } = transaction
  if (producer.producerId !== producerId && !isRetry) throw new Refusal('INVALID_PRODUCER_ID_MAPPING')
  const isCurrent = producer.producerEpoch === producerEpoch && producer.producerId === producerId
  const isValid = isEnding(transaction)
    ? isRetry
    : state === 'Ongoing' || state === 'Empty'
      ? isCurrent
      : isCurrent || isRetry
  if (!isValid) throw new Refusal('PRODUCER_FENCED')
}
