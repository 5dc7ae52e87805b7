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
  /** Expired: nobody asks for it any more. */
  gone: boolean
  /** How many flushes of it are on their way to the disk. */
  pending: number
  /** Where it stands among the committed rows that wait for the disk; -1 where it does not. */
  waitingAt: number
}

/** What a flush made of a row, and the disk shall hold. */
export interface SavedRow {
  /** Null deletes. */
  readonly value: Bytes | null
  readonly timestamp: number
}

/** Numbers and text are kept as they are and serialised again for the disk: a million small byte arrays cost more. */
export type SavedValue = Bytes | string | number | bigint | boolean | null

/** True where nobody can change a value after it was put. */
export const isKeptAsItIs = (value: unknown): value is string | number | bigint | boolean =>
  typeof value !== 'object' && value !== undefined

export interface TrackedTable<R extends TrackedRow> {
  /**
   * Serialises a row, gives it to the changelog where that is due, and returns what a disk shall hold: null where the row
   * is deleted, else its value as bytes, or as it is where nobody can change it.
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
  #changes: R[] = []
  /** Serialised size of a row, as the last flushes found it. */
  #rowBytes = 64
  /** Flushed early, by the cache's bound: part of the next commit. */
  #early = new Flushed<R>()
  /** Flushed for the commits under way. */
  #sealed: Flushed<R>[] = []
  /** Committed, but not yet on disk: each row once. */
  #committed = new Flushed<R>()

  constructor(table: TrackedTable<R>, durable: boolean, options: CacheOptions) {
    this.#table = table
    this.#durable = durable
    this.#options = options
    this.#flushAbove = cacheBytesOf(options) / this.#rowBytes
  }

  /** How many committed rows wait for the disk. */
  get committedCount(): number {
    return this.#committed.rows.length
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
    this.#early = new Flushed()
  }

  /** What was flushed is committed. */
  commit(): void {
    for (const flushed of this.#sealed) this.#join(flushed)
    this.#sealed = []
  }

  /** Hands over the last committed value of each row, which is on disk when this returns. */
  writeCommitted(write: (row: R, value: SavedValue, timestamp: number) => void): void {
    const { rows, values, timestamps } = this.#committed
    if (rows.length === 0) return
    this.#committed = new Flushed()
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as R
      row.waitingAt = -1
      row.pending--
      write(row, values[index] as SavedValue, timestamps[index] as number)
    }
  }

  /** True where nothing about the row waits to be flushed or written, so that the cache may forget it. */
  isClean(row: R): boolean {
    return !row.dirty && row.pending === 0
  }

  /** A row that waits already is written once, as the later commit left it. */
  #join({ rows, values, timestamps }: Flushed<R>): void {
    const waiting = this.#committed
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as R
      const at = row.waitingAt
      if (at < 0) {
        row.waitingAt = waiting.rows.length
        waiting.rows.push(row)
        waiting.values.push(values[index] as SavedValue)
        waiting.timestamps.push(timestamps[index] as number)
      } else {
        waiting.values[at] = values[index] as SavedValue
        waiting.timestamps[at] = timestamps[index] as number
        row.pending--
      }
    }
  }

  #flushChanges(): void {
    const changes = this.#changes
    if (changes.length === 0) return
    this.#changes = []
    let bytes = 0
    let done = 0
    try {
      for (; done < changes.length; done++) bytes += this.#flushRow(changes[done] as R)
    } finally {
      // A row that cannot be serialised stays the first of the changes, and those behind it are not lost.
      if (done < changes.length) this.#changes = [...changes.slice(done), ...this.#changes]
    }
    this.#rowBytes = Math.max(rowOverheadBytes, (this.#rowBytes + bytes / changes.length) / 2)
    this.#flushAbove = cacheBytesOf(this.#options) / this.#rowBytes
  }

  #flushRow(row: R): number {
    if (row.gone) return 0
    const saved = this.#table.log(row)
    row.dirty = false
    if (this.#durable) {
      row.pending++
      this.#early.rows.push(row)
      this.#early.values.push(saved)
      this.#early.timestamps.push(row.timestamp)
    } else this.#table.settle(row)
    return rowOverheadBytes + (saved instanceof Uint8Array || typeof saved === 'string' ? saved.length : 8)
  }
}

/** Rows as a flush found them: columns, as an object for each would live just long enough to be expensive. */
class Flushed<R> {
  readonly rows: R[] = []
  readonly values: SavedValue[] = []
  readonly timestamps: number[] = []
}

const rowOverheadBytes = 64
