import type { Bytes } from '../base/bytes.ts'
import { compareBytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { RawRegion } from '../topic/record.ts'
import { regionOf } from '../topic/record.ts'
import type { CacheOptions, SavedValue, TrackedRow } from './change-tracker.ts'
import { cacheBytesOf, ChangeTracker } from './change-tracker.ts'
import type { Disk, DiskEntry } from './disk.ts'
import { pagesOf } from './disk.ts'
import type { KeyId, KeyIdentity } from './key-identity.ts'
import { detach, exactId } from './key-identity.ts'
import { KeyIndex } from './key-index.ts'
import { diskKeyOf, RowPacker, timeOf } from './packed-rows.ts'
import type { RangeOptions } from './store.ts'
import type { Cursor } from './sorted-list.ts'
import { SortedList } from './sorted-list.ts'

/**
 * Rows by key: what a key-value store and a versioned store have in common.
 *
 * Rows lie in an index by key, which is all that getting and putting needs. The order of the serialised keys is made when the
 * first range is asked for, and kept up from then on. With a disk, the index is a cache: a row is either here, changed or
 * not, or there.
 */
export class TableRow<K, C> implements TrackedRow {
  readonly id: KeyId
  readonly key: K
  /** What the key holds now; never changed in place, so that readers may keep it. Null where it holds nothing. */
  current: C | null
  /** Of the last put: also of one that deleted. */
  timestamp = 0
  headers: Headers | undefined = undefined
  dirty = false
  logged = false
  readonly gone = false
  pending = 0
  waitingAt = -1
  /** Read or put since the cache last looked for rows to forget. */
  used = true
  private _bytes: Bytes | undefined

  constructor(id: KeyId, key: K, current: C | null, bytes?: Bytes) {
    this.id = id
    this.key = key
    this.current = current
    this._bytes = bytes
  }

  bytes(keys: KeyIdentity<K>): Bytes {
    return (this._bytes ??= detach(keys.bytesOf(this.key)))
  }
}

export interface RowTableOptions<K, C> extends CacheOptions {
  readonly keys: KeyIdentity<K>
  readonly disk: Disk | undefined
  /** False where nobody needs to know of changes. */
  readonly tracked: boolean
  readonly log: (row: TableRow<K, C>) => SavedValue
  /** What was saved of a row, as bytes that are valid until the next call. */
  readonly encode: (value: NonNullable<SavedValue>) => RawRegion
  /** What the disk holds for a key, as an object; a time of 64 bits stands before the value. */
  readonly decode: (packed: Bytes, key: Bytes) => C
}

export class RowTable<K, C> {
  readonly tracker: ChangeTracker<TableRow<K, C>>
  readonly #options: RowTableOptions<K, C>
  readonly #keys: KeyIdentity<K>
  readonly #disk: Disk | undefined
  readonly #rows = new KeyIndex<TableRow<K, C>>()
  readonly #packer = new RowPacker()
  /** The one that was last asked for: who gets a row puts it next. */
  #latest: TableRow<K, C> | undefined
  /** So many rows are a reason to look for some to forget. */
  #evictAbove: number
  #order: SortedList<TableRow<K, C>> | undefined
  #live = 0
  #evictions = 0

  constructor(options: RowTableOptions<K, C>) {
    this.#options = options
    this.#keys = options.keys
    this.#disk = options.disk
    this.#evictAbove = this.#cacheRows
    this.tracker = new ChangeTracker(
      { log: options.log, settle: (row) => this.#settle(row) },
      options.disk !== undefined,
      options,
    )
  }

  get #cacheRows(): number {
    return Math.max(4, cacheBytesOf(this.#options) / cachedRowBytes)
  }

  /** Rows that hold something, as far as they are in memory. */
  get liveCount(): number {
    return this.#live
  }

  get(key: K): C | null {
    return this.find(key)?.current ?? null
  }

  /** The row of a key, which may hold nothing. Its next put changes it: what is kept must be taken out. */
  find(key: K): TableRow<K, C> | undefined {
    const id = this.#keys.quickIdOf(key)
    return this.#known(id) ?? this.#seek(id, key, this.#disk !== undefined)
  }

  put(key: K, current: C | null, timestamp: number, headers?: Headers): void {
    const row = this.#rowOf(key)
    row.timestamp = timestamp
    row.headers = headers
    this.#change(row, current)
    if (this.#options.tracked) this.tracker.touch(row)
    else if (current === null) this.#settle(row)
  }

  /** Puts what the changelog already holds, into memory. */
  restore(key: K, current: C | null, timestamp: number): void {
    const row = this.#rowOf(key)
    row.timestamp = timestamp
    this.#change(row, current)
    row.logged = current !== null
    if (current === null) this.#settle(row)
  }

  /** Forgets what was read, as the disk knows better now. Only where nothing is unsaved. */
  forgetClean(): void {
    this.#rows.sweep((row) => this.#forgets(row))
  }

  /** Walks the rows from one serialised key to another, both inclusive. */
  *walk(
    from: Bytes | undefined,
    to: Bytes | undefined,
    { reverse = false }: RangeOptions = {},
  ): Generator<LiveRow<K, C>, void> {
    const start = reverse ? to : from
    const end = reverse ? from : to
    const sign = reverse ? -1 : 1
    const compare = (left: TableRow<K, C>, right: TableRow<K, C>): number => sign * this.#compare(left, right)
    const memory = this.#ordered().cursor(
      start === undefined ? undefined : (row) => compareBytes(row.bytes(this.#keys), start),
      reverse,
    )
    let disk = this.#diskRows(start, end, false, reverse)
    let evictions = this.#evictions
    for (;;) {
      const row = nextOf(memory, disk, compare)
      if (row === undefined) return
      const bytes = row.bytes(this.#keys)
      if (end !== undefined && sign * compareBytes(bytes, end) > 0) return
      // A row of a page may have been loaded and changed since the page was read.
      const now = this.#rows.get(row.id) ?? row
      if (isLive(now)) yield now
      if (evictions === this.#evictions) continue
      // What was forgotten meanwhile is on disk only, and no page has it yet.
      evictions = this.#evictions
      disk = this.#diskRows(bytes, end, true, reverse)
    }
  }

  /** Walks the rows whose serialised keys begin with `prefix`. */
  *walkPrefix(prefix: Bytes): Generator<LiveRow<K, C>, void> {
    for (const row of this.walk(prefix, undefined)) {
      if (!startsWith(row.bytes(this.#keys), prefix)) return
      yield row
    }
  }

  /** Writes the committed rows into the batch that the disk has open. */
  writeCommitted(disk: Disk): void {
    const packer = this.#packer
    this.tracker.writeCommitted((row, saved, timestamp) => {
      const key = packer.keyOf(regionOf(row.bytes(this.#keys)))
      disk.rows.set(key, saved === null ? undefined : packer.valueOf(this.#options.encode(saved), timestamp))
    })
    if (this.#rows.size > this.#cacheRows) this.#evict()
  }

  #rowOf(key: K): TableRow<K, C> {
    const id = this.#keys.quickIdOf(key)
    return this.#known(id) ?? (this.#seek(id, key, true) as TableRow<K, C>)
  }

  /** The row of a key that no row in memory has at first sight; loaded where that is wanted. */
  #seek(quickId: KeyId, key: K, loads: boolean): TableRow<K, C> | undefined {
    const id = exactId(quickId)
    const row = id === quickId ? undefined : this.#known(id)
    return row === undefined && loads ? this.#load(id, key) : row
  }

  /** A row that is in memory. */
  #known(id: KeyId): TableRow<K, C> | undefined {
    const latest = this.#latest
    if (latest !== undefined && latest.id === id) return latest
    const row = this.#rows.get(id)
    if (row === undefined) return undefined
    row.used = true
    this.#latest = row
    return row
  }

  /** A row for a key that is not in memory: from disk, or new and empty. */
  #load(id: KeyId, key: K): TableRow<K, C> {
    const row = new TableRow<K, C>(id, this.#keys.kept(id, key), null)
    if (this.#disk !== undefined) {
      const value = this.#disk.rows.get(diskKeyOf(row.bytes(this.#keys)))
      if (value !== undefined) {
        row.logged = true
        row.timestamp = timeOf(value)
        this.#change(row, this.#options.decode(value, row.bytes(this.#keys)))
      }
      if (this.#rows.size > this.#evictAbove) this.#evict()
    }
    this.#rows.add(row)
    return row
  }

  #change(row: TableRow<K, C>, current: C | null): void {
    const was = row.current !== null
    const is = current !== null
    row.current = current
    if (was === is) return
    this.#live += is ? 1 : -1
    if (this.#order === undefined) return
    if (is) this.#order.insert(row)
    else this.#order.remove(row)
  }

  #settle(row: TableRow<K, C>): void {
    if (row.current !== null || row.dirty) return
    this.#rows.delete(row)
    if (row === this.#latest) this.#latest = undefined
  }

  /** True where a row is to leave the index, as the disk has all that it holds. */
  #forgets(row: TableRow<K, C>): boolean {
    if (!this.tracker.isClean(row)) return false
    if (row === this.#latest) this.#latest = undefined
    if (row.current !== null) {
      this.#live--
      this.#order?.remove(row)
    }
    return true
  }

  /** Second chance: rows that were used since the last look go only if the others are not enough. */
  #evict(): void {
    this.#evictions++
    const target = this.#cacheRows * 0.75
    const isEnough = (): boolean => this.#rows.size <= target
    for (let look = 0; look < 2 && !isEnough(); look++)
      this.#rows.sweep((row) => {
        if (!row.used) return this.#forgets(row)
        row.used = false
        return false
      }, isEnough)
    // Where most rows wait to be written, looking again at once would find no more.
    this.#evictAbove = Math.max(this.#cacheRows, this.#rows.size * 1.5)
  }

  #ordered(): SortedList<TableRow<K, C>> {
    if (this.#order !== undefined) return this.#order
    const rows = [...this.#rows.values()].filter((row) => row.current !== null)
    rows.sort((left, right) => this.#compare(left, right))
    this.#order = new SortedList((left, right) => this.#compare(left, right), rows)
    return this.#order
  }

  #compare(left: TableRow<K, C>, right: TableRow<K, C>): number {
    return compareBytes(left.bytes(this.#keys), right.bytes(this.#keys))
  }

  /** The rows that are on disk only, decoded when their turn comes; the walk goes from `start` to `end`. */
  #diskRows(
    start: Bytes | undefined,
    end: Bytes | undefined,
    exclusive: boolean,
    reverse: boolean,
  ): Cursor<TableRow<K, C>> | undefined {
    if (this.#disk === undefined) return undefined
    const first = start === undefined ? undefined : diskKeyOf(start)
    const last = end === undefined ? undefined : diskKeyOf(end)
    const range = { from: reverse ? last : first, to: reverse ? first : last, exclusive, reverse }
    const read = ({ key, value }: DiskEntry): TableRow<K, C> => {
      const bytes = key.subarray(1)
      const parsed = this.#keys.readStored(bytes)
      const row = new TableRow(this.#keys.idOf(parsed), parsed, this.#options.decode(value, bytes), bytes)
      row.timestamp = timeOf(value)
      return row
    }
    // Whether memory knows better is asked when a page is read; what changes later is in order, too, and comes first.
    const isHereToo = ({ key }: DiskEntry): boolean =>
      this.#rows.get(this.#keys.idOf(this.#keys.readStored(key, 1, key.length))) !== undefined
    return new PageCursor(
      pagesOf(this.#disk.rows, range, (entry) => !isHereToo(entry)),
      read,
    )
  }
}

/** A row that holds something. */
export type LiveRow<K, C> = TableRow<K, C> & { readonly current: C }

const isLive = <K, C>(row: TableRow<K, C>): row is LiveRow<K, C> => row.current !== null

const startsWith = (bytes: Bytes, prefix: Bytes): boolean => {
  if (bytes.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return false
  return true
}

/** Takes the next of two ordered walks; where both have it, the first knows better. */
export const nextOf = <R>(
  memory: Cursor<R>,
  disk: Cursor<R> | undefined,
  compare: (left: R, right: R) => number,
): R | undefined => {
  const here = memory.peek()
  const there = disk?.peek()
  if (disk === undefined || there === undefined) {
    memory.advance()
    return here
  }
  const difference = here === undefined ? 1 : compare(here, there)
  if (difference >= 0) disk.advance()
  if (difference <= 0) memory.advance()
  return difference <= 0 ? here : there
}

/** The entries of pages, one by one, made into rows. */
export class PageCursor<R> implements Cursor<R> {
  readonly #pages: Generator<DiskEntry[], void>
  readonly #read: (entry: DiskEntry) => R
  #page: readonly DiskEntry[] = []
  #index = 0
  #head: R | undefined

  constructor(pages: Generator<DiskEntry[], void>, read: (entry: DiskEntry) => R) {
    this.#pages = pages
    this.#read = read
  }

  peek(): R | undefined {
    if (this.#head !== undefined) return this.#head
    while (this.#index >= this.#page.length) {
      const next = this.#pages.next()
      if (next.done === true) return undefined
      this.#page = next.value
      this.#index = 0
    }
    this.#head = this.#read(this.#page[this.#index] as DiskEntry)
    return this.#head
  }

  advance(): void {
    this.#index++
    this.#head = undefined
  }
}

/** What a row takes in memory, measured with short keys and values. */
const cachedRowBytes = 400
