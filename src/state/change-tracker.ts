import type { Bytes } from '../base/bytes.ts'

/**
 * The write-back cache, as far as it is about what changed: a row stands in the list of changes once, however often it
 * was put, and is serialised only when the list is flushed. Its changes then go the way of decision 4: to the changelog,
 * and, once that is committed, to the disk if there is one.
 *
 * Rows leave in the order of their first change since the last flush.
 */
export interface TrackedRow {
  /** Changed since the last flush. */
  dirty: boolean
  /** The changelog's last record of this row holds a value, as far as is known. */
  logged: boolean
  /** Expired: nobody asks for it any more. */
  gone: boolean
}

/** What a flush made of a row, and the disk shall hold. */
export interface SavedRow {
  /** Null deletes. */
  readonly value: Bytes | null
  readonly timestamp: number
}

export interface TrackedTable<R extends TrackedRow> {
  /** Serialises a row, and gives it to the changelog where that is due. */
  readonly log: (row: R) => SavedRow
  /** A flushed row that no disk will ask for again: a deleted one may be forgotten. */
  readonly settle: (row: R) => void
}

export interface CacheOptions {
  /** About how many bytes of unflushed changes a store holds before it flushes of its own accord. */
  readonly cacheBytes?: number | undefined
}

export class ChangeTracker<R extends TrackedRow> {
  readonly #table: TrackedTable<R>
  readonly #durable: boolean
  readonly #cacheBytes: number
  #changes: R[] = []
  /** Serialised size of a row, as the last flushes found it. */
  #rowBytes = 64
  /** Flushed early, by the cache's bound: part of the next commit. */
  #early = new Map<R, SavedRow>()
  /** Flushed for the commit under way. */
  #sealed = new Map<R, SavedRow>()
  /** Committed, but not yet on disk. */
  #committed = new Map<R, SavedRow>()

  constructor(table: TrackedTable<R>, durable: boolean, { cacheBytes = 16 * 1024 * 1024 }: CacheOptions) {
    this.#table = table
    this.#durable = durable
    this.#cacheBytes = cacheBytes
  }

  /** How many committed rows wait for the disk. */
  get committedCount(): number {
    return this.#committed.size
  }

  touch(row: R): void {
    if (row.dirty) return
    row.dirty = true
    this.#changes.push(row)
    if (this.#changes.length * this.#rowBytes > this.#cacheBytes) this.#flushChanges()
  }

  /** A row that went to the changelog at once. */
  save(row: R, saved: SavedRow): void {
    if (this.#durable) this.#early.set(row, saved)
  }

  flush(): void {
    this.#flushChanges()
    if (!this.#durable || this.#early.size === 0) return
    // What came and expired between two commits never reaches the disk.
    for (const row of this.#early.keys()) if (row.gone) this.#early.delete(row)
    this.#sealed = merged(this.#sealed, this.#early)
    this.#early = new Map()
  }

  /** What was flushed is committed. */
  commit(): void {
    if (this.#sealed.size === 0) return
    this.#committed = merged(this.#committed, this.#sealed)
    this.#sealed = new Map()
  }

  /** The committed rows, which are on disk when this returns to whoever took them. */
  takeCommitted(): ReadonlyMap<R, SavedRow> {
    const taken = this.#committed
    this.#committed = new Map()
    return taken
  }

  /** True where nothing about the row waits to be flushed or written, so that the cache may forget it. */
  isClean(row: R): boolean {
    return !row.dirty && !this.#early.has(row) && !this.#sealed.has(row) && !this.#committed.has(row)
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
  }

  #flushRow(row: R): number {
    if (row.gone) return 0
    const saved = this.#table.log(row)
    row.dirty = false
    if (this.#durable) this.#early.set(row, saved)
    else this.#table.settle(row)
    return rowOverheadBytes + (saved.value?.length ?? 0)
  }
}

const rowOverheadBytes = 64

/** `newer` over `older`; the larger map is kept, as most commits change few rows. */
const merged = <R>(older: Map<R, SavedRow>, newer: Map<R, SavedRow>): Map<R, SavedRow> => {
  if (older.size === 0) return newer
  for (const [row, saved] of newer) older.set(row, saved)
  return older
}
