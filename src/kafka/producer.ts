import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Headers } from '../topic/headers.ts'
import { noHeaders } from '../topic/headers.ts'
import type { StreamRecord } from '../topic/record.ts'
import type { SinkTopic } from '../topic/topic.ts'
import type { BrokerMetadata, Cluster } from './cluster.ts'
import { topicMissing } from './cluster.ts'
import { Partitioner } from './partitioner.ts'
import type { ProducedPartition } from './produce-codec.ts'
import type { ProducerIdentity, ProducerSession } from './producer-identity.ts'
import { IdempotentSession, fencedFault } from './producer-identity.ts'
import {
  errorName,
  isRetriable,
  isRetriableFault,
  isStaleMetadata,
  protocolFault,
} from './protocol-errors.ts'
import type { Region, SealedBatch } from './record-batch/batch-builder.ts'
import { BatchBuilder } from './record-batch/batch-builder.ts'
import type { Compression } from './record-batch/compression.ts'
import { byTopic, partitionName } from './topic-partition.ts'
import type { TopicPartition } from './topic-partition.ts'
import type { Lane } from './transport.ts'

/**
 * An accumulating, idempotent producer.
 *
 * - `send` is synchronous: it encodes at once into the open batch of the partition. A batch is sealed when it is full,
 *   when `lingerMs` has passed since its first record, by `sendNow` and by `flush`.
 * - A broker gets up to five requests at a time, each with one batch per partition. Sequences are given when a batch
 *   is first sent and stay with it, so a repeated batch is stored once and order is kept.
 * - What may succeed later is tried again until `deliveryTimeoutMs`; what cannot becomes a `Fault` that `flush`
 *   throws and `failure` shows.
 * - Memory is bounded by its user: stop sending while `isFull`, and go on after `drained()`.
 */
export interface ProducerOptions {
  readonly cluster: Cluster
  /** Distinguishes the connections of several producers over one transport. */
  readonly name?: string
  readonly compression?: Compression
  readonly batchBytes?: number
  readonly lingerMs?: number
  /** The largest record, and about the largest request. */
  readonly maxRequestBytes?: number
  readonly maxBufferedBytes?: number
  readonly maxInFlightPerBroker?: number
  readonly requestTimeoutMs?: number
  readonly deliveryTimeoutMs?: number
  /** Plain idempotence unless given; transactions bring their own. */
  readonly session?: ProducerSession
  readonly onRetry?: (fault: Fault) => void
}

/** The offset after the last acknowledged record, by partition name (`topic-0`). */
export type AckedOffsets = ReadonlyMap<string, number>

interface PendingBatch {
  readonly sealed: SealedBatch
  readonly generation: number
  readonly createdMs: number
  sequence: number | undefined
}

interface Queue extends TopicPartition {
  open: BatchBuilder | undefined
  openedMs: number
  /** Sealed and not in flight, in order. */
  waiting: PendingBatch[]
  inFlight: number
  /** A batch has been lost: those in flight behind it are lost too, or order would break. */
  lost: boolean
  /** After a failed attempt nothing is sent until all that is in flight has come back: order is kept so. */
  muted: boolean
  nextSequence: number
  /**
   * The producer id that the broker has acknowledged here. Until then one batch is in flight: a broker that knows
   * nothing of a producer takes any first sequence, also that of a second batch whose first one it has refused.
   */
  knownAs: number
  notBeforeMs: number
}

const batchOverhead = 512
const retryPauseMs = 50

export class Producer {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #session: ProducerSession
  readonly #options: Required<Omit<ProducerOptions, 'cluster' | 'name' | 'session' | 'onRetry'>>
  readonly #onRetry: ((fault: Fault) => void) | undefined
  readonly #lane: Lane
  readonly #partitioner = new Partitioner()
  readonly #queues = new Map<string, Map<number, Queue>>()
  readonly #inFlight = new Map<number, number>()
  readonly #counts = new Map<string, number>()
  readonly #acked = new Map<string, number>()
  readonly #freeMemory: Buffer[] = []
  readonly #unacked = new Map<number, number>()
  readonly #abort = new AbortController()
  #generation = 0
  /** Batches of later generations are not sent. */
  #heldAfter = Number.POSITIVE_INFINITY
  #bufferedBytes = 0
  #failure: unknown
  #renewing = false
  #identity: ProducerIdentity | undefined
  #cancelLinger: (() => void) | undefined
  #flushWaiters: { readonly generation: number; readonly done: () => void }[] = []
  #drainWaiters: (() => void)[] = []
  #pumping = false
  #pumped: Promise<void> = Promise.resolve()
  #discarding = false

  constructor(options: ProducerOptions) {
    this.#cluster = options.cluster
    this.#clock = options.cluster.clock
    this.#session = options.session ?? new IdempotentSession(options.cluster)
    this.#onRetry = options.onRetry
    this.#lane = `produce:${options.name ?? 'main'}`
    this.#options = {
      compression: options.compression ?? 'none',
      batchBytes: options.batchBytes ?? 524_288,
      lingerMs: options.lingerMs ?? 20,
      maxRequestBytes: options.maxRequestBytes ?? 1_048_576,
      maxBufferedBytes: options.maxBufferedBytes ?? 8_388_608,
      maxInFlightPerBroker: options.maxInFlightPerBroker ?? 5,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    }
  }

  /** Learns the partitions of topics, which `send` must know; `TOPIC_MISSING` where one does not exist. */
  async prepare(topics: Iterable<string>): Promise<void> {
    await Promise.all(Array.from(topics, (topic) => this.#prepareOne(topic)))
  }

  /** The number of partitions of a prepared topic. */
  partitionCountOf(topic: string): number {
    return this.#partitionCount(topic)
  }

  /** The partition that a record with this key would go to. */
  partitionFor(topic: string, key: Bytes | null): number {
    return this.#partitioner.partitionFor(topic, this.#partitionCount(topic), key, 0, key?.length ?? 0)
  }

  /** Takes one record as bytes; the partition follows from the key where it is undefined. */
  send(
    topic: string,
    partition: number | undefined,
    key: Bytes | null,
    value: Bytes | null,
    timestamp: number,
    headers: Headers = noHeaders,
  ): void {
    this.#append(topic, partition, regionOf(key), regionOf(value), timestamp, headers)
  }

  /** Takes one record of a stream: parts that it was read with, and the sink would write alike, are copied undecoded. */
  sendRecord<K, V>(
    sink: SinkTopic<NonNullable<K>, NonNullable<V>>,
    record: StreamRecord<K, V>,
    partition?: number,
  ): void {
    const key = record.hasNullKey
      ? null
      : (record.rawKey(sink.key) ?? regionOf(sink.key.serialize(record.key as NonNullable<K>)))
    const value = record.hasNullValue
      ? null
      : (record.rawValue(sink.value) ?? regionOf(sink.value.serialize(record.value as NonNullable<V>)))
    this.#append(sink.name, partition, key, value, record.timestamp, record.headers)
  }

  /** What has gone wrong for good since the last `flush` that threw it; undefined while all is well. */
  get failure(): unknown {
    return this.#failure
  }

  /** Bytes that are not acknowledged yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** True while more than the bound is waiting: send no more until `drained()`. */
  get isFull(): boolean {
    return this.#bufferedBytes >= this.#options.maxBufferedBytes
  }

  /** Resolves once at most half of the bound is waiting, or something has failed. */
  drained(): Promise<void> {
    if (this.#isDrained()) return Promise.resolve()
    this.sendNow()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  /** Sends what has gathered without waiting for `lingerMs`. */
  sendNow(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = undefined
    for (const partitions of this.#queues.values()) for (const queue of partitions.values()) this.#seal(queue)
    this.#pump()
  }

  /**
   * Resolves once all that was sent before the call is acknowledged, with the offset after the last acknowledged
   * record of every partition ever sent to. Throws, once, what failed.
   */
  async flush(): Promise<AckedOffsets> {
    return this.#flush(false)
  }

  /** As `flush`, but what is sent after the call stays here until `release`: it belongs to the next transaction. */
  async flushAndHold(): Promise<AckedOffsets> {
    return this.#flush(true)
  }

  /** Lets go what `flushAndHold` has kept back. */
  release(): void {
    this.#heldAfter = Number.POSITIVE_INFINITY
    this.#pump()
  }

  async #flush(hold: boolean): Promise<AckedOffsets> {
    this.sendNow()
    const generation = this.#generation++
    if (hold) this.#heldAfter = generation
    if (!this.#isSettled(generation))
      await new Promise<void>((done) => this.#flushWaiters.push({ generation, done }))
    if (this.#failure !== undefined) {
      const failure = this.#failure
      // A transaction that has lost a batch stays lost until it is discarded.
      if (!this.#isTransactionLost()) this.#failure = undefined
      throw failure
    }
    return new Map(this.#acked)
  }

  /** Gives up what is not acknowledged; sequences begin anew under the session's next identity. */
  async discard(): Promise<void> {
    this.#discarding = true
    try {
      // A request that is being prepared may take its batches yet, or announce partitions: it must be through.
      await this.#pumped
      for (const partitions of this.#queues.values())
        for (const queue of partitions.values()) this.#discardQueue(queue)
      const generation = this.#generation++
      if (!this.#isSettled(generation))
        await new Promise<void>((done) => this.#flushWaiters.push({ generation, done }))
    } finally {
      this.#discarding = false
    }
    this.#failure = undefined
    this.#heldAfter = Number.POSITIVE_INFINITY
    this.resetSequences()
  }

  /** The session has a new identity: numbers begin at 0. Only while nothing is waiting or in flight. */
  resetSequences(): void {
    for (const partitions of this.#queues.values())
      for (const queue of partitions.values()) {
        queue.nextSequence = 0
        for (const batch of queue.waiting) batch.sequence = undefined
      }
  }

  /** Stops at once; `flush` first what must not be lost. */
  close(): void {
    this.#abort.abort()
    this.#cancelLinger?.()
    this.#failAll(
      new Fault({ code: 'PRODUCER_CLOSED', actor: 'runtime', message: 'the producer has been closed' }),
    )
  }

  #discardQueue(queue: Queue): void {
    if (queue.open !== undefined) this.#bufferedBytes -= queue.open.sizeInBytes
    queue.open = undefined
    for (const batch of queue.waiting.splice(0)) this.#settle(batch)
  }

  async #prepareOne(topic: string): Promise<void> {
    const { partitions } = await this.#cluster.topic(topic)
    if (!this.#queues.has(topic)) this.#queues.set(topic, new Map())
    this.#counts.set(topic, partitions.length)
  }

  #partitionCount(topic: string): number {
    const count = this.#counts.get(topic) ?? this.#cluster.known(topic)?.partitions.length
    if (count === undefined) throw topicMissing(topic)
    this.#counts.set(topic, count)
    return count
  }

  #append(
    topic: string,
    partition: number | undefined,
    key: Region | null,
    value: Region | null,
    timestamp: number,
    headers: Headers,
  ): void {
    const target =
      partition ??
      this.#partitioner.partitionFor(
        topic,
        this.#partitionCount(topic),
        key === null ? null : key.buffer,
        key === null ? 0 : key.start,
        key === null ? 0 : key.end,
      )
    const size = sizeOf(key) + sizeOf(value)
    if (size + batchOverhead > this.#options.maxRequestBytes)
      throw tooLarge(topic, target, size, this.#options)
    const queue = this.#queueOf(topic, target)
    if (queue.open !== undefined && queue.open.sizeInBytes + size > this.#options.batchBytes) {
      this.#seal(queue)
      this.#pump()
    }
    const open = (queue.open ??= this.#newBatch(queue))
    const before = open.sizeInBytes
    open.append(key, value, timestamp, headers)
    this.#bufferedBytes += open.count === 1 ? open.sizeInBytes : open.sizeInBytes - before
  }

  #queueOf(topic: string, partition: number): Queue {
    let partitions = this.#queues.get(topic)
    if (partitions === undefined) this.#queues.set(topic, (partitions = new Map()))
    let queue = partitions.get(partition)
    if (queue !== undefined) return queue
    queue = {
      topic,
      partition,
      open: undefined,
      openedMs: 0,
      waiting: [],
      inFlight: 0,
      lost: false,
      muted: false,
      nextSequence: 0,
      knownAs: -1,
      notBeforeMs: 0,
    }
    partitions.set(partition, queue)
    return queue
  }

  #newBatch(queue: Queue): BatchBuilder {
    queue.openedMs = this.#clock.now()
    this.#cancelLinger ??= this.#clock.setTimer(() => this.sendNow(), this.#options.lingerMs)
    return new BatchBuilder(this.#freeMemory.pop())
  }

  #seal(queue: Queue): void {
    const { open } = queue
    if (open === undefined) return
    queue.open = undefined
    const sealed = open.seal(this.#options.compression)
    this.#bufferedBytes += sealed.bytes.length - open.sizeInBytes
    this.#partitioner.batchSealed(queue.topic, queue.partition)
    const batch = { sealed, generation: this.#generation, createdMs: queue.openedMs, sequence: undefined }
    queue.waiting.push(batch)
    this.#unacked.set(batch.generation, (this.#unacked.get(batch.generation) ?? 0) + 1)
  }

  /** Starts every request that can be started now. */
  #pump(): void {
    if (this.#pumping || this.#abort.signal.aborted || this.#renewing) return
    this.#pumping = true
    this.#pumped = this.#startAll()
  }

  async #startAll(): Promise<void> {
    for (let ready = this.#readyByBroker(); ready !== undefined; ready = this.#readyByBroker()) {
      try {
        await this.#startOne(ready.broker, ready.queues)
      } catch (error) {
        if (isRetriableFault(error)) {
          this.#onRetry?.(error)
          await sleep(this.#clock, retryPauseMs, this.#abort.signal)
          this.#expire(error)
        } else this.#failAll(error)
      }
    }
    this.#pumping = false
  }

  /** The partitions with something to send and a broker that may take it; leaders are looked up on the way. */
  #readyByBroker(): { readonly broker: BrokerMetadata; readonly queues: readonly Queue[] } | undefined {
    if (this.#renewing || this.#isTransactionLost() || this.#abort.signal.aborted) return undefined
    const nowMs = this.#clock.now()
    let broker: BrokerMetadata | undefined
    const queues: Queue[] = []
    let size = 0
    for (const partitions of this.#queues.values())
      for (const queue of partitions.values()) {
        const [first] = queue.waiting
        if (first === undefined || queue.muted || queue.notBeforeMs > nowMs) continue
        if (first.generation > this.#heldAfter) continue
        // A batch that is repeated goes alone, as does the first one of a producer.
        const alone = first.sequence !== undefined || queue.knownAs !== this.#identity?.producerId
        if (alone && queue.inFlight > 0) continue
        const leader = this.#cluster.leaderOf(queue.topic, queue.partition)
        if (leader === undefined) {
          this.#findLeader(queue)
          continue
        }
        if (broker === undefined) {
          if ((this.#inFlight.get(leader.nodeId) ?? 0) >= this.#options.maxInFlightPerBroker) continue
          broker = leader
        } else if (leader.nodeId !== broker.nodeId) continue
        size += first.sealed.bytes.length
        if (queues.length > 0 && size > this.#options.maxRequestBytes) continue
        queues.push(queue)
      }
    return broker === undefined ? undefined : { broker, queues }
  }

  /** One lost batch loses its transaction: nothing more is sent until `discard`. */
  #isTransactionLost(): boolean {
    return this.#discarding || (this.#failure !== undefined && this.#session.transactionalId !== null)
  }

  #findLeader(queue: Queue): void {
    queue.notBeforeMs = Number.POSITIVE_INFINITY
    void this.#refreshLeader(queue)
  }

  async #refreshLeader(queue: Queue): Promise<void> {
    try {
      await this.#cluster.refresh(queue.topic)
      if (this.#cluster.leaderOf(queue.topic, queue.partition) === undefined) this.#delay(queue)
      else queue.notBeforeMs = 0
    } catch (error) {
      queue.notBeforeMs = 0
      if (isRetriableFault(error)) {
        this.#delay(queue)
        this.#expire(error)
      } else this.#failQueue(queue, error)
    }
    this.#pump()
  }

  #delay(queue: Queue): void {
    queue.notBeforeMs = this.#clock.now() + retryPauseMs
    this.#clock.setTimer(() => this.#pump(), retryPauseMs)
  }

  async #startOne(broker: BrokerMetadata, queues: readonly Queue[]): Promise<void> {
    this.#identity = await this.#session.identity()
    await this.#session.beforeProduce(queues)
    const taken = queues.flatMap((queue) => {
      const batch = queue.waiting.shift()
      if (batch === undefined) return []
      this.#stamp(queue, batch)
      queue.inFlight++
      return [{ queue, batch }]
    })
    if (taken.length === 0) return
    this.#session.onProduce()
    this.#inFlight.set(broker.nodeId, (this.#inFlight.get(broker.nodeId) ?? 0) + 1)
    void this.#deliver(broker, taken).finally(() => {
      this.#inFlight.set(broker.nodeId, (this.#inFlight.get(broker.nodeId) as number) - 1)
      this.#afterResponse(taken)
    })
  }

  #stamp(queue: Queue, batch: PendingBatch): void {
    const { producerId, producerEpoch } = this.#identity as ProducerIdentity
    if (batch.sequence === undefined) {
      batch.sequence = queue.nextSequence
      // Sequences are 31 bits and start again at 0 after the last.
      queue.nextSequence = (queue.nextSequence + batch.sealed.count) % 0x8000_0000
    }
    batch.sealed.stamp(producerId, producerEpoch, batch.sequence, this.#session.transactionalId !== null)
  }

  async #deliver(broker: BrokerMetadata, taken: readonly Taken[]): Promise<void> {
    const request = {
      transactionalId: this.#session.transactionalId,
      acks: -1,
      timeoutMs: this.#options.requestTimeoutMs,
      sizeInBytes: taken.reduce((sum, { batch }) => sum + batch.sealed.bytes.length + 64, 0),
      topics: Array.from(byTopic(taken.map(asPartition)), ([topic, partitions]) => ({ topic, partitions })),
    }
    try {
      const produced = await this.#cluster.callBroker(broker, this.#lane, this.#session.produceApi, request)
      const answers = new Map(produced.map((each) => [partitionName(each.topic, each.partition), each]))
      for (const each of taken)
        this.#answered(each, answers.get(partitionName(each.queue.topic, each.queue.partition)))
    } catch (error) {
      for (const each of taken) {
        if (isRetriableFault(error)) this.#tryAgain(each, error)
        else this.#failed(each, error)
      }
      for (const topic of new Set(taken.map(({ queue }) => queue.topic))) this.#cluster.invalidate(topic)
    }
  }

  #answered(taken: Taken, answer: ProducedPartition | undefined): void {
    const { queue, batch } = taken
    const { topic, partition } = queue
    if (answer === undefined) {
      this.#tryAgain(taken, protocolFault(7, 'answer for a partition', { topic, partition }))
      return
    }
    const { errorCode, errorMessage, baseOffset } = answer
    const name = errorName(errorCode)
    if (errorCode === 0 || name === 'DUPLICATE_SEQUENCE_NUMBER') {
      queue.knownAs = this.#identity?.producerId ?? -1
      if (baseOffset >= 0) this.#acked.set(partitionName(topic, partition), baseOffset + batch.sealed.count)
      this.#settle(batch)
      return
    }
    if (isStaleMetadata(errorCode)) this.#cluster.invalidate(topic)
    const fault =
      name === 'INVALID_PRODUCER_EPOCH' || name === 'PRODUCER_FENCED'
        ? fencedFault(this.#session.transactionalId, errorCode)
        : protocolFault(errorCode, 'store records', { topic, partition }, errorMessage)
    // Behind a batch that has to be repeated, every later one is out of order until that one is stored.
    const behindAnother = name === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && queue.muted
    if (behindAnother || isRetriable(errorCode) || isStaleMetadata(errorCode)) this.#tryAgain(taken, fault)
    else this.#failed(taken, fault)
  }

  #tryAgain({ queue, batch }: Taken, fault: Fault): void {
    if (queue.lost || this.#isTransactionLost()) {
      this.#settle(batch)
      return
    }
    if (this.#clock.now() - batch.createdMs > this.#options.deliveryTimeoutMs) {
      this.#failed({ queue, batch }, deliveryFault(queue, this.#options.deliveryTimeoutMs, fault))
      return
    }
    this.#onRetry?.(fault)
    queue.muted = true
    const sequence = batch.sequence as number
    const at = queue.waiting.findIndex((other) => other.sequence === undefined || other.sequence > sequence)
    queue.waiting.splice(at < 0 ? queue.waiting.length : at, 0, batch)
  }

  /** A batch is lost: what is behind it in its partition is lost too, or its order would break. */
  #failed({ queue, batch }: Taken, fault: unknown): void {
    this.#failure ??= fault
    queue.lost = true
    queue.muted = true
    this.#settle(batch)
    this.#failQueue(queue, fault)
    this.#renewing = this.#session.transactionalId === null
  }

  #failQueue(queue: Queue, fault: unknown): void {
    this.#failure ??= fault
    for (const batch of queue.waiting.splice(0)) this.#settle(batch)
    this.#notify()
  }

  #failAll(fault: unknown): void {
    this.#failure ??= fault
    for (const partitions of this.#queues.values())
      for (const queue of partitions.values()) this.#failQueue(queue, fault)
  }

  /** Gives up batches that have waited for longer than the delivery timeout. */
  #expire(fault: Fault): void {
    const limitMs = this.#clock.now() - this.#options.deliveryTimeoutMs
    for (const partitions of this.#queues.values())
      for (const queue of partitions.values())
        if ((queue.waiting[0]?.createdMs ?? Number.POSITIVE_INFINITY) < limitMs)
          this.#failQueue(queue, deliveryFault(queue, this.#options.deliveryTimeoutMs, fault))
  }

  #afterResponse(taken: readonly Taken[]): void {
    for (const { queue } of taken) {
      queue.inFlight--
      if (!queue.muted || queue.inFlight > 0) continue
      queue.muted = false
      queue.lost = false
      if (queue.waiting.length > 0) this.#delay(queue)
    }
    if (this.#renewing) void this.#renew()
    else this.#pump()
  }

  /** Once nothing is in flight, a new identity closes the gap that a lost batch has left in the sequences. */
  async #renew(): Promise<void> {
    for (const count of this.#inFlight.values()) if (count > 0) return
    try {
      await this.#session.renew()
      this.resetSequences()
    } catch (error) {
      this.#failAll(error)
    }
    this.#renewing = false
    this.#pump()
  }

  /** A batch has come to its end, good or bad. */
  #settle(batch: PendingBatch): void {
    this.#bufferedBytes -= batch.sealed.bytes.length
    const left = (this.#unacked.get(batch.generation) as number) - 1
    if (left === 0) this.#unacked.delete(batch.generation)
    else this.#unacked.set(batch.generation, left)
    if (this.#freeMemory.length < 8) this.#freeMemory.push(batch.sealed.memory)
    this.#notify()
  }

  #isSettled(generation: number): boolean {
    for (const each of this.#unacked.keys()) if (each <= generation) return false
    return true
  }

  #isDrained(): boolean {
    return this.#failure !== undefined || this.#bufferedBytes * 2 <= this.#options.maxBufferedBytes
  }

  #notify(): void {
    this.#flushWaiters = this.#flushWaiters.filter(({ generation, done }) => {
      if (!this.#isSettled(generation)) return true
      done()
      return false
    })
    if (this.#drainWaiters.length > 0 && this.#isDrained())
      for (const done of this.#drainWaiters.splice(0)) done()
  }
}

interface Taken {
  readonly queue: Queue
  readonly batch: PendingBatch
}

const asPartition = ({ queue, batch }: Taken): TopicPartition & { readonly batch: Bytes } => ({
  topic: queue.topic,
  partition: queue.partition,
  batch: batch.sealed.bytes,
})

const regionOf = (bytes: Bytes | null): Region | null =>
  bytes === null ? null : { buffer: bytes, start: 0, end: bytes.length }

const sizeOf = (region: Region | null): number => (region === null ? 0 : region.end - region.start)

const tooLarge = (
  topic: string,
  partition: number,
  size: number,
  { maxRequestBytes }: { readonly maxRequestBytes: number },
): Fault =>
  new Fault({
    code: 'RECORD_TOO_LARGE',
    actor: 'record',
    message: `a record of ${size} bytes exceeds maxRequestBytes (${maxRequestBytes})`,
    remedy: "make it smaller, or raise maxRequestBytes and the topic's max.message.bytes",
    place: { topic, partition },
  })

const deliveryFault = (
  { topic, partition }: TopicPartition,
  deliveryTimeoutMs: number,
  cause: Fault,
): Fault =>
  new Fault({
    code: 'DELIVERY_TIMED_OUT',
    actor: 'runtime',
    message: `records could not be stored within ${deliveryTimeoutMs} ms: ${cause.message}`,
    place: { topic, partition },
    cause,
  })
