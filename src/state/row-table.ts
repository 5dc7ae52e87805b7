import type { Bytes } from '../base/bytes.ts'
import { compareBytes, copyBytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { RawRegion } from '../topic/record.ts'
import { regionOf } from '../topic/record.ts'
import type { CacheOptions, SavedValue, TrackedRow } from './change-tracker.ts'
import { cacheBytesOf, ChangeTracker } from './change-tracker.ts'
import type { Disk, DiskEntry } from './disk.ts'
import { DiskCursor } from './disk.ts'
import type { KeyId, KeyIdentity } from './key-identity.ts'
import { detach, exactId } from './key-identity.ts'
import { GradualOrder } from './gradual-order.ts'
import { KeyIndex } from './key-index.ts'
import { mergedRows } from './merged-walk.ts'
import { diskKeyOf, RowPacker, timeOf } from './packed-rows.ts'
import type { RangeOptions } from './store.ts'
import { sortByBytes } from './sort-by-bytes.ts'
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
  /** False where no cache follows changes. */
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
  /** The order while it is being made; undefined before and afterwards. */
  #growing: GradualOrder<TableRow<K, C>> | undefined
  #live = 0
  /** Rises with each write to the disk, for walks that have read a page of it. */
  #diskVersion = 0
  /** From its first entry up to this one, the disk holds only what is deleted in memory: a queue begins behind it. */
  #deletedHead: Bytes | undefined

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
    this.#diskWritten()
    this.#rows.sweep((row) => this.#forgets(row))
  }

  /** Walks the rows from one serialised key to another, both inclusive. */
  walk(
    from: Bytes | undefined,
    to: Bytes | undefined,
    { reverse = false }: RangeOptions = {},
  ): Generator<LiveRow<K, C>, void> {
    const [start, end] = reverse ? [to, from] : [from, to]
    return this.#walk({ start, end, reverse, isBehindStart: false, isBeforeEnd: false })
  }

  /** Walks the rows whose serialised keys begin with `prefix`; only those behind `after` where it is given. */
  walkPrefix(prefix: Bytes, after?: Bytes): Generator<LiveRow<K, C>, void> {
    const isBehindStart = after !== undefined && compareBytes(after, prefix) >= 0
    const start = isBehindStart ? after : prefix
    return this.#walk({ start, end: afterPrefix(prefix), reverse: false, isBehindStart, isBeforeEnd: true })
  }

  /** Puts rows in memory in order until `isOver`; true once a walk finds them in order. */
  prepareWalk(isOver: () => boolean): boolean {
    if (this.#order !== undefined) return true
    this.#growing ??= new GradualOrder(
      this.#rows.toArray(),
      (left, right) => this.#compare(left, right),
      (row) => row.current !== null && this.#rows.get(row.id) === row,
    )
    if (!this.#growing.proceed(isOver)) return false
    this.#order = this.#growing.list
    this.#growing = undefined
    return true
  }

  /** Writes committed rows into the batch that the disk has open, until `isOver`; true once they all are. */
  writeCommitted(disk: Disk, isOver: () => boolean): boolean {
    const packer = this.#packer
    const isWhole = this.tracker.writeCommitted((row, saved, timestamp) => {
      const key = packer.keyOf(regionOf(row.bytes(this.#keys)))
      disk.rows.set(key, saved === null ? undefined : packer.valueOf(this.#options.encode(saved), timestamp))
    }, isOver)
    this.#diskWritten()
    if (isWhole && this.#rows.size > this.#cacheRows) this.#evict()
    return isWhole
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
    const order = this.#order ?? this.#growing
    if (order === undefined) return
    if (is) order.insert(row)
    else order.remove(row)
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
      const order = this.#order ?? this.#growing
      order?.remove(row)
    }
    return true
  }

  /** Second chance: rows that were used since the last look go only if the others are not enough. */
  #evict(): void {
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
    const live = this.#rows.toArray().filter((row) => row.current !== null)
    const rows = sortByBytes(live, (row) => row.bytes(this.#keys))
    this.#order = new SortedList((left, right) => this.#compare(left, right), rows)
    this.#growing = undefined
    return this.#order
  }

  #compare(left: TableRow<K, C>, right: TableRow<K, C>): number {
    return compareBytes(left.bytes(this.#keys), right.bytes(this.#keys))
  }

  #walk({ start, end, reverse, isBehindStart, isBeforeEnd }: Walk): Generator<LiveRow<K, C>, void> {
    const sign = reverse ? -1 : 1
    const bytesOf = (row: TableRow<K, C>): Bytes => row.bytes(this.#keys)
    const fromStart = (row: TableRow<K, C>): number =>
      compareBytes(bytesOf(row), start as Bytes) || (isBehindStart ? -sign : 0)
    const lastInclusive = isBeforeEnd ? -1 : 0
    return mergedRows({
      memory: this.#ordered().cursor(start === undefined ? undefined : fromStart, reverse),
      openDisk: (behind) =>
        this.#entriesBetween(
          behind?.bytes(this.#keys) ?? start,
          end,
          reverse,
          behind !== undefined || isBehindStart,
        ),
      diskVersion: () => this.#diskVersion,
      compare: (left, right) => sign * compareBytes(bytesOf(left), bytesOf(right)),
      compareToEntry: (row, { key }) => sign * compareBytes(bytesOf(row), key.subarray(1)),
      rowOf: (entry) => this.#rowOnDisk(entry),
      isBehindEnd: (row) => end !== undefined && sign * compareBytes(bytesOf(row), end) > lastInclusive,
      onEntry: start === undefined && !reverse ? this.#deletedHeadWatch() : undefined,
    }) as Generator<LiveRow<K, C>, void>
  }

  /** The entries on disk, of which those that are deleted in memory at the very beginning are known. */
  #entriesBetween(
    start: Bytes | undefined,
    end: Bytes | undefined,
    reverse: boolean,
    isBehindStart: boolean,
  ): DiskCursor | undefined {
    if (this.#disk === undefined) return undefined
    const last = end === undefined ? undefined : diskKeyOf(end)
    if (start === undefined && !reverse && this.#deletedHead !== undefined)
      return new DiskCursor(this.#disk.rows, { from: this.#deletedHead, to: last, exclusive: true, reverse })
    const first = start === undefined ? undefined : diskKeyOf(start)
    const [from, to] = reverse ? [last, first] : [first, last]
    return new DiskCursor(this.#disk.rows, { from, to, exclusive: isBehindStart, reverse })
  }

  /** Notes up to which entry all are deleted, of a walk that begins at the first. */
  #deletedHeadWatch(): (entry: DiskEntry, row: TableRow<K, C> | undefined) => void {
    const version = this.#diskVersion
    let isHead = true
    return ({ key }, row) => {
      isHead &&= row === undefined && version === this.#diskVersion
      if (isHead) this.#deletedHead = key
    }
  }

  /** The row of an entry that no live row in memory stands for: undefined where it is deleted. */
  #rowOnDisk({ key, value }: DiskEntry): TableRow<K, C> | undefined {
    const bytes = key.subarray(1)
    const parsed = this.#keys.readStored(bytes)
    const id = this.#keys.idOf(parsed)
    if (this.#rows.get(id) !== undefined) return undefined
    const row = new TableRow(id, parsed, this.#options.decode(value, bytes), bytes)
    row.timestamp = timeOf(value)
    return row
  }

  #diskWritten(): void {
    this.#diskVersion++
    this.#deletedHead = undefined
  }
}

/** From where to where a walk goes, in its own direction. */
interface Walk {
  readonly start: Bytes | undefined
  readonly end: Bytes | undefined
  readonly reverse: boolean
  /** Leaves out a row that is exactly at the start, or at the end. */
  readonly isBehindStart: boolean
  readonly isBeforeEnd: boolean
}

/** A row that holds something. */
export type LiveRow<K, C> = TableRow<K, C> & { readonly current: C }

/** The smallest bytes behind everything that begins with `prefix`; undefined where nothing can be behind it. */
const afterPrefix = (prefix: Bytes): Bytes | undefined => {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const bound = copyBytes(prefix.subarray(0, length))
  bound[length - 1] = (bound[length - 1] as number) + 1
  return bound
}

/** What a row takes in memory, measured with short keys and values. */
const cachedRowBytes = 400
