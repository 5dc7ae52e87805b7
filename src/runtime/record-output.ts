import type { AckedOffsets, Producer } from '../kafka/producer.ts'

import type { Bytes } from '../base/bytes.ts'
import type { ChangelogSink } from '../state/store.ts'
import type { Output, SinkTarget } from '../task/ports.ts'
import type { Headers } from '../topic/headers.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import type { AnyRecord } from '../topology/node.ts'
import type { Metrics } from './metrics.ts'

/**
 * What the tasks of one worker write, handed to one producer. A topic whose partitions are not known yet (one that was
 * chosen record by record) holds its records back, in order, until the next flush has asked for them.
 */
export class RecordOutput implements Output {
  readonly #producer: Producer
  readonly #metrics: Metrics
  readonly #prepared = new Set<string>()
  #heldBack: { readonly topic: string; readonly send: () => void }[] = []

  constructor(producer: Producer, metrics: Metrics) {
    this.#producer = producer
    this.#metrics = metrics
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

  send(topic: string, target: SinkTarget, record: AnyRecord): void {
    // Without a function made for each record.
    if (this.#prepared.has(topic)) {
      this.#metrics.producedRecords++
      this.#send(topic, target, record)
    } else this.#whenPrepared(topic, () => this.#send(topic, target, record))
  }

  sendRow(topic: string, row: RecordRow): void {
    this.#whenPrepared(topic, () =>
      this.#producer.send(topic, undefined, row.key, row.value, row.timestamp, row.headers),
    )
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

  /** Sends what was held back for topics that were not known. */
  async release(): Promise<void> {
    if (this.#heldBack.length === 0) return
    await this.prepare([...new Set(this.#heldBack.map(({ topic }) => topic))])
    for (const { send } of this.#heldBack.splice(0)) send()
  }

  /** Forgets what was held back. */
  forget(): void {
    this.#heldBack = []
  }

  /** Gives up what is not acknowledged. */
  discard(): Promise<void> {
    this.forget()
    return this.#producer.discard()
  }

  close(): void {
    this.#producer.close()
  }

  #send(topic: string, target: SinkTarget, record: AnyRecord): void {
    const partition = target.partitioner?.(record, this.#producer.partitionCountOf(topic))
    const sink = { name: topic, key: target.key, value: target.value }
    this.#producer.sendRecord(sink as never, record, partition)
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

  #whenPrepared(topic: string, send: () => void): void {
    this.#metrics.producedRecords++
    if (this.#prepared.has(topic)) send()
    else this.#heldBack.push({ topic, send })
  }
}
