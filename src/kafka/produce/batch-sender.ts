import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { Fault } from '../../base/fault.ts'
import type { BrokerMetadata, Cluster } from '../cluster.ts'
import { isRefusedRecord, isRetriable, isRetriableFault, isStaleMetadata } from '../protocol-errors.ts'
import { byTopic, partitionName } from '../topic-partition.ts'
import type { Compression } from '../record-batch/compression.ts'
import type { Lane } from '../transport.ts'
import type { Outstanding } from './outstanding.ts'
import type { PartitionQueue, PartitionQueues, PendingBatch } from './partition-queue.ts'
import type { ProduceRequest, ProducedPartition, RecordError } from './produce-codec.ts'
import type { ProducerIdentity, ProducerSession } from './producer-session.ts'
import {
  deliveryFault,
  isNotStored,
  isOutOfOrder,
  isStored,
  leaderMissing,
  produceFault,
  refusedLate,
} from './produce-faults.ts'
import type { RefusedRecord } from './refused-batch.ts'
import { dismantle } from './refused-batch.ts'

/**
 * Sends sealed batches: several partitions per request, several requests per broker at a time. What may succeed later
 * is tried again, a batch that is refused for some of its records without these; what cannot is a `failure`, after which
 *
 * - without transactions, a new identity is taken once nothing is in flight, since the sequence has a gap;
 * - in a transaction, nothing more is sent until `discard`.
 */
export interface BatchSenderOptions {
  readonly cluster: Cluster
  readonly session: ProducerSession
  readonly queues: PartitionQueues
  readonly outstanding: Outstanding
  readonly lane: Lane
  readonly maxRequestSize: number
  readonly maxInFlightPerBroker: number
  readonly requestTimeoutMs: number
  readonly deliveryTimeoutMs: number
  readonly onRetry: ((fault: Fault) => void) | undefined
  /** Asked before each request: what fails where nothing may be sent any more. */
  readonly refusal: (() => Fault | undefined) | undefined
  readonly compressionType: Compression
  /** Answers what fails where a record is refused; undefined where all goes on without it. */
  readonly onRefused: (refused: RefusedRecord, batch: PendingBatch) => unknown
}

interface Taken {
  readonly queue: PartitionQueue
  readonly batch: PendingBatch
}

interface Ready {
  readonly broker: BrokerMetadata
  readonly queues: readonly PartitionQueue[]
}

const retryPauseMs = 50
const requestTimedOut = 7

export class BatchSender {
  /** The offset after the last acknowledged record, by partition name. */
  readonly acked: Map<string, number> = new Map()
  /** What has gone wrong for good. */
  failure: unknown
  readonly #options: BatchSenderOptions
  readonly #clock: Clock
  readonly #inFlight = new Map<number, number>()
  readonly #stop = new AbortController()
  #identity: ProducerIdentity | undefined
  #lastGeneration = Number.POSITIVE_INFINITY
  #isPumping = false
  #pumped: Promise<void> = Promise.resolve()
  #isRenewing = false
  #renewal: Promise<void> | undefined
  #isDiscarding = false

  constructor(options: BatchSenderOptions) {
    this.#options = options
    this.#clock = options.cluster.clock
  }

  /** Starts every request that can be started now. */
  pump(): void {
    if (this.#isPumping || this.#isHalted()) return
    this.#isPumping = true
    this.#pumped = this.#startAll()
  }

  /** Batches of later generations stay here until `release`. */
  holdAfter(generation: number): void {
    this.#lastGeneration = generation
  }

  release(): void {
    this.#lastGeneration = Number.POSITIVE_INFINITY
    this.pump()
  }

  /** Drops what waits and waits for what is in flight. Whether that was stored is not known then. */
  async discard(): Promise<void> {
    const { queues, outstanding, session } = this.#options
    this.#isDiscarding = true
    try {
      // A request that is being prepared may take its batches yet, or announce partitions: it must be through.
      await this.#pumped
      for (const queue of queues.all) this.#drop(queue)
      await outstanding.nextGeneration().settled
    } finally {
      this.#isDiscarding = false
    }
    this.failure = undefined
    this.#lastGeneration = Number.POSITIVE_INFINITY
    if (session.transactionalId !== null) return
    this.#isRenewing = true
    await this.#renewIfNeeded()
  }

  /** Fails everything that waits. */
  failAll(fault: unknown): void {
    this.failure ??= fault
    for (const queue of this.#options.queues.all) this.#drop(queue)
    this.#options.outstanding.notify()
  }

  close(): void {
    this.#stop.abort()
    this.failAll(
      new Fault({ code: 'PRODUCER_CLOSED', actor: 'runtime', message: 'the producer has been closed' }),
    )
  }

  /** True where one lost batch has lost its transaction. */
  get isTransactionLost(): boolean {
    return this.failure !== undefined && this.#options.session.transactionalId !== null
  }

  #isHalted(): boolean {
    return this.#isRenewing || this.#isDiscarding || this.isTransactionLost || this.#stop.signal.aborted
  }

  async #startAll(): Promise<void> {
    for (let ready = this.#ready(); ready !== undefined; ready = this.#ready()) {
      try {
        await this.#startOne(ready)
      } catch (error) {
        if (isRetriableFault(error)) await this.#pause(error)
        else this.failAll(error)
      }
    }
    this.#isPumping = false
  }

  async #pause(fault: Fault): Promise<void> {
    this.#options.onRetry?.(fault)
    await sleep(this.#clock, retryPauseMs, this.#stop.signal)
    for (const queue of this.#options.queues.all) this.#expire(queue, fault)
  }

  /** One broker that may take a request, and the partitions whose next batches go into it. */
  #ready(): Ready | undefined {
    if (this.#isHalted()) return undefined
    const { queues, maxRequestSize } = this.#options
    const nowMs = this.#clock.monotonicMs()
    const chosen: PartitionQueue[] = []
    let broker: BrokerMetadata | undefined
    let size = 0
    for (const queue of queues.all) {
      const batch = queue.next(this.#identity?.producerId, this.#lastGeneration, nowMs)
      const leader = batch === undefined ? undefined : this.#leaderOf(queue)
      if (batch === undefined || leader === undefined) continue
      broker ??= this.#hasRoom(leader) ? leader : undefined
      if (broker?.nodeId !== leader.nodeId) continue
      size += batch.sealed.bytes.length
      if (chosen.length === 0 || size <= maxRequestSize) chosen.push(queue)
    }
    return broker === undefined ? undefined : { broker, queues: chosen }
  }

  #hasRoom({ nodeId }: BrokerMetadata): boolean {
    return (this.#inFlight.get(nodeId) ?? 0) < this.#options.maxInFlightPerBroker
  }

  /** The leader where it is known; else it is looked up, and the queue comes again when it is. */
  #leaderOf(queue: PartitionQueue): BrokerMetadata | undefined {
    const leader = this.#options.cluster.leaderOf(queue.topic, queue.partition)
    if (leader === undefined) {
      queue.notBeforeMs = Number.POSITIVE_INFINITY
      void this.#findLeader(queue)
    }
    return leader
  }

  async #findLeader(queue: PartitionQueue): Promise<void> {
    const { cluster } = this.#options
    try {
      // One attempt at a time, as the delivery timeout may be shorter than that of metadata.
      const { partitions } = await cluster.refresh(queue.topic, 0)
      queue.notBeforeMs = 0
      if (cluster.leaderOf(queue.topic, queue.partition) === undefined) {
        this.#delay(queue)
        this.#expire(queue, leaderMissing(queue, partitions.length))
      }
    } catch (error) {
      queue.notBeforeMs = 0
      if (isRetriableFault(error)) {
        this.#delay(queue)
        this.#expire(queue, error)
      } else this.#failQueue(queue, error)
    }
    this.pump()
  }

  /** The alarm ends the pause itself: one that rings a moment early would find it not over, and no timer would follow. */
  #delay(queue: PartitionQueue): void {
    const untilMs = this.#clock.monotonicMs() + retryPauseMs
    queue.notBeforeMs = untilMs
    this.#clock.setTimer(() => {
      if (queue.notBeforeMs === untilMs) queue.notBeforeMs = 0
      this.pump()
    }, retryPauseMs)
  }

  async #startOne({ broker, queues }: Ready): Promise<void> {
    const { session, refusal } = this.#options
    await session.beforeProduce(queues)
    const refused = refusal?.()
    if (refused !== undefined) throw refused
    const identity = await session.identity()
    // Numbers begin at 0 under a new identity; nothing is in flight then.
    if (identity !== this.#identity) for (const queue of this.#options.queues.all) queue.resetSequences()
    this.#identity = identity
    const taken = queues.flatMap((queue) => {
      const batch = queue.take(identity, session.transactionalId !== null)
      return batch === undefined ? [] : [{ queue, batch }]
    })
    if (taken.length === 0) return
    session.onProduce()
    void this.#deliver(broker, identity, taken)
  }

  async #deliver(broker: BrokerMetadata, identity: ProducerIdentity, taken: readonly Taken[]): Promise<void> {
    const { cluster, session, lane } = this.#options
    this.#countInFlight(broker, 1)
    try {
      const produced = await cluster.callBroker(broker, lane, session.produceApi, this.#request(taken))
      session.onProduced()
      const answers = new Map(produced.map((each) => [partitionName(each.topic, each.partition), each]))
      for (const each of taken)
        this.#answered(each, identity, answers.get(partitionName(each.queue.topic, each.queue.partition)))
    } catch (error) {
      for (const each of taken) {
        cluster.invalidate(each.queue.topic)
        if (isRetriableFault(error)) this.#tryAgain(each, error, false)
        else this.#lose(each, error)
      }
    }
    this.#countInFlight(broker, -1)
    for (const { queue } of taken) if (queue.cameBack()) this.#delay(queue)
    await this.#renewIfNeeded()
    this.pump()
  }

  #countInFlight({ nodeId }: BrokerMetadata, change: number): void {
    this.#inFlight.set(nodeId, (this.#inFlight.get(nodeId) ?? 0) + change)
  }

  #request(taken: readonly Taken[]): ProduceRequest {
    const { session, requestTimeoutMs } = this.#options
    const batches = taken.map(({ queue: { topic, partition }, batch }) => ({
      topic,
      partition,
      batch: batch.sealed.bytes,
    }))
    return {
      transactionalId: session.transactionalId,
      acks: -1,
      timeoutMs: requestTimeoutMs,
      sizeInBytes: batches.reduce((sum, { batch }) => sum + batch.length + 64, 0),
      topics: Array.from(byTopic(batches), ([topic, partitions]) => ({ topic, partitions })),
    }
  }

  #answered(taken: Taken, { producerId }: ProducerIdentity, answer: ProducedPartition | undefined): void {
    const { topic, partition } = taken.queue
    const errorCode = answer?.errorCode ?? requestTimedOut
    if (answer !== undefined && isStored(errorCode)) {
      taken.queue.acknowledged(producerId, taken.batch)
      this.#options.session.onStored()
      if (answer.baseOffset >= 0)
        this.acked.set(partitionName(topic, partition), answer.baseOffset + taken.batch.sealed.count)
      this.#options.outstanding.settle(taken.batch)
      return
    }
    if (isStaleMetadata(errorCode)) this.#options.cluster.invalidate(topic)
    const { transactionalId } = this.#options.session
    const faultOf = (detail: string | null): Fault =>
      produceFault(errorCode, taken.queue, detail ?? answer?.errorMessage, transactionalId)
    const fault = faultOf(null)
    if (this.#mayRepeat(taken.queue, errorCode)) this.#tryAgain(taken, fault, isNotStored(errorCode))
    else if (isRefusedRecord(errorCode)) this.#refused(taken, answer?.recordErrors ?? [], faultOf)
    else this.#lose(taken, fault)
  }

  /** Goes on without the records that are refused, if that is what becomes of them; the others take their numbers. */
  #refused(taken: Taken, errors: readonly RecordError[], faultOf: (detail: string | null) => Fault): void {
    const { queue, batch } = taken
    const { outstanding, compressionType, onRefused } = this.#options
    if (this.#isGivenUp(queue)) return outstanding.settle(batch)
    if (batch.isUncertain) return this.#lose(taken, refusedLate(queue, faultOf(null)))
    const { refused, pieces, sizeInBytes } = dismantle(batch, errors, faultOf, compressionType)
    for (const each of refused) {
      const failure = onRefused(each, batch)
      if (failure !== undefined) return this.#lose(taken, failure)
    }
    if (refused.length === 0) queue.refusedSize(sizeInBytes)
    for (const piece of pieces) {
      outstanding.grow(piece.sealed.bytes.length)
      outstanding.sealed(piece)
    }
    queue.replace(batch, pieces)
    outstanding.settle(batch)
  }

  #isGivenUp(queue: PartitionQueue): boolean {
    return queue.isLost || this.#isDiscarding || this.isTransactionLost
  }

  /** Behind a batch that has to be repeated, every later one is out of order until that one is stored. */
  #mayRepeat(queue: PartitionQueue, errorCode: number): boolean {
    return (queue.isMuted && isOutOfOrder(errorCode)) || isRetriable(errorCode) || isStaleMetadata(errorCode)
  }

  #tryAgain(taken: Taken, fault: Fault, isKnown: boolean): void {
    const { queue, batch } = taken
    const { deliveryTimeoutMs, outstanding, onRetry } = this.#options
    if (this.#isGivenUp(queue)) outstanding.settle(batch)
    else if (this.#clock.monotonicMs() - batch.createdMs > deliveryTimeoutMs)
      this.#lose(taken, deliveryFault(queue, deliveryTimeoutMs, fault))
    else {
      onRetry?.(fault)
      batch.isUncertain ||= !isKnown
      queue.putBack(batch)
    }
  }

  #lose({ queue, batch }: Taken, fault: unknown): void {
    this.#failQueue(queue, fault)
    this.#isRenewing = this.#options.session.transactionalId === null
    this.#options.outstanding.settle(batch)
  }

  #failQueue(queue: PartitionQueue, fault: unknown): void {
    this.failure ??= fault
    this.#drop(queue)
  }

  /** A batch that has a number leaves a gap where it is dropped, which only a new identity closes. */
  #drop(queue: PartitionQueue): void {
    const { outstanding, session } = this.#options
    for (const batch of queue.lose()) {
      if (batch.sequence !== undefined && session.transactionalId === null) this.#isRenewing = true
      outstanding.settle(batch)
    }
    void this.#renewIfNeeded()
  }

  /** Gives up a batch that has waited for longer than the delivery timeout, and what is behind it. */
  #expire(queue: PartitionQueue, fault: Fault): void {
    const { deliveryTimeoutMs } = this.#options
    if (queue.oldestMs < this.#clock.monotonicMs() - deliveryTimeoutMs)
      this.#failQueue(queue, deliveryFault(queue, deliveryTimeoutMs, fault))
  }

  #hasInFlight(): boolean {
    for (const count of this.#inFlight.values()) if (count > 0) return true
    return false
  }

  /** Once nothing is in flight, a new identity closes the gap that a lost batch has left in the sequences. */
  #renewIfNeeded(): Promise<void> {
    if (!this.#isRenewing || this.#hasInFlight() || this.#stop.signal.aborted) return Promise.resolve()
    this.#renewal ??= this.#renew()
    return this.#renewal
  }

  async #renew(): Promise<void> {
    try {
      await this.#options.session.renew()
      // The first batch of the new one goes alone.
      this.#identity = undefined
    } catch (error) {
      this.failAll(error)
    }
    this.#isRenewing = false
    this.#renewal = undefined
    this.pump()
  }
}
