import type { Bytes } from '../../base/bytes.ts'
import { Refusal } from '../protocol/errors.ts'
import { BATCH_BYTES, MemoryBudget, UNLIMITED } from './memory-budget.ts'
import { ProducerState } from './producer-state.ts'
import {
  isControl,
  isTransactional,
  markerOutcome,
  NO_PRODUCER_ID,
  patchOffset,
  readBatchHeader,
  type BatchHeader,
} from './record-batch.ts'
import type { Decompress } from './records.ts'
import { Segments } from './segments.ts'
import { bytesOf, firstAtOrAfter, type StoredBatch, type TimestampedOffset } from './stored-batch.ts'

const NO_BUDGET = new MemoryBudget(UNLIMITED, () => undefined)

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The offset of the abort marker. */
  readonly lastOffset: number
}

/** Where a partition writes what must survive a restart. */
export interface PartitionJournal {
  append(batch: Bytes): void
  logStartOffset(offset: number): void
  close(): void
}

/**
 * One partition: batches as they were received, found by offset and by time, with the state of their producers.
 *
 * Offsets that matter: `logStartOffset` (the first that is kept), `logEndOffset` (the next to be given; with a single
 * broker it is the high watermark too) and `lastStableOffset` (where the earliest open transaction began).
 */
export class PartitionLog {
  readonly producers: ProducerState = new ProducerState()
  readonly #batches: StoredBatch[] = []
  readonly #segments = new Segments()
  readonly #aborted: AbortedTransaction[] = []
  readonly #listeners = new Set<() => void>()
  readonly #decompress: Decompress
  readonly #journal: PartitionJournal | undefined
  #logStartOffset = 0
  #logEndOffset = 0
  #bytesEver = 0

  readonly #memory: MemoryBudget

  constructor(decompress: Decompress, journal?: PartitionJournal, memory: MemoryBudget = NO_BUDGET) {
    this.#decompress = decompress
    this.#journal = journal
    this.#memory = memory
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  get logEndOffset(): number {
    return this.#logEndOffset
  }

  get highWatermark(): number {
    return this.#logEndOffset
  }

  get lastStableOffset(): number {
    return Math.max(this.producers.firstOpenOffset() ?? this.#logEndOffset, this.#logStartOffset)
  }

  /** Bytes that are kept. */
  get sizeInBytes(): number {
    const first = this.#batches[0]
    return first === undefined ? 0 : this.#bytesEver - first.bytesBefore
  }

  /** Appends one checked batch; its bytes are copied. Returns the offset of its first record. */
  append(batch: Bytes, header: BatchHeader): number {
    const baseOffset = this.#logEndOffset
    this.#reserve(header)
    const stored = this.#place(batch, header, baseOffset)
    this.#write(stored)
    this.#add(stored)
    for (const listener of this.#listeners) listener()
    return baseOffset
  }

  /** Takes in what a journal holds, batch by batch, with the offsets they were given then. */
  recover(journalled: Iterable<Bytes>, logStartOffset: number): void {
    for (const batch of journalled) {
      const header = readBatchHeader(batch)
      if (header === undefined) continue
      this.#reserve(header)
      this.#add(this.#place(batch, header, header.baseOffset))
    }
    this.#logEndOffset = Math.max(this.#logEndOffset, logStartOffset)
    this.#trim(logStartOffset)
  }

  /** Calls `listener` after each append until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Whole batches from the one that holds `offset`, before `limitOffset` and within `maxBytes`; the first comes even if
   * it is larger where `firstWhole` says so, since a consumer could not go on otherwise.
   */
  read(offset: number, limitOffset: number, maxBytes: number, firstWhole: boolean): LogRead {
    const chunks: Bytes[] = []
    let size = 0
    let nextOffset = offset
    let run: { block: Bytes; start: number; end: number } | undefined
    for (let index = this.#indexOf(offset); index < this.#batches.length; index++) {
      const batch = this.#batches[index] as StoredBatch
      const length = batch.header.sizeInBytes
      if (batch.baseOffset >= limitOffset) break
      if (size + length > maxBytes && !(size === 0 && firstWhole)) break
      if (run !== undefined && run.block === batch.block && run.end === batch.position) run.end += length
      else {
        if (run !== undefined) chunks.push(run.block.subarray(run.start, run.end))
        run = { block: batch.block, start: batch.position, end: batch.position + length }
      }
      size += length
      nextOffset = batch.lastOffset + 1
    }
    if (run !== undefined) chunks.push(run.block.subarray(run.start, run.end))
    return { chunks, sizeInBytes: size, nextOffset }
  }

  /** How many bytes `read` would give, if no other limit than `limitOffset` were set. */
  bytesBetween(offset: number, limitOffset: number): number {
    const from = this.#batches[this.#indexOf(offset)]
    if (from === undefined || from.baseOffset >= limitOffset) return 0
    // The last batch that begins before the limit is the one that holds the offset before it.
    const last = this.#batches[this.#indexOf(limitOffset - 1)] ?? this.#batches.at(-1)
    return last === undefined ? 0 : last.bytesBefore + last.header.sizeInBytes - from.bytesBefore
  }

  /** The aborted transactions that a reader of `[offset, nextOffset)` must skip. */
  abortedBetween(offset: number, nextOffset: number): AbortedTransaction[] {
    return this.#aborted.filter((aborted) => aborted.lastOffset >= offset && aborted.firstOffset < nextOffset)
  }

  /** The first record at or after `timestamp`, in the order of offsets. */
  offsetForTimestamp(timestamp: number): TimestampedOffset | undefined {
    for (const batch of this.#batches) {
      if (batch.header.maxTimestamp < timestamp) continue
      const found = firstAtOrAfter(batch, timestamp, this.#logStartOffset, this.#decompress)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The first record of the latest timestamp. */
  offsetOfMaxTimestamp(): TimestampedOffset | undefined {
    let latest: StoredBatch | undefined
    for (const batch of this.#batches) {
      if (latest === undefined || batch.header.maxTimestamp > latest.header.maxTimestamp) latest = batch
    }
    if (latest === undefined) return undefined
    return firstAtOrAfter(latest, latest.header.maxTimestamp, this.#logStartOffset, this.#decompress)
  }

  /** Forgets what lies before `offset`; -1 means everything. Returns the new start of the log. */
  deleteRecords(offset: number): number {
    const target = offset === -1 ? this.highWatermark : offset
    if (target < 0 || target > this.highWatermark)
      throw new Refusal('OFFSET_OUT_OF_RANGE', `offset ${target} is not within the log`)
    if (target > this.#logStartOffset) {
      this.#journal?.logStartOffset(target)
      this.#trim(target)
    }
    return this.#logStartOffset
  }

  /** Ends the journal; the log itself is just left to the garbage collector. */
  close(): void {
    this.#journal?.close()
    this.#release(this.#batches)
  }

  #release(batches: readonly StoredBatch[]): void {
    for (const { header } of batches) this.#memory.release(header.sizeInBytes + BATCH_BYTES, 1)
  }

  /** Copies a batch to where it stays. It is no part of the log until `#add`. */
  #place(batch: Bytes, header: BatchHeader, baseOffset: number): StoredBatch {
    const { block, position } = this.#segments.add(batch)
    patchOffset(block.subarray(position, position + header.sizeInBytes), baseOffset, 0)
    const lastOffset = baseOffset + header.lastOffsetDelta
    return { header, baseOffset, lastOffset, block, position, bytesBefore: this.#bytesEver }
  }

  #reserve(header: BatchHeader): void {
    const bytes = header.sizeInBytes + BATCH_BYTES
    if (isControl(header)) this.#memory.take(bytes, 1)
    else this.#memory.reserve(bytes, 1)
  }

  /** Journal before memory: what cannot be written was never appended. */
  #write(stored: StoredBatch): void {
    try {
      this.#journal?.append(bytesOf(stored))
    } catch (error) {
      this.#segments.takeBack(stored)
      this.#memory.release(stored.header.sizeInBytes + BATCH_BYTES, 1)
      throw error
    }
  }

  #add(stored: StoredBatch): void {
    this.#batches.push(stored)
    this.#bytesEver += stored.header.sizeInBytes
    this.#logEndOffset = stored.lastOffset + 1
    this.#remember(stored)
  }

  #remember(stored: StoredBatch): void {
    const { header, baseOffset, lastOffset } = stored
    if (header.producerId === NO_PRODUCER_ID) return
    if (!isControl(header)) {
      this.producers.appended(header, baseOffset, isTransactional(header))
      return
    }
    const firstOffset = this.producers.ended(header)
    if (markerOutcome(bytesOf(stored)) === false && firstOffset !== undefined)
      this.#aborted.push({ producerId: header.producerId, firstOffset, lastOffset })
  }

  #trim(logStartOffset: number): void {
    this.#logStartOffset = logStartOffset
    const kept = this.#indexOf(logStartOffset)
    this.#release(this.#batches.splice(0, kept))
    const gone = this.#aborted.findIndex((transaction) => transaction.lastOffset >= logStartOffset)
    this.#aborted.splice(0, gone < 0 ? this.#aborted.length : gone)
  }

  /** The index of the batch that holds `offset`, or of the first behind it. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

export interface LogRead {
  readonly chunks: readonly Bytes[]
  readonly sizeInBytes: number
  /** The offset behind the last batch read. */
  readonly nextOffset: number
}
