import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import type { Headers } from '../topic/headers.ts'
import { noHeaders } from '../topic/headers.ts'
import { LentBytes } from '../topic/lent-bytes.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import type { StreamRecord } from '../topic/record.ts'
import { defaultMaxRequestSize, refuseTooLarge, sizeOfHeaders } from '../topic/record-size.ts'
import type { SinkTopic } from '../topic/topic.ts'
import type { Cluster } from './cluster.ts'
import { topicMissing } from './cluster.ts'
import { BatchSender } from './produce/batch-sender.ts'
import { Outstanding } from './produce/outstanding.ts'
import type { PartitionQueue, PendingBatch } from './produce/partition-queue.ts'
import { PartitionQueues, pendingBatch } from './produce/partition-queue.ts'
import { Partitioner } from './produce/partitioner.ts'
import { RecordSources } from './produce/record-sources.ts'
import type { RefusedRecord } from './produce/refused-batch.ts'
import type { ProducerSession } from './produce/producer-session.ts'
import { IdempotentSession } from './produce/producer-session.ts'
import type { Region } from './record-batch/batch-builder.ts'
import { BatchBuilder } from './record-batch/batch-builder.ts'
import type { Compression } from './record-batch/compression.ts'

/**
 * An accumulating, idempotent producer.
 *
 * - `send` is synchronous: it encodes at once into the open batch of the partition. A batch is sealed when it is full,
 *   when `lingerMs` has passed since its first record, by `sendNow` and by `flush`.
 * - A broker gets up to five requests at a time, each with one batch per partition. Sequences are given when a batch
 *   is first sent and stay with it, so a repeated batch is stored once and order is kept.
 * - A batch that is too large for its topic is split and sent again. A record that the broker refuses by itself is put to
 *   `onRefused`; the others of its batch are stored.
 * - What may succeed later is tried again until `deliveryTimeoutMs`; what cannot becomes a `Fault` that `flush`
 *   throws and `failure` shows.
 * - Memory is bounded by its user: stop sending while `isFull`, and go on after `drained()`.
 *
 * @example
 * const producer = new Producer({ cluster })
 * await producer.prepare(['orders'])
 * producer.send('orders', undefined, key, value, clock.now())
 * const next = (await producer.flush()).get('orders-0')
 */
export interface ProducerOptions {
  readonly cluster: Cluster
  /** Distinguishes the connections of several producers over one transport. */
  readonly name?: string
  readonly compressionType?: Compression
  readonly batchBytes?: number
  readonly lingerMs?: number
  /** The largest record, and about the largest request: the setting `maxRequestSize`. */
  readonly maxRequestSize?: number
  readonly maxBufferedBytes?: number
  readonly maxInFlightPerBroker?: number
  readonly requestTimeoutMs?: number
  readonly deliveryTimeoutMs?: number
  /** Defaults to plain idempotence; transactions bring their own. */
  readonly session?: ProducerSession
  readonly onRetry?: (fault: Fault) => void
  /** Asked before each request: what fails where nothing may be sent any more. */
  readonly refusal?: () => Fault | undefined
  /** Asked what becomes of a record that the broker refuses; defaults to it fails. */
  readonly onRefused?: (refused: RefusedRecord) => RefusalAnswer
  /** Whether `onRefused` sees the records that refused ones were made from; else it hears only where they stand. */
  readonly keepsSources?: boolean
}

/** It is a failure after all, or it is left out and these are stored instead, by the same `flush`. */
export type RefusalAnswer = { readonly failure: unknown } | { readonly instead: readonly RecordInstead[] }

export interface RecordInstead {
  readonly topic: string
  readonly row: RecordRow
}

/** The offset after the last acknowledged record, by partition name (`topic-0`). */
export type AckedOffsets = ReadonlyMap<string, number>

export class Producer {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #compressionType: Compression
  readonly #batchBytes: number
  readonly #lingerMs: number
  readonly #maxRequestSize: number
  readonly #maxBufferedBytes: number
  readonly #partitioner = new Partitioner()
  readonly #queues = new PartitionQueues()
  readonly #outstanding = new Outstanding()
  readonly #session: ProducerSession
  readonly #sender: BatchSender
  readonly #keyBytes = new LentBytes('key')
  readonly #valueBytes = new LentBytes('value')
  readonly #onRefused: ProducerOptions['onRefused']
  readonly #keepsSources: boolean
  #cancelLinger: (() => void) | undefined

  constructor(options: ProducerOptions) {
    this.#cluster = options.cluster
    this.#clock = options.cluster.clock
    this.#compressionType = options.compressionType ?? 'none'
    this.#batchBytes = options.batchBytes ?? 524_288
    this.#lingerMs = options.lingerMs ?? 20
    this.#maxRequestSize = options.maxRequestSize ?? defaultMaxRequestSize
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 8_388_608
    this.#onRefused = options.onRefused
    this.#keepsSources = options.keepsSources ?? false
    this.#session = options.session ?? new IdempotentSession(options.cluster)
    this.#sender = new BatchSender({
      cluster: options.cluster,
      session: this.#session,
      queues: this.#queues,
      outstanding: this.#outstanding,
      lane: `produce:${options.name ?? 'main'}`,
      maxRequestSize: this.#maxRequestSize,
      maxInFlightPerBroker: options.maxInFlightPerBroker ?? 5,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
      onRetry: options.onRetry,
      refusal: options.refusal,
      compressionType: this.#compressionType,
      onRefused: (refused, batch) => this.#refused(refused, batch),
    })
  }

  /** Learns the partitions of topics, which `send` must know; `TOPIC_MISSING` where one does not exist. */
  async prepare(topics: Iterable<string>): Promise<void> {
    const found = await Promise.all(Array.from(topics, (topic) => this.#cluster.topic(topic)))
    for (const { name, partitions } of found) this.#queues.ofTopic(name).partitionCount = partitions.length
    await this.#session.onPrepared(
      found.flatMap(({ name: topic, partitions }) =>
        partitions.map(({ partition }) => ({ topic, partition })),
      ),
    )
  }

  /** The number of partitions of a topic that was prepared. */
  partitionCountOf(topic: string): number {
    const queues = this.#queues.ofTopic(topic)
    queues.partitionCount ??= this.#cluster.known(topic)?.partitions.length
    if (queues.partitionCount === undefined) throw topicMissing(topic)
    return queues.partitionCount
  }

  /** The partition that a record with this key would go to. */
  partitionFor(topic: string, key: Bytes | null): number {
    return this.#partitionFor(topic, regionOf(key))
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

  /** The same for bytes that stand among others: they are copied before this returns. */
  sendRegions(
    topic: string,
    partition: number | undefined,
    key: Region | null,
    value: Region | null,
    timestamp: number,
    headers: Headers = noHeaders,
  ): void {
    this.#append(topic, partition, key, value, timestamp, headers)
  }

  /**
   * Takes one record of a stream: parts that it was read with, and `serdes` would write alike, are copied undecoded.
   * `source` and `node`, the record it was made from and who writes it, are what `onRefused` hears of it.
   */
  sendRecord<K, V>(
    topic: string,
    serdes: Pick<SinkTopic<NonNullable<K>, NonNullable<V>>, 'key' | 'value'>,
    record: StreamRecord<K, V>,
    partition?: number,
    source?: StreamRecord<unknown, unknown>,
    node?: string,
  ): void {
    const key = record.hasNullKey
      ? null
      : (record.rawKey(serdes.key) ??
        this.#keyBytes.regionOf(serdes.key, record.key as NonNullable<K>, topic))
    const value = record.hasNullValue
      ? null
      : (record.rawValue(serdes.value) ??
        this.#valueBytes.partOf(serdes.value, record.value as NonNullable<V>, topic))
    this.#append(topic, partition, key, value, record.timestamp, record.headers, source, node)
  }

  /** What has gone wrong for good since the last `flush` that threw it; undefined while all is well. */
  get failure(): unknown {
    return this.#sender.failure
  }

  /** Bytes that are not acknowledged yet. */
  get bufferedBytes(): number {
    return this.#outstanding.bytes
  }

  /** True while more than the bound is waiting: send no more until `drained()`. */
  get isFull(): boolean {
    return this.#outstanding.bytes >= this.#maxBufferedBytes
  }

  /** Resolves once at most half of the bound is waiting, or something has failed. */
  drained(): Promise<void> {
    if (!this.#isDrained()) this.sendNow()
    return this.#outstanding.until(() => this.#isDrained())
  }

  /** Sends what has gathered without waiting for `lingerMs`. */
  sendNow(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = undefined
    for (const queue of this.#queues.all) this.#seal(queue)
    this.#sender.pump()
  }

  /**
   * Resolves once all that was sent before the call is acknowledged, with the offset after the last acknowledged
   * record of every partition ever sent to. Throws, once, what failed.
   */
  flush(): Promise<AckedOffsets> {
    return this.#flush(false)
  }

  /** As `flush`, but what is sent after the call stays here until `release`: it belongs to the next transaction. */
  flushAndHold(): Promise<AckedOffsets> {
    return this.#flush(true)
  }

  /** Lets go what `flushAndHold` has kept back. */
  release(): void {
    this.#sender.release()
  }

  /**
   * Gives up what is not acknowledged. Without transactions a new identity is taken, as the sequences have a gap now; in
   * a transaction its end brings one.
   */
  async discard(): Promise<void> {
    for (const queue of this.#queues.all) {
      this.#outstanding.grow(-(queue.open?.sizeInBytes ?? 0))
      queue.open = undefined
      queue.openSources = undefined
    }
    await this.#sender.discard()
  }

  /** Stops at once; `flush` first what must not be lost. */
  close(): void {
    this.#cancelLinger?.()
    this.#sender.close()
  }

  #isDrained(): boolean {
    return this.failure !== undefined || this.#outstanding.bytes * 2 <= this.#maxBufferedBytes
  }

  async #flush(hold: boolean): Promise<AckedOffsets> {
    this.sendNow()
    // Of a transaction that has lost a batch, nothing more is sent.
    const { generation, settled } = this.#outstanding.nextGeneration(() => this.#sender.isTransactionLost)
    if (hold) this.#sender.holdAfter(generation)
    await settled
    const { failure, isTransactionLost } = this.#sender
    if (failure === undefined) return new Map(this.#sender.acked)
    // A transaction that has lost a batch stays lost until it is discarded.
    if (!isTransactionLost) this.#sender.failure = undefined
    throw failure
  }

  #partitionFor(topic: string, key: Region | null): number {
    const count = this.partitionCountOf(topic)
    return key === null
      ? this.#partitioner.partitionFor(topic, count, null, 0, 0)
      : this.#partitioner.partitionFor(topic, count, key.buffer, key.start, key.end)
  }

  #append(
    topic: string,
    partition: number | undefined,
    key: Region | null,
    value: Region | string | null,
    timestamp: number,
    headers: Headers,
    source?: StreamRecord<unknown, unknown>,
    node?: string,
  ): void {
    const valueSize = typeof value === 'string' ? value.length : sizeOf(value)
    const size = sizeOf(key) + valueSize + sizeOfHeaders(headers)
    const queue = this.#queueFor(topic, partition, key, size)
    if (
      queue.open !== undefined &&
      queue.open.sizeInBytes + size > Math.min(this.#batchBytes, queue.largestBytes)
    ) {
      this.#seal(queue)
      this.#sender.pump()
    }
    const open = queue.open ?? this.#newBatch(queue)
    const before = open.count === 0 ? 0 : open.sizeInBytes
    if (!open.append(key, value, timestamp, headers)) {
      const bytes = this.#valueBytes.regionOfText(value as string)
      return this.#append(topic, queue.partition, key, bytes, timestamp, headers, source, node)
    }
    if (node !== undefined && this.#onRefused !== undefined) this.#note(queue, open.count, source, node)
    else queue.openSources?.note(undefined, undefined)
    this.#outstanding.grow(open.sizeInBytes - before)
  }

  #queueFor(topic: string, partition: number | undefined, key: Region | null, size: number): PartitionQueue {
    const queue = this.#queues.of(topic, partition ?? this.#partitionFor(topic, key))
    refuseTooLarge(size, this.#maxRequestSize, queue)
    return queue
  }

  /** Notes what the last record of the open batch was made from; nothing is known of those that were noted nowhere. */
  #note(
    queue: PartitionQueue,
    count: number,
    source: StreamRecord<unknown, unknown> | undefined,
    node: string,
  ): void {
    let sources = queue.openSources
    if (sources === undefined) {
      sources = queue.openSources = new RecordSources(this.#keepsSources)
      for (let earlier = 1; earlier < count; earlier++) sources.note(undefined, undefined)
    }
    sources.note(source, node)
  }

  /** Answers what fails; undefined where all goes on without the record. */
  #refused(refused: RefusedRecord, batch: PendingBatch): unknown {
    if (this.#onRefused === undefined) return refused.fault
    try {
      const answer = this.#onRefused(refused)
      if ('failure' in answer) return answer.failure
      for (const each of answer.instead) this.#storeInstead(each, batch)
      return undefined
    } catch (error) {
      return error
    }
  }

  /** A record that stands for one of `batch` is as much a part of its flush, which may have begun already. */
  #storeInstead({ topic, row }: RecordInstead, { generation, createdMs }: PendingBatch): void {
    const [key, value] = [regionOf(row.key), regionOf(row.value)]
    const queue = this.#queueFor(topic, undefined, key, sizeOf(key) + sizeOf(value))
    const builder = new BatchBuilder(this.#outstanding.freeMemory())
    builder.append(key, value, row.timestamp, row.headers ?? noHeaders)
    const batch = pendingBatch(builder.seal(this.#compressionType), generation, createdMs, undefined)
    this.#outstanding.grow(batch.sealed.bytes.length)
    this.#outstanding.sealed(batch)
    queue.addEarlier(batch)
  }

  #newBatch(queue: PartitionQueue): BatchBuilder {
    queue.openedMs = this.#clock.monotonicMs()
    this.#cancelLinger ??= this.#clock.setTimer(() => this.sendNow(), this.#lingerMs)
    queue.open = new BatchBuilder(this.#outstanding.freeMemory())
    return queue.open
  }

  #seal(queue: PartitionQueue): void {
    const { open } = queue
    if (open === undefined) return
    queue.open = undefined
    const sealed = open.seal(this.#compressionType)
    this.#outstanding.grow(sealed.bytes.length - open.sizeInBytes)
    this.#partitioner.batchSealed(queue.topic, queue.partition)
    const { generation } = this.#outstanding
    const batch = pendingBatch(sealed, generation, queue.openedMs, queue.openSources)
    queue.openSources = undefined
    this.#outstanding.sealed(batch)
    queue.add(batch)
  }
}

const regionOf = (bytes: Bytes | null): Region | null =>
  bytes === null ? null : { buffer: bytes, start: 0, end: bytes.length }

const sizeOf = (region: Region | null): number => (region === null ? 0 : region.end - region.start)
