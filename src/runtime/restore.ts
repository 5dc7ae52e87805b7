import { Fault } from '../base/fault.ts'
import { nextIteration } from '../base/next-iteration.ts'
import { restoreFailed } from './restore-failure.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { FetchedBatch } from '../kafka/fetch/fetched-batch.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StateStore } from '../state/store.ts'
import { latestByKey } from '../topic/latest-by-key.ts'
import type { RecordColumns } from '../topic/record-columns.ts'

/** One store to bring up to the end of its changelog partition. */
export interface Restoration {
  readonly store: StateStore
  readonly topic: string
  readonly partition: number
  /**
   * Where to stop: where a topic of the world serves as the changelog, what is beyond the committed offset is yet to be
   * processed. Defaults to the end of the partition.
   */
  readonly upToOffset?: number | undefined
}

/** The progress of restoring one store from its changelog topic. */
export interface RestoreProgress {
  readonly store: string
  readonly partition: number
  /** Where the state that was found left off, and where it will be ready. */
  readonly startingOffset: number
  readonly endingOffset: number
  readonly restoredRecords: number
  /** Records between what is restored and the end; 0 when the store is ready. */
  readonly remainingRecords: number
  /** As measured since this restoration began. */
  readonly recordsPerSecond: number
  /** How long the rest takes at that rate; undefined while there is no rate. */
  readonly remainingMs: number | undefined
}

export type ReadableRows = (restoration: Restoration, columns: RecordColumns) => RecordColumns

export interface RestorerOptions {
  /** Leaves out the rows that a source topic's serdes do not read, where it serves as the changelog; throws by its policy. */
  readonly readableRows?: ReadableRows | undefined
  readonly cluster: Cluster
  readonly checkCrcs?: boolean | undefined
  readonly onProgress?: (progress: RestoreProgress) => void
  /** So many records have been restored just now. */
  readonly onRestored?: (records: number) => void
}

interface Running extends Restoration {
  readonly startOffset: number
  position: number
  readonly endOffset: number
  restoredRecords: number
  readonly startedMs: number
  /** Distinguishes what was fetched for it from what was fetched for one that has been stopped. */
  readonly epoch: number
  /** Its task's other stores that are under way. */
  readonly together: Together
  /** Fetched, not yet applied. */
  held: Held[]
}

type Found = Omit<Running, 'together' | 'epoch' | 'held'>

/** A batch of the changelog, without what is beyond the end of the restoration. */
interface Held {
  readonly columns: RecordColumns
  readonly nextOffset: number
}

interface Together {
  readonly places: Set<string>
  readonly done: (error?: unknown) => void
}

/**
 * Brings stores up to the end of their changelogs, all of them at once over one fetcher, beside whatever else goes on:
 * between two batches everybody else gets a turn. Batches are gathered, up to a bound, before they are applied: of a key
 * that changes often, the store then sees the last record only.
 *
 * The end is the offset of the last record when the restoration begins: no producer writes to these partitions meanwhile, as
 * their task is ours. Control records and compacted offsets count by position, so a changelog that ends in a marker is
 * finished too.
 *
 * The end counts open transactions in, and the restoration waits for them: behind the records of an owner that died or
 * hangs may lie final ones of an owner after it.
 */
export class Restorer {
  readonly #options: RestorerOptions
  readonly #fetcher: Fetcher
  readonly #pending = new Map<string, Running>()
  #isReading = false
  #epoch = 0

  constructor(options: RestorerOptions) {
    this.#options = options
    this.#fetcher = new Fetcher({
      cluster: options.cluster,
      name: 'restore',
      offsetReset: 'earliest',
      isolation: 'read_committed',
      checkCrcs: options.checkCrcs,
      onReset: (fault) => this.#reset(fault),
    })
  }

  /** Resolves when all these stores are at the end, or when the signal says to stop: what was restored is kept. */
  async restore(restorations: readonly Restoration[], signal: AbortSignal): Promise<void> {
    if (restorations.length === 0 || signal.aborted) return
    const found = await this.#find(restorations)
    if (signal.aborted) return
    await new Promise<void>((resolve, reject) => {
      const done = (error?: unknown): void => {
        signal.removeEventListener('abort', stop)
        this.#drop(together.places)
        if (error === undefined) resolve()
        else reject(error)
      }
      const stop = (): void => done()
      const together: Together = { places: new Set(), done }
      signal.addEventListener('abort', stop, { once: true })
      this.#begin(found, together)
    })
  }

  /** How many records of a changelog partition are still to be restored; 0 where none are known of. */
  remaining({ topic, partition }: TopicPartition): number {
    const running = this.#pending.get(partitionName(topic, partition))
    return running === undefined ? 0 : running.endOffset - running.position
  }

  close(): void {
    for (const { together } of [...this.#pending.values()]) together.done()
    this.#fetcher.close()
  }

  /** Where each store stands, and where its changelog begins and ends. */
  async #find(restorations: readonly Restoration[]): Promise<readonly Found[]> {
    const { cluster } = this.#options
    const places = restorations.map(({ topic, partition }) => ({ topic, partition }))
    const [ends, starts] = await Promise.all([
      listOffsets(
        cluster,
        places.map((each) => ({ ...each, at: 'latest' as const })),
      ),
      listOffsets(
        cluster,
        places.map((each) => ({ ...each, at: 'earliest' as const })),
      ),
    ])
    return restorations.map((each) => {
      const place = partitionName(each.topic, each.partition)
      const position = Math.max(each.store.changelogOffset(), starts.get(place)?.offset ?? 0)
      const endOffset = Math.min(ends.get(place)?.offset ?? 0, each.upToOffset ?? Infinity)
      const startedMs = cluster.clock.monotonicMs()
      return { ...each, startOffset: position, position, endOffset, restoredRecords: 0, startedMs }
    })
  }

  #begin(found: readonly Found[], together: Together): void {
    for (const each of found) {
      const running = { ...each, together, epoch: ++this.#epoch, held: [] }
      this.#report(running)
      if (running.position >= running.endOffset) continue
      const { topic, partition, position } = running
      this.#pending.set(partitionName(topic, partition), running)
      together.places.add(partitionName(topic, partition))
      this.#fetcher.add([{ topic, partition, offset: position }], running.epoch)
    }
    if (together.places.size === 0) together.done()
    else if (!this.#isReading) void this.#read()
  }

  /** Reads as long as there is something to restore. */
  async #read(): Promise<void> {
    this.#isReading = true
    try {
      while (this.#pending.size > 0) {
        const batches = await this.#fetcher.poll(pollWaitMs)
        const fed = new Set(batches.map((batch) => this.#hold(batch)))
        for (const each of this.#due(fed)) await this.#apply(each)
      }
    } catch (error) {
      for (const { together } of [...this.#pending.values()]) together.done(error)
    }
    this.#isReading = false
  }

  /** A changelog that was created again: the task is opened again, and its state is set aside then. */
  #reset(fault: Fault): void {
    const { topic, partition } = fault.place
    if (fault.code !== 'TOPIC_RECREATED' || topic === undefined || partition === undefined) return
    this.#pending.get(partitionName(topic, partition))?.together.done(fault)
  }

  #hold(batch: FetchedBatch): Running | undefined {
    const { topic, partition, generation, columns, nextOffset, logStartOffset } = batch
    const each = this.#pending.get(partitionName(topic, partition))
    if (each?.epoch !== generation) return undefined
    // What lies between is gone. The task is opened again, and its state is set aside then.
    const changelogOffset = each.store.changelogOffset()
    if (changelogOffset > 0 && changelogOffset < logStartOffset && each.position < logStartOffset) {
      each.together.done(truncated(each, logStartOffset))
      return undefined
    }
    each.held.push({ columns: upTo(each.endOffset, columns), nextOffset })
    return each
  }

  /** What is at its end, gets no more for now, or has to make room. */
  #due(fed: ReadonlySet<Running | undefined>): readonly Running[] {
    const holding = [...this.#pending.values()].filter(({ held }) => held.length > 0)
    const isFull = holding.reduce((sum, { held }) => sum + bytesOf(held), 0) >= heldBytes
    const isAtEnd = ({ held, endOffset }: Running): boolean => (held.at(-1)?.nextOffset ?? 0) >= endOffset
    return holding.filter((each) => isFull || isAtEnd(each) || !fed.has(each))
  }

  async #apply(each: Running): Promise<void> {
    const place = partitionName(each.topic, each.partition)
    const { held } = each
    each.held = []
    const latest = this.#rowsOf(each, held)
    if (latest === undefined) return
    for (const [index, { columns, nextOffset }] of held.entries()) {
      if (this.#pending.get(place) !== each) return
      try {
        applyBatch(each, latest[index] as RecordColumns)
      } catch (error) {
        each.together.done(error)
        return
      }
      this.#applied(each, columns.count, nextOffset)
      await nextIteration()
    }
  }

  /** What is applied of these batches; undefined where a row of a source topic fails. */
  #rowsOf(each: Running, held: readonly Held[]): readonly RecordColumns[] | undefined {
    const { readableRows } = this.#options
    try {
      const batches = held.map(({ columns }) => readableRows?.(each, columns) ?? columns)
      return each.store.keepsLatest ? latestByKey(batches) : batches
    } catch (error) {
      each.together.done(error)
      return undefined
    }
  }

  #applied(each: Running, records: number, nextOffset: number): void {
    each.restoredRecords += records
    this.#options.onRestored?.(records)
    each.position = Math.min(nextOffset, each.endOffset)
    this.#report(each)
    if (each.position < each.endOffset) return
    const place = partitionName(each.topic, each.partition)
    this.#drop(new Set([place]))
    each.together.places.delete(place)
    if (each.together.places.size === 0) each.together.done()
  }

  #drop(places: ReadonlySet<string>): void {
    for (const place of places) {
      const running = this.#pending.get(place)
      if (running === undefined) continue
      this.#pending.delete(place)
      this.#fetcher.remove([running])
    }
    if (this.#pending.size === 0) this.#fetcher.wakeup()
  }

  #report(running: Running): void {
    this.#options.onProgress?.(progressOf(running, this.#options.cluster.clock.monotonicMs()))
  }
}

const pollWaitMs = 500
/** What all restorations may buffer in all, before it is applied. */
const heldBytes = 16_777_216

const bytesOf = (held: readonly Held[]): number =>
  held.reduce((sum, { columns }) => sum + columns.buffer.length, 0)

/** The records of a batch before an offset. */
const upTo = (endOffset: number, columns: RecordColumns): RecordColumns => {
  const { offsets, count } = columns
  if (count === 0 || (offsets[count - 1] as number) < endOffset) return columns
  return { ...columns, count: offsets.subarray(0, count).findIndex((offset) => offset >= endOffset) }
}

const applyBatch = (each: Running, columns: RecordColumns): void => {
  try {
    each.store.restore(columns)
  } catch (cause) {
    const { store, topic, partition, position } = each
    throw restoreFailed(store.name, { topic, partition, offset: position, store: store.name }, cause)
  }
}

const truncated = ({ topic, partition, position, store }: Running, logStartOffset: number): Fault =>
  new Fault({
    code: 'CHANGELOG_TRUNCATED',
    actor: 'retry',
    message: `the changelog begins at offset ${logStartOffset} by now, and store '${store.name}' had not read that far`,
    place: { topic, partition, offset: position, store: store.name },
  })

const progressOf = (
  { store, partition, restoredRecords, startOffset, endOffset, position, startedMs }: Running,
  nowMs: number,
): RestoreProgress => {
  const remainingRecords = Math.max(0, endOffset - position)
  const recordsPerSecond = restoredRecords / (Math.max(1, nowMs - startedMs) / 1_000)
  return {
    store: store.name,
    partition,
    startingOffset: startOffset,
    endingOffset: endOffset,
    restoredRecords,
    remainingRecords,
    recordsPerSecond,
    remainingMs: recordsPerSecond === 0 ? undefined : (remainingRecords / recordsPerSecond) * 1_000,
  }
}
