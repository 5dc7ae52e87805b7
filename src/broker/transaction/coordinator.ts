import type { Clock } from '../../base/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import type { BrokerSettings } from '../settings.ts'
import {
  checkOwner,
  checkRaiseIdentity,
  checkSettled,
  isRetryOfRaise,
  mayResume,
  type Producer,
  type ProducerIdentity,
} from './identity.ts'
import {
  copyOf,
  holdsPartition,
  isEnding,
  isExhausted,
  newTransaction,
  type Transaction,
} from './transaction.ts'

/**
 * The coordinator of transactions, for both protocols that clients speak.
 *
 * - TV1: partitions and groups are added explicitly; the epoch changes with InitProducerId only.
 * - TV2 (EndTxn 5, Produce 12, TxnOffsetCommit 5): sending adds, and every end of a transaction raises the epoch.
 *
 * Non-obvious:
 * - EndTxn is answered once the decision is taken. The markers are written a moment later. Until then Kafka refuses
 *   every request of the same id with CONCURRENT_TRANSACTIONS, before it compares identities: a client retries that
 *   error and gives up on all others. Only TV1's EndTxn compares identities first.
 * - InitProducerId during an open transaction aborts it under a raised epoch and says CONCURRENT_TRANSACTIONS; the
 *   client's retry then gets its own epoch.
 */
export interface TransactionPorts {
  readonly clock: Clock
  readonly settings: BrokerSettings
  readonly newProducerId: () => number
  /** Writes the markers of a transaction that has been decided, and settles its groups' offsets. */
  readonly writeMarkers: (transaction: Transaction, commit: boolean) => void
  /** Journals a transaction as it is about to be; throws where that fails, and then nothing changes. */
  readonly changed: (transaction: Transaction) => void
  readonly report: (error: unknown) => void
}

export interface InitRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly timeoutMs: number
}

const MARKER_RETRY_MS = 100

export class TransactionCoordinator {
  readonly transactions: Map<string, Transaction> = new Map()
  readonly #ports: TransactionPorts
  /** When each transaction began, in monotonic time; `startMs` is the time of day, which clients read. */
  readonly #begunMs = new Map<string, number>()
  readonly #completions = new Map<string, { cancel: () => void; waiting: (() => void)[] }>()
  #cancelExpiry: (() => void) | undefined

  constructor(ports: TransactionPorts) {
    this.#ports = ports
  }

  /** InitProducerId: the identity under which this client alone may write from now on. */
  init({ transactionalId, timeoutMs, producerId, producerEpoch }: InitRequest): ProducerIdentity {
    if (transactionalId === '') throw new Refusal('INVALID_REQUEST')
    if (timeoutMs <= 0 || timeoutMs > this.#ports.settings.transactionMaxTimeoutMs)
      throw new Refusal('INVALID_TRANSACTION_TIMEOUT')
    const transaction = this.#getOrCreate(transactionalId)
    const expected = producerId === -1 ? undefined : { producerId, producerEpoch }
    checkSettled(transaction)
    if (expected !== undefined && !mayResume(transaction, expected)) throw new Refusal('PRODUCER_FENCED')
    if (transaction.state === 'Ongoing') {
      this.#fenceAndAbort(transaction)
      throw new Refusal('CONCURRENT_TRANSACTIONS')
    }
    this.#change(transaction, (draft) => {
      this.#raiseEpoch(draft, expected)
      draft.timeoutMs = timeoutMs
      draft.state = 'Empty'
    })
    return { producerId: transaction.producerId, producerEpoch: transaction.producerEpoch }
  }

  #getOrCreate(transactionalId: string): Transaction {
    let transaction = this.transactions.get(transactionalId)
    if (transaction === undefined) {
      transaction = newTransaction(transactionalId, this.#ports.newProducerId())
      this.transactions.set(transactionalId, transaction)
    }
    return transaction
  }

  #raiseEpoch(transaction: Transaction, expected: ProducerIdentity | undefined): void {
    const { producerEpoch } = transaction
    // A retry of a request whose answer was lost: the epoch was raised already.
    if (
      expected !== undefined &&
      producerEpoch !== -1 &&
      expected.producerEpoch === transaction.lastProducerEpoch
    )
      return
    if (expected !== undefined && producerEpoch !== -1 && expected.producerEpoch !== producerEpoch)
      throw new Refusal('PRODUCER_FENCED')
    transaction.lastProducerEpoch = expected === undefined ? -1 : producerEpoch
    if (isExhausted(producerEpoch)) {
      transaction.previousProducerId = transaction.producerId
      transaction.producerId = this.#ports.newProducerId()
      transaction.producerEpoch = 0
    } else transaction.producerEpoch = producerEpoch + 1
  }

  /** The broker ends a transaction of its own accord: the epoch rises, so that its producer cannot go on. */
  #fenceAndAbort(transaction: Transaction, lastProducerEpoch = -1): void {
    this.#prepare(transaction, false, (draft) => {
      draft.producerEpoch++
      draft.lastProducerEpoch = lastProducerEpoch
    })
  }

  /** Journal before memory: a change that cannot be written does not happen. */
  #change(transaction: Transaction, apply: (draft: Transaction) => void): void {
    const draft = copyOf(transaction)
    apply(draft)
    this.#ports.changed(draft)
    Object.assign(transaction, draft)
  }

  /** AddPartitionsToTxn, AddOffsetsToTxn, and what is sent under TV2: makes sure that it is part of the transaction. */
  add(
    producer: Producer,
    partitions: Iterable<readonly [topic: string, partition: number]>,
    groupId?: string,
  ): void {
    const transaction = this.#known(producer)
    checkSettled(transaction)
    checkOwner(transaction, producer)
    this.#change(transaction, (draft) => {
      if (draft.state !== 'Ongoing') this.#begin(draft)
      for (const [topic, partition] of partitions) {
        let numbers = draft.partitions.get(topic)
        if (numbers === undefined) draft.partitions.set(topic, (numbers = new Set()))
        numbers.add(partition)
      }
      if (groupId !== undefined) draft.groups.add(groupId)
    })
    this.#scheduleExpiry()
  }

  #begin(draft: Transaction): void {
    draft.state = 'Ongoing'
    const { clock } = this.#ports
    draft.startMs = clock.now()
    this.#begunMs.set(draft.transactionalId, clock.monotonicMs())
    draft.partitions = new Map()
    draft.groups = new Set()
  }

  /** Throws unless the partition was added to the producer's open transaction. */
  verifyPartition(producer: Producer, topic: string, partition: number): void {
    this.#verify(producer, (transaction) => holdsPartition(transaction, topic, partition))
  }

  verifyGroup(producer: Producer, groupId: string): void {
    this.#verify(producer, (transaction) => transaction.groups.has(groupId))
  }

  #verify(producer: Producer, holds: (transaction: Transaction) => boolean): void {
    const transaction = this.#known(producer)
    checkOwner(transaction, producer)
    checkSettled(transaction)
    if (transaction.state !== 'Ongoing' || !holds(transaction)) throw new Refusal('TRANSACTION_ABORTABLE')
  }

  #known({ transactionalId }: Producer): Transaction {
    if (transactionalId === '') throw new Refusal('INVALID_REQUEST')
    const transaction = this.transactions.get(transactionalId)
    if (transaction === undefined) throw new Refusal('INVALID_PRODUCER_ID_MAPPING')
    return transaction
  }

  /** EndTxn under TV1: the epoch stays, and repeating a completed outcome succeeds. */
  end(producer: Producer, commit: boolean): void {
    const transaction = this.#known(producer)
    checkOwner(transaction, producer)
    checkSettled(transaction)
    const { state } = transaction
    if (state === 'Ongoing') return this.#prepare(transaction, commit)
    if (state !== (commit ? 'CompleteCommit' : 'CompleteAbort')) throw new Refusal('INVALID_TXN_STATE')
  }

  /** EndTxn under TV2: each end raises the epoch and returns the identity for the next transaction. */
  endAndRaise(producer: Producer, commit: boolean): ProducerIdentity {
    const transaction = this.#known(producer)
    checkSettled(transaction)
    const isRetry = isRetryOfRaise(transaction, producer)
    checkRaiseIdentity(transaction, producer, isRetry)
    const isRepeated = isRetry && transaction.state === (commit ? 'CompleteCommit' : 'CompleteAbort')
    if (!isRepeated) {
      // With nothing sent there is nothing to commit; aborting nothing is allowed and raises the epoch.
      const mayEnd = transaction.state === 'Ongoing' || (!commit && !isRetry)
      if (!mayEnd) throw new Refusal('INVALID_TXN_STATE')
      this.#prepare(transaction, commit, (draft) => {
        if (draft.state !== 'Ongoing') this.#begin(draft)
        if (isExhausted(draft.producerEpoch)) draft.nextProducerId = this.#ports.newProducerId()
        draft.lastProducerEpoch = draft.producerEpoch
        draft.producerEpoch++
      })
    }
    return transaction.nextProducerId === -1
      ? { producerId: transaction.producerId, producerEpoch: transaction.producerEpoch }
      : { producerId: transaction.nextProducerId, producerEpoch: 0 }
  }

  #prepare(
    transaction: Transaction,
    commit: boolean,
    apply: (draft: Transaction) => void = () => undefined,
  ): void {
    this.#change(transaction, (draft) => {
      apply(draft)
      draft.state = commit ? 'PrepareCommit' : 'PrepareAbort'
    })
    this.#completeAfter(transaction, this.#ports.settings.transactionMarkerDelayMs, [])
  }

  #completeAfter(transaction: Transaction, delayMs: number, waiting: (() => void)[]): void {
    const cancel = this.#ports.clock.setTimer(() => this.#complete(transaction), delayMs)
    this.#completions.set(transaction.transactionalId, { cancel, waiting })
  }

  /** The decision stands, so markers that cannot be written are tried again until they are. */
  #complete(transaction: Transaction): void {
    try {
      this.#writeCompletion(transaction)
    } catch (error) {
      if (!(error instanceof Refusal)) this.#ports.report(error)
      const waiting = this.#completions.get(transaction.transactionalId)?.waiting ?? []
      this.#completeAfter(transaction, MARKER_RETRY_MS, waiting)
    }
  }

  #writeCompletion(transaction: Transaction): void {
    const commit = transaction.state === 'PrepareCommit'
    this.#ports.writeMarkers(transaction, commit)
    this.#change(transaction, (draft) => {
      draft.state = commit ? 'CompleteCommit' : 'CompleteAbort'
      draft.partitions = new Map()
      draft.groups = new Set()
      if (draft.nextProducerId === -1) return
      draft.previousProducerId = draft.producerId
      draft.producerId = draft.nextProducerId
      draft.nextProducerId = -1
      draft.producerEpoch = 0
    })
    const completion = this.#completions.get(transaction.transactionalId)
    this.#completions.delete(transaction.transactionalId)
    for (const resume of completion?.waiting ?? []) resume()
  }

  /** Resolves when the markers of a decided transaction are written; under TV2 the broker waits for its clients. */
  settled(transactionalId: string): Promise<void> | undefined {
    const completion = this.#completions.get(transactionalId)
    return completion === undefined ? undefined : new Promise((resolve) => completion.waiting.push(resolve))
  }

  /** Takes back what a journal holds: decided transactions are completed, open ones wait for their timeout. */
  restore(transaction: Transaction): void {
    const { clock } = this.#ports
    const { transactionalId, startMs, timeoutMs } = transaction
    // The time of day may have been set meanwhile: a transaction is never younger than new, nor older than its timeout.
    const ageMs = Math.min(Math.max(clock.now() - startMs, 0), timeoutMs)
    this.transactions.set(transactionalId, transaction)
    this.#begunMs.set(transactionalId, clock.monotonicMs() - ageMs)
  }

  /** How long ago the transaction began. */
  ageMs({ transactionalId }: Transaction): number {
    const begunMs = this.#begunMs.get(transactionalId)
    return begunMs === undefined ? Infinity : this.#ports.clock.monotonicMs() - begunMs
  }

  resume(): void {
    for (const transaction of this.transactions.values())
      if (isEnding(transaction)) this.#complete(transaction)
    this.#scheduleExpiry()
  }

  #scheduleExpiry(): void {
    const { clock, settings } = this.#ports
    this.#cancelExpiry ??= clock.setTimer(() => {
      this.#cancelExpiry = undefined
      const open = [...this.transactions.values()].filter(({ state }) => state === 'Ongoing')
      for (const transaction of open)
        if (this.ageMs(transaction) >= transaction.timeoutMs) this.#expire(transaction)
      if (open.length > 0) this.#scheduleExpiry()
    }, settings.transactionAbortTimedOutTransactionCleanupIntervalMs)
  }

  /**
   * Its producer was slow, not replaced: naming its last identity, it may go on under the new epoch. An expiry that
   * cannot be written is tried again with the next look at the timeouts.
   */
  #expire(transaction: Transaction): void {
    try {
      this.#fenceAndAbort(transaction, transaction.producerEpoch)
    } catch (error) {
      if (!(error instanceof Refusal)) this.#ports.report(error)
    }
  }

  close(): void {
    this.#cancelExpiry?.()
    for (const { cancel, waiting } of this.#completions.values()) {
      cancel()
      for (const resume of waiting) resume()
    }
  }
}
