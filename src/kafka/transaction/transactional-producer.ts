import { Fault, isFault } from '../../base/fault.ts'
import type { AckedOffsets, ProducerOptions } from '../producer.ts'
import { Producer } from '../producer.ts'
import { isRetriableFault } from '../protocol-errors.ts'
import type { TransactionOffsets } from './transactional-session.ts'
import { TransactionalSession } from './transactional-session.ts'

/**
 * A producer whose records, with the offsets they were made from, become visible together or not at all.
 *
 * A transaction begins with the first record sent through `producer` and ends with `commit` or `abort`; one without
 * records and offsets costs no request. What is sent while `commit` runs belongs to the next transaction and waits
 * here. After a fault of `commit`, `abort` makes the producer usable again, unless the fault is
 *
 * - `PRODUCER_FENCED`: a newer producer has the transactional id; this one is finished, or
 * - `TRANSACTION_OUTCOME_UNKNOWN`: the coordinator could not be asked; `initialize` again, then read what is committed.
 *
 * @example
 * const transactions = new TransactionalProducer({ cluster, transactionalId: 'shop-0' })
 * await transactions.producer.prepare(['payments'])
 * await transactions.initialize()
 * transactions.producer.send('payments', undefined, key, value, timestamp)
 * await transactions.commit({ groupId: 'shop', generation: membership, offsets })
 */
export interface TransactionalProducerOptions extends Omit<ProducerOptions, 'session'> {
  readonly transactionalId: string
  /** How long the broker lets a transaction stay open before it aborts it and fences the producer. */
  readonly transactionTimeoutMs?: number
  /** The group whose offsets are committed: what a broker has left open of an older transaction is ended there too. */
  readonly groupId?: string
}

export class TransactionalProducer {
  /** Where records are sent. Its `flush` is `commit`'s business. */
  readonly producer: Producer
  readonly #session: TransactionalSession

  constructor(options: TransactionalProducerOptions) {
    const { transactionalId, transactionTimeoutMs = 60_000, groupId, ...producerOptions } = options
    this.#session = new TransactionalSession({
      ...{ cluster: options.cluster, transactionalId, transactionTimeoutMs, groupId },
      onLeftOpen: options.onRetry,
    })
    this.producer = new Producer({
      ...producerOptions,
      name: options.name ?? transactionalId,
      session: this.#session,
    })
  }

  get transactionalId(): string {
    return this.#session.transactionalId
  }

  /** Takes the transactional id over from any older producer, and ends what that one left open. */
  async initialize(): Promise<void> {
    await this.producer.discard()
    await this.#session.initialize()
  }

  /**
   * Makes visible all that was sent before the call, together with the offsets. Answers the offset after the last
   * record of every partition ever sent to (the marker that ends the transaction takes one more).
   */
  async commit(offsets?: TransactionOffsets): Promise<AckedOffsets> {
    let acked: AckedOffsets
    try {
      acked = await this.producer.flushAndHold()
      if (offsets !== undefined) await this.#session.addOffsets(offsets)
    } catch (error) {
      // Nothing is decided yet: whatever it was, the transaction can be aborted.
      throw isRetriableFault(error) ? error : await this.#diagnosed(error)
    }
    if (this.#session.isStarted) await this.#end(true)
    this.producer.release()
    return acked
  }

  /** Takes back all that was sent since the last commit, and what waits for the next one. */
  async abort(): Promise<void> {
    await this.producer.discard()
    if (this.#session.isStarted) await this.#end(false)
    else if (!this.#session.isUnsettled) return
    // Without a new epoch a lost batch would leave a gap in the sequences.
    if (this.#session.isUnsettled || !this.#session.isTv2) await this.#session.renew()
  }

  /**
   * Sees to it that what was committed last is so everywhere, which a broker that has crashed meanwhile may have left out;
   * costs nothing where none has. For whenever there is nothing to send; what can't be asked now is asked the next time.
   */
  async settle(): Promise<void> {
    try {
      await this.#session.settle()
    } catch (error) {
      if (!isRetriableFault(error)) throw error
    }
  }

  close(): void {
    this.producer.close()
  }

  async #end(committed: boolean): Promise<void> {
    try {
      await this.#session.end(committed)
    } catch (error) {
      const diagnosed = await this.#diagnosed(error)
      if (!committed && isFault(diagnosed, 'TRANSACTION_TIMED_OUT')) return
      throw diagnosed
    }
  }

  /**
   * A producer whose transaction the broker has timed out hears the same errors as one that was replaced; so does one
   * that ends an empty transaction while the last one is being settled. Asking for a new epoch distinguishes them: it is
   * refused only to a replaced one. Where only a replacement can be meant it is not asked for, since it is granted as
   * long as the new producer waits for the old transaction to be aborted, and would fence that one in its turn.
   */
  async #diagnosed(error: unknown): Promise<unknown> {
    if (isRetriableFault(error)) return outcomeUnknown(this.transactionalId, error)
    if (!isFault(error, 'PRODUCER_FENCED') || this.#session.wasOpen) return error
    try {
      await this.producer.discard()
      await this.#session.renew()
      return timedOut(this.transactionalId, error)
    } catch (renewal) {
      if (isRetriableFault(renewal)) return outcomeUnknown(this.transactionalId, renewal)
      return this.#afterRefusal(error)
    }
  }

  async #afterRefusal(error: Fault): Promise<Fault> {
    try {
      return (await this.#session.wasTimedOut()) ? outcomeUnknown(this.transactionalId, error) : error
    } catch (asking) {
      return isRetriableFault(asking) ? outcomeUnknown(this.transactionalId, asking) : error
    }
  }
}

const timedOut = (transactionalId: string, cause: Fault): Fault =>
  new Fault({
    code: 'TRANSACTION_TIMED_OUT',
    actor: 'runtime',
    message: `the broker has aborted a transaction of ${transactionalId} that was open for too long`,
    remedy: 'process its records again; raise transactionTimeoutMs or commit more often',
    cause,
  })

const outcomeUnknown = (transactionalId: string, cause: Fault): Fault =>
  new Fault({
    code: 'TRANSACTION_OUTCOME_UNKNOWN',
    actor: 'runtime',
    message: `no coordinator answered how a transaction of ${transactionalId} ended: ${cause.message}`,
    remedy: 'initialize the producer again, then read the committed offsets',
    cause,
  })
