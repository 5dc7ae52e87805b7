import type { RecordColumns } from '../topic/record-columns.ts'
import type { RecordOrigin } from '../topic/record.ts'
import { StreamRecord } from '../topic/record.ts'
import type { AnySerde } from '../topic/serde.ts'
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
  #batches: RecordColumns[] = []
  #row = 0
  #size = 0
  #head: AnyRecord | undefined
  #headTimestamp = 0

  constructor(source: QueueSource) {
    this.source = source
  }

  get size(): number {
    return this.#size
  }

  push(columns: RecordColumns): void {
    if (columns.count === 0) return
    this.#batches.push(columns)
    this.#size += columns.count
    if (this.#size === columns.count) this.#readHead()
  }

  /** The time of the head; meaningless while the queue is empty. Negative where the record is to be dropped. */
  get headTimestamp(): number {
    return this.#headTimestamp
  }

  /** Takes the head off. */
  take(): AnyRecord {
    const columns = this.#batches[0] as RecordColumns
    const record = this.#head ?? this.#read(columns, this.#headTimestamp)
    this.nextOffset = (columns.offsets[this.#row] as number) + 1
    if (this.#headTimestamp > this.partitionTimeMs) this.partitionTimeMs = this.#headTimestamp
    this.#size--
    if (++this.#row === columns.count) {
      this.#batches.shift()
      this.#row = 0
    }
    this.#head = undefined
    if (this.#size > 0) this.#readHead()
    return record
  }

  clear(): void {
    this.#batches = []
    this.#row = 0
    this.#size = 0
    this.#head = undefined
  }

  #readHead(): void {
    const columns = this.#batches[0] as RecordColumns
    const timestamp = columns.timestamps[this.#row] as number
    const { timestampExtractor } = this.source
    if (timestampExtractor === undefined) {
      this.#headTimestamp = timestamp
      return
    }
    const record = this.#read(columns, timestamp)
    this.#headTimestamp = timestampExtractor(record, this.partitionTimeMs)
    this.#head = record.withTimestamp(this.#headTimestamp)
  }

  #read(columns: RecordColumns, timestamp: number): AnyRecord {
    const { topic, partition, key, value } = this.source
    const origin: RecordOrigin = { topic, partition, offset: columns.offsets[this.#row] as number }
    return StreamRecord.read(columns, this.#row, key, value, timestamp, origin)
  }
}
