import type { Clock } from '../../base/clock.ts'
import type { BatchSlices, RecordSlice } from '../record-batch/batch-slices.ts'
import type { FetchedBatch } from './fetched-batch.ts'
import type { PartitionState, ReadyBatch } from './partition-state.ts'

export interface ReadyBatchesOptions {
  readonly clock: Clock
  /** The most that is handed over at once, a single larger slice excepted. */
  readonly maxBytes: number
  /** A batch of the partition cannot be read; what was read before it is handed over. */
  readonly onUnreadable: (state: PartitionState, error: unknown) => void
}

/**
 * What has been fetched and not been handed over yet, and the one reader that waits for it. Batches are decompressed when
 * they are handed over: in turns over the partitions, and so much at a time that neither memory nor the event loop suffers.
 */
export class ReadyBatches {
  readonly #options: ReadyBatchesOptions
  readonly #maxUnpackedBytes: number
  /** By partition, which comes first whose turn is next. */
  readonly #queues = new Map<PartitionState, ReadyBatch[]>()
  #bytes = 0
  /** What was decompressed for the reader, who has it in hand until it comes again. */
  #unpackedBytes = 0
  #fault: unknown
  #isWoken = false
  #wake: (() => void) | undefined

  constructor(options: ReadyBatchesOptions) {
    this.#options = options
    this.#maxUnpackedBytes = Math.min(maxUnpackedBytes, options.maxBytes / 2)
  }

  /**
   * True where enough is in memory, as it was fetched or decompressed, and some of it can be handed over: what waits for
   * paused partitions must not keep the others from being fetched, for which they may be paused.
   */
  get isFull(): boolean {
    return this.#bytes + this.#unpackedBytes >= this.#options.maxBytes && this.#heads().length > 0
  }

  add(ready: ReadyBatch): void {
    const queue = this.#queues.get(ready.state)
    if (queue === undefined) this.#queues.set(ready.state, [ready])
    else queue.push(ready)
    this.#bytes += ready.sizeInBytes
    ready.state.bufferedBytes += ready.sizeInBytes
    this.#wake?.()
  }

  /** Ends the reader's wait with a fault; the first one counts. */
  fail(fault: unknown): void {
    this.#fault ??= fault
    this.#wake?.()
  }

  /** Ends the reader's wait, or its next one. */
  wakeup(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  /** Ends the reader's wait where it waits: what is ready of a paused partition can be handed over now. */
  resumed(): void {
    this.#wake?.()
  }

  drop(isGone: (state: PartitionState) => boolean): void {
    for (const [state, queue] of this.#queues)
      if (isGone(state)) for (const ready of [...queue]) this.#removeFirst(ready)
  }

  /** The offset of the first record of a partition that waits to be handed over. */
  firstOffset(of: PartitionState): number | undefined {
    return this.#queues.get(of)?.[0]?.slices.firstOffset
  }

  /** The reader is done with what it got. */
  handled(): void {
    this.#unpackedBytes = 0
  }

  /** What is ready, or what comes within `maxWaitMs`. */
  async take(maxWaitMs: number): Promise<readonly FetchedBatch[]> {
    if (this.#fault === undefined && !this.#isWoken && maxWaitMs > 0 && this.#heads().length === 0)
      await this.#wait(maxWaitMs)
    this.#isWoken = false
    this.#throwFault()
    const batches = await this.#handOver()
    if (batches.length === 0) this.#throwFault()
    return batches
  }

  async #handOver(): Promise<readonly FetchedBatch[]> {
    const batches: FetchedBatch[] = []
    let bytes = 0
    const isFull = (): boolean =>
      bytes >= this.#options.maxBytes || this.#unpackedBytes >= this.#maxUnpackedBytes
    for (let heads = this.#heads(); heads.length > 0 && !isFull(); heads = this.#heads()) {
      let mayBegin = this.#mayBegin()
      for (const ready of heads) {
        if (isFull()) break
        if (heads.length > 1 && !ready.slices.isBegun && !mayBegin) continue
        const batch = await this.#next(ready)
        // Only a batch that is read in parts has a decompressor.
        if (ready.slices.isBegun) mayBegin = this.#mayBegin()
        if (batch === undefined) continue
        batches.push(batch)
        bytes += ready.sizeInBytes
      }
    }
    return batches
  }

  /** The next records of a response; undefined where they cannot be read, or are not wanted any more. */
  async #next(ready: ReadyBatch): Promise<FetchedBatch | undefined> {
    const { state, slices, place } = ready
    try {
      const next = slices.next()
      const { columns, nextOffset, unpackedBytes } = isLater(next) ? await next : next
      if (!this.#isFirst(ready)) return undefined
      this.#unpackedBytes += unpackedBytes
      if (slices.isDone) this.#removeFirst(ready)
      else this.#moveBack(state)
      return { ...place, columns, nextOffset }
    } catch (error) {
      if (!this.#isFirst(ready)) return undefined
      this.drop((each) => each === state)
      this.#options.onUnreadable(state, error)
      return undefined
    }
  }

  /** The first response of each partition that is not paused. Of those that were begun, some are read to their ends first. */
  #heads(): readonly ReadyBatch[] {
    if (this.#queues.size === 0) return noHeads
    const heads: ReadyBatch[] = []
    for (const [{ isPaused }, [first]] of this.#queues)
      if (!isPaused && first !== undefined) heads.push(first)
    if (this.#mayBegin()) return heads
    const begun = heads.filter(({ slices }) => slices.isBegun)
    // Where all that were begun are paused, they may be paused for one that was not.
    return begun.length > 0 ? begun : heads.slice(0, 1)
  }

  /** False where so many decompressors are at work, or with so much memory, that they come to their ends first. */
  #mayBegin(): boolean {
    let begun = 0
    let workingBytes = 0
    for (const [first] of this.#queues.values())
      if (first?.slices.isBegun === true) {
        begun++
        workingBytes += first.slices.workingBytes
      }
    return begun < maxBegun && workingBytes < maxWorkingBytes
  }

  #isFirst(ready: ReadyBatch): boolean {
    return this.#queues.get(ready.state)?.[0] === ready
  }

  /** Others come first next time. */
  #moveBack(state: PartitionState): void {
    const queue = this.#queues.get(state) as ReadyBatch[]
    this.#queues.delete(state)
    this.#queues.set(state, queue)
  }

  #removeFirst({ state, slices, sizeInBytes }: ReadyBatch): void {
    const queue = this.#queues.get(state)
    queue?.shift()
    if (queue?.length === 0) this.#queues.delete(state)
    this.#bytes -= sizeInBytes
    state.bufferedBytes -= sizeInBytes
    slices.close()
  }

  #throwFault(): void {
    if (this.#fault === undefined) return
    const fault = this.#fault
    this.#fault = undefined
    throw fault
  }

  #wait(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        this.#wake = undefined
        resolve()
      }
      const cancel = this.#options.clock.setTimer(finish, maxWaitMs)
      this.#wake = finish
    })
  }
}

const noHeads: readonly ReadyBatch[] = []
/** The most that is decompressed at once: some tens of milliseconds. */
const maxUnpackedBytes = 8_388_608
/** How many responses are read in turns: a large batch has a decompressor, with its memory, as long as it is read. */
const maxBegun = 8
/** Of their memory. A zstd batch of the usual levels takes 2 to 8 MB; one that asks for the most, 128 MB. */
const maxWorkingBytes = 33_554_432

const isLater = (slice: ReturnType<BatchSlices['next']>): slice is Promise<RecordSlice> =>
  slice instanceof Promise
