import type { Clock } from '../base/clock.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { ReadBatch } from '../topic/record.ts'
import { StreamRecord } from '../topic/record.ts'
import type { AnySerde } from '../topic/serde.ts'
import { wholeTime } from '../topology/record-times.ts'
import type { AnyRecord, TimestampExtractor } from '../topology/node.ts'

/** What is known of one input partition of a task. */
export interface QueueSource {
  readonly topic: string
  readonly partition: number
  readonly node: string
  readonly key: AnySerde
  readonly value: AnySerde
  /** False where a null key or value breaks the contract of the topic. */
  readonly nullKeys: boolean
  readonly nullValues: boolean
  readonly timestampExtractor: TimestampExtractor | undefined
}

/**
 * The records of one input partition that wait for their turn, as the columns they came in. The head's time is known
 * without making an object, unless a timestamp extractor wants to see the record.
 */
export class RecordQueue {
  readonly source: QueueSource
  /** The largest timestamp taken from this partition; handed to the timestamp extractor. */
  partitionTimeMs = -1
  /** The offset after the last record taken. */
  nextOffset = 0
  /** True while nothing more is fetched for it, as enough waits. */
  isHeldBack = false
  #batches: ReadBatch[] = []
  #row = 0
  #size = 0
  #head: AnyRecord | undefined
  #headTimestamp = 0
  #headFailure: { readonly error: unknown } | undefined
  #fetchedTo: number | undefined
  readonly #clock: Clock

  /** The clock is for timestamp extractors alone. */
  constructor(source: QueueSource, clock: Clock) {
    this.source = source
    this.#clock = clock
  }

  get size(): number {
    return this.#size
  }

  /** Takes a batch; `nextOffset` is where reading goes on after it, beyond markers and compacted records at its end. */
  push(columns: RecordColumns, nextOffset?: number): void {
    this.#fetchedTo = nextOffset
    if (columns.count === 0) {
      if (this.#size === 0) this.#skipToEnd()
      return
    }
    const { key, value, topic, partition } = this.source
    this.#batches.push({ columns, key, value, topic, partition })
    this.#size += columns.count
    if (this.#size === columns.count) this.#readHead()
  }

  /** The time of the head; meaningless while the queue is empty. Negative where the record is to be dropped. */
  get headTimestamp(): number {
    return this.#headTimestamp
  }

  /** What the timestamp extractor threw at the head; the record fails with it when its turn comes. */
  get headFailure(): { readonly error: unknown } | undefined {
    return this.#headFailure
  }

  /** Takes the head off. */
  take(): AnyRecord {
    const batch = this.#batches[0] as ReadBatch
    const { columns } = batch
    const record = this.#head ?? StreamRecord.read(batch, this.#row, this.#headTimestamp)
    this.nextOffset = (columns.offsets[this.#row] as number) + 1
    if (this.#headTimestamp > this.partitionTimeMs) this.partitionTimeMs = this.#headTimestamp
    this.#size--
    if (++this.#row === columns.count) {
      this.#batches.shift()
      this.#row = 0
    }
    this.#head = undefined
    this.#headFailure = undefined
    if (this.#size > 0) this.#readHead()
    else this.#skipToEnd()
    return record
  }

  clear(): void {
    this.isHeldBack = false
    this.#batches = []
    this.#row = 0
    this.#size = 0
    this.#head = undefined
    this.#headFailure = undefined
    this.#fetchedTo = undefined
  }

  #skipToEnd(): void {
    if (this.#fetchedTo !== undefined && this.#fetchedTo > this.nextOffset) this.nextOffset = this.#fetchedTo
  }

  #readHead(): void {
    const batch = this.#batches[0] as ReadBatch
    const timestamp = batch.columns.timestamps[this.#row] as number
    const { timestampExtractor } = this.source
    if (timestampExtractor === undefined) {
      this.#headTimestamp = timestamp
      return
    }
    const record = StreamRecord.read(batch, this.#row, timestamp)
    try {
      const extracted = timestampExtractor(record, this.partitionTimeMs, this.#clock.now())
      this.#headTimestamp = wholeTime('the timestamp extractor', extracted)
      this.#head = record.withTimestamp(this.#headTimestamp)
    } catch (error) {
      this.#headTimestamp = Math.max(0, this.partitionTimeMs)
      this.#headFailure = { error }
      this.#head = record
    }
  }
}
