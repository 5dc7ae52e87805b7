/**
 * The states of a transactional id. Ending a transaction takes two steps: the decision (`PrepareCommit`,
 * `PrepareAbort`), which cannot be taken back, and the markers in every partition, after which it is `Complete…`.
 */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'

/** What the coordinator knows of one transactional id; plain data, so that it can be written down as it is. */
export interface Transaction {
  readonly transactionalId: string
  producerId: number
  producerEpoch: number
  /** The epoch before the last InitProducerId that named one: a retry of it changes nothing. */
  lastProducerEpoch: number
  /** The producer id before the epochs of the present one began. */
  previousProducerId: number
  /** The producer id that takes over when the running transaction has ended, its epochs being used up. */
  nextProducerId: number
  timeoutMs: number
  startMs: number
  state: TransactionState
  /** Partition numbers by topic. */
  partitions: Map<string, Set<number>>
  /** Groups whose offsets are part of the transaction. */
  groups: Set<string>
}

export const newTransaction = (transactionalId: string, producerId: number): Transaction => ({
  transactionalId,
  producerId,
  producerEpoch: -1,
  lastProducerEpoch: -1,
  previousProducerId: -1,
  nextProducerId: -1,
  timeoutMs: 0,
  startMs: -1,
  state: 'Empty',
  partitions: new Map(),
  groups: new Set(),
})

/** A copy that changes on its own. */
export const copyOf = (transaction: Transaction): Transaction => ({
  ...transaction,
  partitions: new Map(Array.from(transaction.partitions, ([topic, numbers]) => [topic, new Set(numbers)])),
  groups: new Set(transaction.groups),
})

/** Epochs are 16 bits; the last one is kept for the markers that end what the one before it left open. */
const LAST_OPEN_EPOCH = 2 ** 15 - 2

export const isExhausted = (epoch: number): boolean => epoch >= LAST_OPEN_EPOCH

export const isEnding = ({ state }: Transaction): boolean =>
  state === 'PrepareCommit' || state === 'PrepareAbort'

export const holdsPartition = (transaction: Transaction, topic: string, partition: number): boolean =>
  transaction.partitions.get(topic)?.has(partition) === true
