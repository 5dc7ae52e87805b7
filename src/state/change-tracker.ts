import type { Bytes } from '../base/bytes.ts'

/**
 * The write-back cache, as far as it is about what changed: a row stands in the list of changes once, however often it
 * was put, and is serialised only when the list is flushed. Its changes then go the way of decision 4: to the changelog,
 * and, once that is committed, to the disk if there is one.
 *
 * Rows leave in the order of their first change since the last flush.
 */
export interface TrackedRow {
  /** Of the last put. */
  readonly timestamp: number
  /** Changed since the last flush. */
  dirty: boolean
  /** The changelog's last record of this row holds a value, as far as is known. */
  logged: boolean
  /** Expired: no reader needs it any more. */
  gone: boolean
  /** How many flushes of it are on their way to the disk. */
  pending: number
  /** Where it stands among the committed rows that wait for the disk; -1 where it does not. */
  waitingAt: number
}

/** What a flush made of a row, and what the disk then holds. */
export interface SavedRow {
  /** Null deletes. */
  readonly value: Bytes | null
  readonly timestamp: number
}

/** Numbers and text are kept as they are and serialised again for the disk: a million small byte arrays cost more. */
export type SavedValue = Bytes | string | number | bigint | boolean | null

/** True where a value cannot change after it was put. */
export const isKeptAsItIs = (value: unknown): value is string | number | bigint | boolean =>
  typeof value !== 'object' && value !== undefined

export interface TrackedTable<R extends TrackedRow> {
  /**
   * Serialises a row, gives it to the changelog where that is due, and returns what the disk then holds: null where the row
   * is deleted, else its value as bytes, or as it is where it cannot change.
   */
  readonly log: (row: R) => SavedValue
  /** A flushed row that no disk will ask for again: a deleted one may be forgotten. */
  readonly settle: (row: R) => void
}

export interface CacheOptions {
  /**
   * About how many bytes a store may take for its cache: of unflushed changes before it flushes of its own accord, and of
   * rows that are on disk too. A function where it changes.
   */
  readonly cacheBytes?: number | (() => number) | undefined
}

/** How many bytes a cache may take now. */
export const cacheBytesOf = ({ cacheBytes = defaultCacheBytes }: CacheOptions): number =>
  typeof cacheBytes === 'number' ? cacheBytes : cacheBytes()

/** What RocksDB would take for its block cache, about: that is 50 MB for each store of a task. */
const defaultCacheBytes = 64 * 1024 * 1024

export class ChangeTracker<R extends TrackedRow> {
  readonly #table: TrackedTable<R>
  readonly #durable: boolean
  readonly #options: CacheOptions
  /** So many changes are flushed early. */
  #flushAbove: number
  readonly #changes = new RowList<R>()
  /** Serialised size of a row, as the last flushes found it. */
  #rowBytes = 64
  /** Of the rows of this flush. */
  #flushedBytes = 0
  /** Flushed early, by the cache's bound: part of the next commit. */
  #early = new SavedRows<R>()
  /** Flushed for the commits under way. */
  #sealed: SavedRows<R>[] = []
  /** Those of the batch that is being written, and how many of them are. */
  #writing = new SavedRows<R>()
  #writtenCount = 0
  /** Committed since that began, but not yet on disk: each row once. */
  #committed = new SavedRows<R>()
  /** Empty ones, to be filled again. */
  readonly #spare: SavedRows<R>[] = []

  constructor(table: TrackedTable<R>, durable: boolean, options: CacheOptions) {
    this.#table = table
    this.#durable = durable
    this.#options = options
    this.#flushAbove = cacheBytesOf(options) / this.#rowBytes
  }

  /** How many committed rows wait for the disk. */
  get committedCount(): number {
    return this.#committed.rows.length + this.#writing.rows.length - this.#writtenCount
  }

  touch(row: R): void {
    if (row.dirty) return
    row.dirty = true
    this.#changes.push(row)
    if (this.#changes.length > this.#flushAbove) this.#flushChanges()
  }

  flush(): void {
    this.#flushChanges()
    this.#flushAbove = cacheBytesOf(this.#options) / this.#rowBytes
    if (this.#early.rows.length === 0) return
    this.#sealed.push(this.#early)
    this.#early = this.#spare.pop() ?? new SavedRows()
  }

  /** What was flushed is committed. */
  commit(): void {
    for (const flushed of this.#sealed) {
      this.#join(flushed)
      flushed.clear()
      this.#spare.push(flushed)
    }
    this.#sealed = []
  }

  /**
   * Hands over the committed value of each row, which is on disk when this returns, until `isOver`. Returns true once that
   * is all of a batch; rows that are committed meanwhile belong to the next.
   */
  writeCommitted(
    write: (row: R, value: SavedValue, timestamp: number) => void,
    isOver: () => boolean,
  ): boolean {
    if (this.#writing.rows.length === 0) this.#beginBatch()
    const { rows, values, timestamps } = this.#writing
    while (this.#writtenCount < rows.length) {
      const index = this.#writtenCount++
      const row = rows.at(index)
      row.pending--
      write(row, values[index] as SavedValue, timestamps[index] as number)
      if (this.#writtenCount % rowsBetweenLooks === 0 && isOver()) return false
    }
    this.#writing.clear()
    this.#writtenCount = 0
    return true
  }

  /** True where nothing about the row waits to be flushed or written, so that the cache may forget it. */
  isClean(row: R): boolean {
    return !row.dirty && row.pending === 0
  }

  #beginBatch(): void {
    const { rows } = this.#committed
    for (let index = 0; index < rows.length; index++) rows.at(index).waitingAt = -1
    ;[this.#writing, this.#committed] = [this.#committed, this.#writing]
  }

  /** A row that waits already is written once, as the later commit left it. */
  #join({ rows, values, timestamps }: SavedRows<R>): void {
    const waiting = this.#committed
    for (let index = 0; index < rows.length; index++) {
      const row = rows.at(index)
      const at = row.waitingAt
      if (at < 0) {
        row.waitingAt = waiting.rows.length
        waiting.add(row, values[index] as SavedValue, timestamps[index] as number)
      } else {
        waiting.values[at] = values[index] as SavedValue
        waiting.timestamps[at] = timestamps[index] as number
        row.pending--
      }
    }
  }

  #flushChanges(): void {
    const changes = this.#changes
    const { length } = changes
    if (length === 0) return
    let done = 0
    this.#flushedBytes = 0
    try {
      for (; done < length; done++) this.#flushRow(changes.at(done))
    } finally {
      // A row that cannot be serialised stays the first of the changes, and those behind it are not lost.
      changes.removeFirst(done)
    }
    this.#estimate(length)
  }

  /** On its own: in the loop above, V8 takes the quotient for a whole number, and compiles it again after each flush. */
  #estimate(flushed: number): void {
    this.#rowBytes = Math.max(rowOverheadBytes, (this.#rowBytes + this.#flushedBytes / flushed) / 2)
    this.#flushAbove = cacheBytesOf(this.#options) / this.#rowBytes
  }

  #flushRow(row: R): void {
    if (row.gone) return
    const saved = this.#table.log(row)
    row.dirty = false
    if (this.#durable) {
      row.pending++
      this.#early.add(row, saved, row.timestamp)
    } else this.#table.settle(row)
    const isSized = saved instanceof Uint8Array || typeof saved === 'string'
    this.#flushedBytes += rowOverheadBytes + (isSized ? saved.length : 8)
  }
}

/**
 * Rows in a list that is emptied and filled again: its array stays, as one that grows again with each commit is, at each of
 * its sizes, a large object for the collector.
 */
class RowList<R> {
  readonly #rows: (R | undefined)[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  at(index: number): R {
    return this.#rows[index] as R
  }

  push(row: R): void {
    this.#rows[this.#length++] = row
  }

  /** Forgets the first so many rows. */
  removeFirst(count: number): void {
    const used = this.#length
    this.#length -= count
    this.#rows.copyWithin(0, count, used)
    if (isTooLarge(this.#rows, used)) this.#rows.length = this.#length
    else this.#rows.fill(undefined, this.#length, used)
  }
}

/** Rows as a flush found them: columns, as an object for each would live just long enough to be expensive. */
class SavedRows<R> {
  readonly rows = new RowList<R>()
  readonly values: SavedValue[] = []
  readonly timestamps: number[] = []

  add(row: R, value: SavedValue, timestamp: number): void {
    this.values[this.rows.length] = value
    this.timestamps[this.rows.length] = timestamp
    this.rows.push(row)
  }

  clear(): void {
    const used = this.rows.length
    if (isTooLarge(this.values, used)) this.values.length = this.timestamps.length = 0
    else this.values.fill(0, 0, used)
    this.rows.removeFirst(used)
  }
}

/** A burst of changes is not paid for with memory forever. */
const isTooLarge = ({ length }: readonly unknown[], used: number): boolean =>
  length > 4_096 && used * 64 < length

const rowOverheadBytes = 64

/** Writing a row takes some two microseconds, and asking whether time is over a tenth of one. */
export const rowsBetweenLooks = 32
