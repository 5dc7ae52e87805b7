import type { AckedOffsets, Producer } from '../kafka/producer.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Fault } from '../base/fault.ts'
import { isFault } from '../base/fault.ts'
import type { ChangelogSink } from '../state/store.ts'
import { chosenPartitions } from '../task/chosen-partition.ts'
import type { Output, SinkTarget } from '../task/ports.ts'
import type { Headers } from '../topic/headers.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { Metrics } from './metrics.ts'
import type { RecordFailureHandler } from './record-failure-handler.ts'
import { chosenByRecord, unwritten } from './record-failure-handler.ts'

interface BufferedRecord {
  readonly topic: string
  readonly target: SinkTarget
  readonly record: AnyRecord
  readonly source: AnyRecord | undefined
}

/**
 * What the tasks of one member write, handed to one producer. A topic whose partitions are not known yet (one that was
 * chosen record by record) holds its records back, in order, until the next flush has asked for them. Those of a topic
 * that is missing are failures of the records that chose it.
 */
export class RecordOutput implements Output {
  readonly #producer: Producer
  readonly #metrics: Metrics
  readonly #onFailure: ReturnType<RecordFailureHandler['with']>
  readonly #prepared = new Set<string>()
  #buffered: BufferedRecord[] = []

  constructor(producer: Producer, metrics: Metrics, failureHandler: RecordFailureHandler) {
    this.#producer = producer
    this.#metrics = metrics
    this.#onFailure = failureHandler.with((topic, row) => this.sendRow(topic, row))
  }

  get isFull(): boolean {
    return this.#producer.isFull
  }

  drained(): Promise<void> {
    return this.#producer.drained()
  }

  /** Learns the partitions of topics before they are written to. */
  async prepare(topics: readonly string[]): Promise<void> {
    await this.#producer.prepare(topics.filter((topic) => !this.#prepared.has(topic)))
    for (const topic of topics) this.#prepared.add(topic)
  }

  send(topic: string, target: SinkTarget, record: AnyRecord, source: AnyRecord | undefined): void {
    if (this.#prepared.has(topic)) this.#send(topic, target, record, source)
    else this.#buffered.push({ topic, target, record, source })
  }

  /** Writes to a topic that is known to be prepared. */
  sendRow(topic: string, row: RecordRow): void {
    this.#metrics.producedRecords++
    this.#producer.send(topic, undefined, row.key, row.value, row.timestamp, row.headers)
  }

  /** The sink of one task's changelogs; `topicOf` gives the topic of a store. */
  changelog(partition: number, topicOf: (store: string) => string): ChangelogSink {
    return {
      append: (store, key, value, timestamp, headers) =>
        this.#append(topicOf(store), partition, key, value, timestamp, headers),
      appendRegions: (store, key, value, timestamp, headers) => {
        this.#metrics.producedRecords++
        this.#producer.sendRegions(topicOf(store), partition, key, value, timestamp, headers)
      },
    }
  }

  /** Sends whatever has gathered without waiting for more. */
  sendNow(): void {
    this.#producer.sendNow()
  }

  /** Resolves with the offset after the last record of every partition written to, once all of it is acknowledged. */
  async flush(): Promise<AckedOffsets> {
    await this.release()
    return this.#producer.flush()
  }

  /** Sends the buffered records of topics that were not known. */
  async release(): Promise<void> {
    if (this.#buffered.length === 0) return
    const topics = new Set(this.#buffered.map(({ topic }) => topic))
    const faults = new Map(
      await Promise.all(Array.from(topics, async (topic) => [topic, await this.#missing(topic)] as const)),
    )
    for (const each of this.#buffered.splice(0)) this.#sendBuffered(each, faults.get(each.topic))
  }

  /** Drops the buffered records. */
  forget(): void {
    this.#buffered = []
  }

  /** Gives up what is not acknowledged. */
  discard(): Promise<void> {
    this.forget()
    return this.#producer.discard()
  }

  close(): void {
    this.#producer.close()
  }

  /** Learns a topic's partitions; why that will never be where there can be no such topic. */
  async #missing(topic: string): Promise<Fault | undefined> {
    try {
      await this.prepare([topic])
      return undefined
    } catch (error) {
      if (isFault(error, 'TOPIC_MISSING') || isFault(error, 'INVALID_TOPIC_EXCEPTION'))
        return chosenByRecord(error)
      throw error
    }
  }

  #sendBuffered({ topic, target, record, source }: BufferedRecord, missing: Fault | undefined): void {
    try {
      if (missing !== undefined) throw missing
      this.#send(topic, target, record, source)
    } catch (error) {
      const { node } = target
      const failure = unwritten({ node, origin: source?.origin, record: source, error })
      if (this.#onFailure(failure, source) === 'fail') throw failure.fault
    }
  }

  #send(topic: string, target: SinkTarget, record: AnyRecord, source: AnyRecord | undefined): void {
    if (target.partitioner === undefined) return this.#sendTo(undefined, topic, target, record, source)
    const chosen = chosenPartitions(target, record, topic, this.#producer.partitionCountOf(topic))
    if (typeof chosen !== 'object') this.#sendTo(chosen, topic, target, record, source)
    else if (chosen.length === 0) target.dropped(record)
    else for (const partition of chosen) this.#sendTo(partition, topic, target, record, source)
  }

  #sendTo(
    partition: number | undefined,
    topic: string,
    target: SinkTarget,
    record: AnyRecord,
    source: AnyRecord | undefined,
  ): void {
    this.#producer.sendRecord(topic, target as never, record, partition, source, target.node)
    this.#metrics.producedRecords++
  }

  #append(
    topic: string,
    partition: number,
    key: Bytes,
    value: Bytes | null,
    timestamp: number,
    headers: Headers | undefined,
  ): void {
    this.#metrics.producedRecords++
    this.#producer.send(topic, partition, key, value, timestamp, headers)
  }
}
