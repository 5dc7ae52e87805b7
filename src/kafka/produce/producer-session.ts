import { Fault } from '../../base/fault.ts'
import type { Api } from '../apis.ts'
import { initProducerIdApi } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import { errorName, protocolFault } from '../protocol-errors.ts'
import type { ProduceRequest, ProducedPartition } from './produce-codec.ts'
import { produceV11Api } from './produce-codec.ts'
import { retrying } from '../retry.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** Who a producer is to the broker, which recognises a repeated batch by it. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * What differs between a plain idempotent producer and a transactional one: where the identity comes from, how a
 * request is marked, and what must happen before the first batch goes to a partition.
 */
export interface ProducerSession {
  readonly transactionalId: string | null
  readonly produceApi: Api<[ProduceRequest], readonly ProducedPartition[]>
  /** The identity to send under; asked for before each request, so it must be remembered. */
  identity(): Promise<ProducerIdentity>
  /** Called when the partitions of topics are learned that will be written to. */
  onPrepared(partitions: readonly TopicPartition[]): Promise<void>
  /** Called before batches go to these partitions. */
  beforeProduce(partitions: readonly TopicPartition[]): Promise<void>
  /** Called when batches do go. */
  onProduce(): void
  /** Called when batches have been answered. */
  onProduced(): void
  /** Called for every batch that the broker says it has. */
  onStored(): void
  /** After a batch was lost the sequence has a gap: an identity of which nothing is known yet starts again. */
  renew(): Promise<void>
}

/** The session of a producer without transactions. */
export class IdempotentSession implements ProducerSession {
  readonly transactionalId = null
  readonly produceApi: ProducerSession['produceApi'] = produceV11Api
  readonly #cluster: Cluster
  #identity: Promise<ProducerIdentity> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  identity(): Promise<ProducerIdentity> {
    const known = (this.#identity ??= this.#initialise())
    known.catch(() => (this.#identity = undefined))
    return known
  }

  async onPrepared(): Promise<void> {
    // Nothing is left of an older producer,
  }

  async beforeProduce(): Promise<void> {
    // nothing has to be announced outside transactions.
  }

  onProduce(): void {
    // Nothing has to be ended either.
  }

  onProduced(): void {
    // Nor does anything depend on how long it took,
  }

  onStored(): void {
    // or on whether it was stored.
  }

  /** The new identity is asked for when it is needed, as the broker may not be there now. */
  renew(): Promise<void> {
    this.#identity = undefined
    return Promise.resolve()
  }

  #initialise(): Promise<ProducerIdentity> {
    const { clock, retryTimeoutMs } = this.#cluster
    return retrying({ clock, timeoutMs: retryTimeoutMs }, async () => {
      const response = await this.#cluster.callAny(initProducerIdApi, null, 0, -1n, -1)
      if (response.errorCode !== 0) throw protocolFault(response.errorCode, 'give out a producer id')
      return { producerId: Number(response.producerId), producerEpoch: response.producerEpoch }
    })
  }
}

/** The fault of a producer that another with the same transactional id has replaced. */
export const fencedFault = (transactionalId: string | null, errorCode: number): Fault =>
  new Fault({
    code: 'PRODUCER_FENCED',
    actor: 'runtime',
    message: `another producer has taken over ${transactionalId ?? 'this producer id'} (${errorName(errorCode)})`,
    remedy: 'stop this one; its work is done by the newer one',
  })
