import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { BatchTexts } from '../topic/batch-texts.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { sizeOfRows } from '../topic/record-columns.ts'
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
  /** How far a record's time may be ahead of the clock; undefined for the application's bound. */
  readonly maxTimestampAheadMs?: number | undefined
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
  isPaused = false
  #batches: ReadBatch[] = []
  #row = 0
  #size = 0
  #bytes = 0
  #head: AnyRecord | undefined
  #headTimestamp = 0
  #headFailure: { readonly error: unknown } | undefined
  #fetchedTo: number | undefined
  readonly #clock: Clock
  readonly #maxTimestampAheadMs: number
  /** Times up to here are within the bound; read from the clock only when a time exceeds it. */
  #latestTimestamp: number

  /** The bound is that of the application, for a source that has none of its own. */
  constructor(source: QueueSource, clock: Clock, maxTimestampAheadMs = Infinity) {
    this.source = source
    this.#clock = clock
    this.#maxTimestampAheadMs = source.maxTimestampAheadMs ?? maxTimestampAheadMs
    this.#latestTimestamp = this.#maxTimestampAheadMs === Infinity ? Infinity : -Infinity
  }

  get size(): number {
    return this.#size
  }

  /** About how many bytes the batches take that have records which wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes a batch; `nextOffset` is where reading goes on after it, beyond markers and compacted records at its end. */
  push(columns: RecordColumns, nextOffset?: number): void {
    this.#fetchedTo = nextOffset
    if (columns.count === 0) {
      if (this.#size === 0) this.#skipToEnd()
      return
    }
    const { key, value, topic, partition } = this.source
    this.#batches.push({ columns, key, value, topic, partition, texts: new BatchTexts(columns.buffer) })
    this.#size += columns.count
    this.#bytes += sizeOfRows(columns)
    if (this.#size === columns.count) this.#readHead()
  }

  /** The time of the head; meaningless while the queue is empty. Negative where the record is to be dropped. */
  get headTimestamp(): number {
    return this.#headTimestamp
  }

  /** What the timestamp extractor threw at the head, or that its time is too far ahead; the record fails with it when its turn comes. */
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
      this.#bytes -= sizeOfRows(columns)
      this.#row = 0
    }
    this.#head = undefined
    this.#headFailure = undefined
    if (this.#size > 0) this.#readHead()
    else this.#skipToEnd()
    return record
  }

  clear(): void {
    this.isPaused = false
    this.#batches = []
    this.#row = 0
    this.#size = 0
    this.#bytes = 0
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
      if (timestamp > this.#latestTimestamp) this.#boundHead(timestamp)
      return
    }
    const record = StreamRecord.read(batch, this.#row, timestamp)
    try {
      const extracted = timestampExtractor(record, this.partitionTimeMs, this.#clock.now())
      this.#headTimestamp = wholeTime('the timestamp extractor', extracted)
      this.#head = record.withTimestamp(this.#headTimestamp)
      if (this.#headTimestamp > this.#latestTimestamp) this.#boundHead(timestamp)
    } catch (error) {
      this.#failHead(record, error)
    }
  }

  /** A head whose time is too far ahead of the clock fails, with its own time, and does not advance stream time. */
  #boundHead(ownTimestamp: number): void {
    const nowMs = this.#clock.now()
    this.#latestTimestamp = nowMs + this.#maxTimestampAheadMs
    const timestamp = this.#headTimestamp
    if (timestamp <= this.#latestTimestamp) return
    const record = StreamRecord.read(this.#batches[0] as ReadBatch, this.#row, ownTimestamp)
    this.#failHead(record, timestampAhead(timestamp, nowMs, this.#maxTimestampAheadMs))
  }

  #failHead(record: AnyRecord, error: unknown): void {
    this.#headTimestamp = Math.max(0, this.partitionTimeMs)
    this.#headFailure = { error }
    this.#head = record
  }
}

const timestampAhead = (timestamp: number, nowMs: number, maxTimestampAheadMs: number): Fault =>
  new Fault({
    code: 'TIMESTAMP_AHEAD',
    actor: 'record',
    message: `the record's time ${timestamp} is ${timestamp - nowMs} ms ahead of the clock, and maxTimestampAheadMs is ${maxTimestampAheadMs}`,
    remedy: 'fix the producer, raise maxTimestampAheadMs, or set processingFailure to skip or deadLetter',
  })
