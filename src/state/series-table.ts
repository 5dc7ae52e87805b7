import { ByteReader } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { compareBytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { CacheOptions, SavedValue } from './change-tracker.ts'
import { cacheBytesOf, ChangeTracker } from './change-tracker.ts'
import type { Disk, DiskEntry } from './disk.ts'
import { DiskCursor, entriesOf } from './disk.ts'
import type { KeyId, KeyIdentity } from './key-identity.ts'
import { exactId } from './key-identity.ts'
import { KeyIndex } from './key-index.ts'
import { mergedRows } from './merged-walk.ts'
import { Series, SeriesRow } from './series.ts'
import { TimeIndex } from './time-index.ts'
import { readSortable, rowKey, sweepTimedRows, timeKey, writeTimedRow } from './timed-rows.ts'

/**
 * Rows by key and time with retention: what window, join and session stores have in common. A row whose time is
 * `retentionMs` or more behind the largest time put is gone.
 *
 * A key's rows lie together, so that a look-up for one key costs what it returns; a time index serves walks over all
 * keys and lets what expires go without a search. With a disk, memory is a cache of whole keys: either all rows of a key
 * are here, or none.
 */
export interface SeriesTableOptions<K, C> extends CacheOptions {
  readonly keys: KeyIdentity<K>
  readonly disk: Disk | undefined
  readonly tracked: boolean
  readonly retentionMs: number
  /**
   * Rows that time has just expired stay until it moves again, for walks over time only: the step that emits closed windows
   * does so after the put that closed it.
   */
  readonly lingers: boolean
  readonly log: (row: SeriesRow<K, C>) => SavedValue
  /** What was saved of a row, as bytes. */
  readonly encode: (value: NonNullable<SavedValue>) => Bytes
  /** What the disk holds for a row, as an object. */
  readonly decode: (value: Bytes, key: Bytes, time: number, second: number) => C
}

export class SeriesTable<K, C> {
  readonly tracker: ChangeTracker<SeriesRow<K, C>>
  readonly #options: SeriesTableOptions<K, C>
  readonly #keys: KeyIdentity<K>
  readonly #disk: Disk | undefined
  readonly #series = new KeyIndex<Series<K, C>>()
  /** The one that was last asked for: who looks up a key puts it next. */
  #latest: Series<K, C> | undefined
  readonly #byTime: TimeIndex<K, C>
  /** So many rows and keys are a reason to look for some to forget. */
  #evictAbove: number
  #rowCount = 0
  /** Rises with each write to the disk, for walks that have read a page of it. */
  #diskVersion = 0
  #observedMs: number
  /** Infinity unless a reader holds the time; see `holdTime`. */
  #heldMs = Infinity
  #freedUpTo: number

  constructor(options: SeriesTableOptions<K, C>) {
    this.#options = options
    this.#keys = options.keys
    this.#disk = options.disk
    this.#byTime = new TimeIndex(options.keys)
    this.#evictAbove = this.#cacheRows
    this.#observedMs = options.disk?.state?.observedMs ?? -Infinity
    this.#freedUpTo = this.expiredUpTo - (options.lingers ? 1 : 0)
    this.tracker = new ChangeTracker(
      { log: options.log, settle: (row) => this.#settle(row) },
      options.disk !== undefined,
      options,
    )
  }

  get #cacheRows(): number {
    return Math.max(4, cacheBytesOf(this.#options) / cachedRowBytes)
  }

  /** The largest time ever put; -Infinity before the first. */
  get observedMs(): number {
    return this.#observedMs
  }

  /** Rows of this time and before are past retention. */
  get expiredUpTo(): number {
    return Math.min(this.#observedMs, this.#heldMs) - this.#options.retentionMs
  }

  /** Rows of this time and before are let go. */
  get freedUpToMs(): number {
    return this.#freedUpTo
  }

  /** Moves time on and lets go what that expires; false where a row of `time` is not to be kept. */
  observe(time: number): boolean {
    const { lingers } = this.#options
    if (time > this.#observedMs) {
      const expiredBefore = this.expiredUpTo
      this.#observedMs = time
      this.#free(lingers ? expiredBefore - 1 : this.expiredUpTo)
    }
    return lingers ? time >= this.expiredUpTo : time > this.expiredUpTo
  }

  /** Expires rows as if no time after this one had been put. */
  holdTime(timeMs: number): void {
    const expiredBefore = this.expiredUpTo
    this.#heldMs = timeMs
    if (this.expiredUpTo < expiredBefore) this.#freedUpTo = this.expiredUpTo
    else if (this.expiredUpTo > expiredBefore)
      this.#free(this.#options.lingers ? expiredBefore - 1 : this.expiredUpTo)
  }

  find(key: K, time: number, second: number): C | null {
    if (time <= this.expiredUpTo) return null
    return this.#seriesOf(key)?.find(time, second)?.current ?? null
  }

  /** Puts a row whose time was observed; null deletes it. */
  put(
    key: K,
    time: number,
    second: number,
    current: C | null,
    timestamp: number,
    headers?: Headers,
  ): SeriesRow<K, C> {
    const row = this.#rowOf(key, time, second)
    row.timestamp = timestamp
    row.headers = headers
    this.#change(row, current)
    return row
  }

  /** The row is to be flushed. */
  touch(row: SeriesRow<K, C>): void {
    if (this.#options.tracked) this.tracker.touch(row)
    else this.#settle(row)
  }

  /** Puts what the changelog already holds, into memory. */
  restore(key: K, time: number, second: number, current: C | null): void {
    const row = this.#rowOf(key, time, second)
    row.logged = current !== null
    this.#change(row, current)
    this.#settle(row)
  }

  /** The rows of one key with times from `fromTime` to `toTime`, both inclusive. */
  *walkKey(
    key: K,
    fromTime: number,
    toTime: number,
    reverse = false,
  ): Generator<SeriesRow<K, C> & { readonly current: C }, void> {
    let series = this.#seriesOf(key)
    if (series === undefined) return
    const first = Math.max(fromTime, this.expiredUpTo + 1)
    let position = reverse ? series.seek(toTime, Infinity) - 1 : series.seek(first, -Infinity)
    let { version } = series
    for (;;) {
      const row = series.at(position)
      if (row === undefined || position < 0 || row.time < first || row.time > toTime) return
      if (isLive(row)) yield row
      if (series.version === version && series.isCurrent) {
        position += reverse ? -1 : 1
        continue
      }
      series = this.#seriesOf(key)
      if (series === undefined) return
      version = series.version
      position = series.seek(row.time, row.second)
      const same = series.at(position)
      if (reverse) position--
      else if (same?.time === row.time && same.second === row.second) position++
    }
  }

  /** Where a row of that key and time stands, or would stand, in a walk over time. */
  placeOf(key: K, time: number, second: number): SeriesRow<K, C> {
    return new SeriesRow(new Series<K, C>(this.#keys.idOf(key), key), time, second)
  }

  /**
   * The rows of every key with times from `fromTime` to `toTime`, by time, second and serialised key; those that linger,
   * too. Where `after` is given, only those behind it.
   */
  walkTime(
    fromTime: number,
    toTime: number,
    after?: SeriesRow<K, C>,
  ): Generator<SeriesRow<K, C> & { readonly current: C }, void> {
    const compare = this.#byTime.compareRows
    const start = after !== undefined && after.time >= fromTime ? after : undefined
    const rows = mergedRows<SeriesRow<K, C>>({
      memory: this.#byTime.cursor(start?.time ?? fromTime, start),
      start,
      openDisk: (behind) => this.#entriesBetween(behind?.time ?? fromTime, toTime, behind),
      diskVersion: () => this.#diskVersion,
      compare,
      compareToEntry: (row, { key }) => this.#compareToEntry(row, key),
      rowOf: (entry) => this.#rowOfEntry(entry),
      isBehindEnd: (row) => row.time > toTime,
    })
    return rows as Generator<SeriesRow<K, C> & { readonly current: C }, void>
  }

  /** Puts so many rows from a time on in order until `isOver`; true once a walk finds them in order. */
  prepareWalk(fromTime: number, rowCount: number, isOver: () => boolean): boolean {
    return this.#byTime.prepareWalk(Math.max(fromTime, this.#freedUpTo + 1), rowCount, isOver)
  }

  /** Forgets what was read, as the disk is about to know better. */
  forgetClean(): void {
    this.#diskVersion++
    this.#series.sweep((series) => this.#forgets(series))
  }

  /**
   * Writes committed rows into the batch that the disk has open, until `isOver`; true once they all are. Then what had
   * expired when they were committed is swept out. What time has expired since is gone here, but not yet there.
   */
  writeCommitted(disk: Disk, freedUpToMs: number, isOver: () => boolean): boolean {
    const isWhole = this.tracker.writeCommitted((row, saved, timestamp) => {
      if (row.time <= freedUpToMs) return
      const value = saved === null ? null : this.#options.encode(saved)
      const key = row.series.bytes(this.#keys)
      writeTimedRow(disk, key, row.time, row.second, { value, timestamp }, row.onDisk)
      row.onDisk = value !== null
      this.#settle(row)
    }, isOver)
    this.#diskVersion++
    if (!isWhole) return false
    sweepTimedRows(disk, freedUpToMs)
    if (this.#rowCount + this.#series.size > this.#cacheRows) this.#evict()
    return true
  }

  #rowOf(key: K, time: number, second: number): SeriesRow<K, C> {
    let series = this.#seriesOf(key)
    if (series === undefined) {
      const id = this.#keys.idOf(key)
      series = new Series<K, C>(id, this.#keys.kept(id, key))
      this.#series.add(series)
    }
    return series.find(time, second) ?? this.#add(series, time, second)
  }

  #add(series: Series<K, C>, time: number, second: number): SeriesRow<K, C> {
    this.#rowCount++
    return series.add(time, second)
  }

  #seriesOf(key: K): Series<K, C> | undefined {
    const quickId = this.#keys.quickIdOf(key)
    const known = this.#known(quickId)
    if (known !== undefined) return known
    const id = exactId(quickId)
    return (id === quickId ? undefined : this.#known(id)) ?? this.#load(id, key)
  }

  /** The rows of a key that is in memory. */
  #known(id: KeyId): Series<K, C> | undefined {
    const latest = this.#latest
    if (latest?.isCurrent === true && latest.id === id) return latest
    const series = this.#series.get(id)
    if (series === undefined) return undefined
    series.used = true
    this.#latest = series
    return series
  }

  #change(row: SeriesRow<K, C>, current: C | null): void {
    row.current = current
    if (current === null) this.#byTime.remove(row)
    else if (row.slot < 0) this.#byTime.add(row)
  }

  /** Forgets a deleted row that nothing waits for. */
  #settle(row: SeriesRow<K, C>): void {
    if (row.current !== null || row.gone) return
    if (this.#disk !== undefined && !this.tracker.isClean(row)) return
    this.#drop(row)
  }

  #drop(row: SeriesRow<K, C>): void {
    const { series } = row
    row.gone = true
    this.#rowCount--
    series.remove(row)
    if (series.size > 0 || this.#disk !== undefined) return
    this.#series.delete(series)
    series.isCurrent = false
  }

  #free(upTo: number): void {
    this.#freedUpTo = upTo
    for (;;) {
      const rows = this.#byTime.takeOldest(upTo)
      if (rows === undefined) return
      for (const row of rows) this.#drop(row)
    }
  }

  // From here on: what only a disk needs.

  #load(id: KeyId, key: K): Series<K, C> | undefined {
    if (this.#disk === undefined) return undefined
    // Before the key is here, so that it is not the one to be forgotten.
    if (this.#rowCount + this.#series.size > this.#evictAbove) this.#evict()
    const series = new Series<K, C>(id, this.#keys.kept(id, key))
    const bytes = series.bytes(this.#keys)
    const range = {
      from: rowKey(bytes, this.#freedUpTo, Infinity),
      to: rowKey(bytes, Infinity, Infinity),
      exclusive: true,
      reverse: false,
    }
    for (const entry of entriesOf(this.#disk.rows, range)) this.#loadRow(series, entry)
    this.#series.add(series)
    return series
  }

  #loadRow(series: Series<K, C>, { key, value }: DiskEntry): void {
    const reader = new ByteReader(key, key.length - 16)
    const time = readSortable(reader)
    const second = readSortable(reader)
    const row = this.#add(series, time, second)
    row.onDisk = true
    row.logged = true
    this.#change(row, this.#options.decode(value, series.bytes(this.#keys), time, second))
  }

  /** The entries on disk that have not expired, behind `after` if it is given. */
  #entriesBetween(
    fromTime: number,
    toTime: number,
    after: SeriesRow<K, C> | undefined,
  ): DiskCursor | undefined {
    if (this.#disk === undefined) return undefined
    const first = Math.max(fromTime, this.#freedUpTo + 1)
    return new DiskCursor(this.#disk.byTime, {
      from:
        after === undefined
          ? timeKey(first, -Infinity, noBytes)
          : timeKey(after.time, after.second, after.series.bytes(this.#keys)),
      to: timeKey(toTime + 1, -Infinity, noBytes),
      exclusive: after !== undefined,
      reverse: false,
    })
  }

  #compareToEntry({ time, second, series }: SeriesRow<K, C>, entryKey: Bytes): number {
    const reader = new ByteReader(entryKey)
    return (
      time - readSortable(reader) ||
      second - readSortable(reader) ||
      compareBytes(series.bytes(this.#keys), entryKey.subarray(16))
    )
  }

  /** The row of an entry on disk as it is now: memory has all rows of a key, or none. */
  #rowOfEntry({ key }: DiskEntry): SeriesRow<K, C> | undefined {
    const reader = new ByteReader(key)
    const time = readSortable(reader)
    const second = readSortable(reader)
    if (time <= this.#freedUpTo) return undefined
    const bytes = key.subarray(16)
    const parsed = this.#keys.readStored(bytes)
    const id = this.#keys.idOf(parsed)
    const series = this.#series.get(id)
    const row =
      series === undefined ? this.#readRow(id, parsed, bytes, time, second) : series.find(time, second)
    return row !== undefined && isLive(row) ? row : undefined
  }

  #readRow(id: KeyId, key: K, bytes: Bytes, time: number, second: number): SeriesRow<K, C> {
    const row = new SeriesRow(new Series<K, C>(id, key), time, second)
    const value = (this.#disk as Disk).rows.get(rowKey(bytes, time, second))
    if (value !== undefined) row.current = this.#options.decode(value, bytes, time, second)
    return row
  }

  #isClean(series: Series<K, C>): boolean {
    for (const row of series) if (!this.tracker.isClean(row)) return false
    return true
  }

  /** True where a key is to leave the index, as the disk has all that it holds. */
  #forgets(series: Series<K, C>): boolean {
    if (!this.#isClean(series)) return false
    series.isCurrent = false
    this.#rowCount -= series.size
    for (const row of series) this.#byTime.remove(row)
    return true
  }

  /** Second chance: keys that were used since the last look go only if the others are not enough. */
  #evict(): void {
    const target = this.#cacheRows * 0.75
    const isEnough = (): boolean => this.#rowCount + this.#series.size <= target
    for (let look = 0; look < 2 && !isEnough(); look++)
      this.#series.sweep((series) => {
        if (!series.used) return this.#forgets(series)
        series.used = false
        return false
      }, isEnough)
    // Where most rows wait to be written, looking again at once would find no more.
    this.#evictAbove = Math.max(this.#cacheRows, (this.#rowCount + this.#series.size) * 1.5)
  }
}

const isLive = <K, C>(row: SeriesRow<K, C>): row is SeriesRow<K, C> & { readonly current: C } =>
  row.current !== null

const noBytes = new Uint8Array(0)
/** What a row takes in memory, measured with short keys and values. */
const cachedRowBytes = 400
