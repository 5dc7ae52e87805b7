import type { Bytes } from '../base/bytes.ts'
import type { Cursor } from './sorted-list.ts'

/**
 * What a store asks of a disk: ordered bytes, of which LMDB is one. Stores in memory have none, so this page is all that
 * they share with those that do.
 */
export interface DiskTable {
  get(key: Bytes): Bytes | undefined
  /** Entries from `from` (or behind it) to `to`, both inclusive; undefined is the end of the table. At most `limit`. */
  page(range: DiskRange, limit: number): readonly DiskEntry[]
  /** Puts a value, or removes the entry for undefined; both are copied. Valid while a batch is open only. */
  set(key: Bytes, value: Bytes | undefined): void
  count(): number
}

export interface DiskRange {
  readonly from: Bytes | undefined
  readonly to: Bytes | undefined
  /** Leaves out an entry that is exactly at the side the walk comes from. */
  readonly exclusive: boolean
  readonly reverse: boolean
}

export interface DiskEntry {
  readonly key: Bytes
  readonly value: Bytes
}

/** What a store has to know of itself, beside its rows, when it is opened again. */
export interface DiskState extends Observations {
  readonly changelogOffset: number
}

/** The changelog that a store was made from, and until when it is known to hold all of it. */
export interface StoreOrigin {
  /** Undefined where the brokers give topics no ids. */
  readonly topicId: string | undefined
  /** The last time by the clock at which the store was at the end of its changelog. */
  readonly caughtUpMs: number
}

/** What is noted of a store on disk; state of earlier versions has no origin. */
export interface StoredState {
  readonly changelogOffset: number
  /** Some rows are of a later time, up to this offset: a batch was not finished. */
  readonly aheadOffset?: number | undefined
  readonly origin: StoreOrigin | undefined
}

export interface Observations {
  /** The largest time ever put, where retention goes by it. */
  readonly observedMs?: number | undefined
  /** Rows up to this time are let go. */
  readonly freedUpToMs?: number | undefined
  /** The last sequence number given. */
  readonly sequence?: number | undefined
}

/** A part of what is committed is written: `state` is what the disk holds once the batch is whole. */
export interface WrittenPart {
  readonly state: DiskState
  readonly isWhole: boolean
}

/** Writes what is committed until `isOver`; called again, it goes on with the same batch. */
export type WriteCommitted = (isOver: () => boolean) => WrittenPart

/** The part of a disk that belongs to one store. */
export interface Disk {
  readonly rows: DiskTable
  /** For stores that are also read by time. */
  readonly byTime: DiskTable
  readonly state: DiskState | undefined
  /** Writes what is committed with the next batch that is due, or begins it now; `waiting` rows are a reason to be due. */
  persist(waiting: number): void
  /** Runs `write` and notes the state it returns, in one atomic batch. */
  write(write: () => DiskState): void
  /** Says how to write what is committed: the disk calls it with a batch open. */
  attach(write: WriteCommitted): void
  close(): void
}

/**
 * The entries of a range, one by one. They are read in pages, so that no read transaction stays open between two of them;
 * what is written to the disk meanwhile may be missing from the page that was read before.
 */
export class DiskCursor implements Cursor<DiskEntry> {
  readonly #table: DiskTable
  #rest: DiskRange
  // The first page is small: many walks end at their first entries.
  #limit = 16
  #page: readonly DiskEntry[] = []
  #index = 0
  #isOver = false

  constructor(table: DiskTable, range: DiskRange) {
    this.#table = table
    this.#rest = range
  }

  peek(): DiskEntry | undefined {
    if (this.#index === this.#page.length && !this.#isOver) this.#readPage()
    return this.#page[this.#index]
  }

  advance(): void {
    this.#index++
  }

  #readPage(): void {
    this.#page = this.#table.page(this.#rest, this.#limit)
    this.#index = 0
    this.#isOver = this.#page.length < this.#limit
    this.#limit = 256
    const last = this.#page.at(-1)
    if (last === undefined) return
    const bound = this.#rest.reverse ? { to: last.key } : { from: last.key }
    this.#rest = { ...this.#rest, ...bound, exclusive: true }
  }
}

export function* entriesOf(table: DiskTable, range: DiskRange): Generator<DiskEntry, void> {
  const cursor = new DiskCursor(table, range)
  for (let entry = cursor.peek(); entry !== undefined; entry = cursor.peek()) {
    cursor.advance()
    yield entry
  }
}
