import { compareBytes } from '../base/bytes.ts'
import type { KeyIdentity } from './key-identity.ts'
import { GradualOrder } from './gradual-order.ts'
import type { SeriesRow } from './series.ts'
import type { Cursor } from './sorted-list.ts'
import { sortByBytes } from './sort-by-bytes.ts'
import { SortedList } from './sorted-list.ts'

/**
 * The rows of every key by time, then second, then serialised key. Rows of one time share a bucket, which is ordered
 * at its first walk: most rows only come and, as time moves on, go with their bucket.
 */
export class TimeIndex<K, C> {
  readonly compareRows: (left: SeriesRow<K, C>, right: SeriesRow<K, C>) => number
  readonly #keys: KeyIdentity<K>
  readonly #buckets = new Map<number, Bucket<K, C>>()
  /** Rises with every change, so that cursors know when to look again. */
  #version = 0
  readonly #times = new SortedList<Bucket<K, C>>((left, right) => left.time - right.time)

  constructor(keys: KeyIdentity<K>) {
    this.#keys = keys
    this.compareRows = (left, right) =>
      left.time - right.time ||
      left.second - right.second ||
      compareBytes(left.series.bytes(keys), right.series.bytes(keys))
  }

  add(row: SeriesRow<K, C>): void {
    let bucket = this.#buckets.get(row.time)
    if (bucket === undefined) {
      bucket = { time: row.time, rows: [], order: undefined, growing: undefined }
      this.#buckets.set(row.time, bucket)
      this.#times.insert(bucket)
    }
    this.#version++
    row.slot = bucket.rows.push(row) - 1
    const order = bucket.order ?? bucket.growing
    order?.insert(row)
  }

  remove(row: SeriesRow<K, C>): void {
    const bucket = this.#buckets.get(row.time)
    if (bucket === undefined || row.slot < 0) return
    this.#version++
    const last = bucket.rows.pop() as SeriesRow<K, C>
    if (last !== row) {
      bucket.rows[row.slot] = last
      last.slot = row.slot
    }
    row.slot = -1
    const order = bucket.order ?? bucket.growing
    order?.remove(row)
    if (bucket.rows.length === 0) this.#drop(bucket)
  }

  /** Takes out the rows of the oldest time, if that is `limit` or before. */
  takeOldest(limit: number): readonly SeriesRow<K, C>[] | undefined {
    const bucket = this.#times.first
    if (bucket === undefined || bucket.time > limit) return undefined
    this.#version++
    this.#drop(bucket)
    for (const row of bucket.rows) row.slot = -1
    return bucket.rows
  }

  /** Walks upwards from the first row of that time or later; not before `from`, where it is given. */
  cursor(fromTime: number, from?: SeriesRow<K, C>): Cursor<SeriesRow<K, C>> {
    return new TimeCursor(
      (last) => this.#bucketCursor(last?.time ?? fromTime, last ?? from),
      () => this.#version,
    )
  }

  /** Puts so many rows from a time on in order until `isOver`; true once a walk finds them in order. */
  prepareWalk(fromTime: number, rowCount: number, isOver: () => boolean): boolean {
    const buckets = this.#times.cursor((bucket) => bucket.time - fromTime)
    for (let left = rowCount; left > 0; buckets.advance()) {
      const bucket = buckets.peek()
      if (bucket === undefined) return true
      if (!this.#prepare(bucket, isOver)) return false
      left -= bucket.rows.length
    }
    return true
  }

  #prepare(bucket: Bucket<K, C>, isOver: () => boolean): boolean {
    if (bucket.order !== undefined) return true
    bucket.growing ??= new GradualOrder([...bucket.rows], this.compareRows, ({ slot }) => slot >= 0)
    if (!bucket.growing.proceed(isOver)) return false
    bucket.order = bucket.growing.list
    bucket.growing = undefined
    return true
  }

  #bucketCursor(fromTime: number, from: SeriesRow<K, C> | undefined): Cursor<SeriesRow<K, C>> {
    const buckets = this.#times.cursor((bucket) => bucket.time - fromTime)
    return new BucketCursor(buckets, (bucket) =>
      this.#orderOf(bucket).cursor(
        from?.time === bucket.time ? (row) => this.compareRows(row, from) : undefined,
      ),
    )
  }

  #orderOf(bucket: Bucket<K, C>): SortedList<SeriesRow<K, C>> {
    bucket.order ??= new SortedList(this.compareRows, this.#sorted(bucket.rows))
    bucket.growing = undefined
    return bucket.order
  }

  /** Windows of one start differ by key alone; sessions of one end by start, too. */
  #sorted(rows: readonly SeriesRow<K, C>[]): SeriesRow<K, C>[] {
    const [first] = rows
    const sameSecond = rows.every(({ second }) => second === first?.second)
    return sameSecond
      ? sortByBytes(rows, ({ series }) => series.bytes(this.#keys))
      : rows.toSorted(this.compareRows)
  }

  #drop(bucket: Bucket<K, C>): void {
    this.#buckets.delete(bucket.time)
    this.#times.remove(bucket)
  }
}

interface Bucket<K, C> {
  readonly time: number
  readonly rows: SeriesRow<K, C>[]
  order: SortedList<SeriesRow<K, C>> | undefined
  /** The order while it is being made; undefined before and afterwards. */
  growing: GradualOrder<SeriesRow<K, C>> | undefined
}

/** Looks again behind the row it gave last once anything has changed. */
class TimeCursor<K, C> implements Cursor<SeriesRow<K, C>> {
  readonly #open: (last: SeriesRow<K, C> | undefined) => Cursor<SeriesRow<K, C>>
  readonly #versionOf: () => number
  #version: number
  #rows: Cursor<SeriesRow<K, C>>
  #last: SeriesRow<K, C> | undefined

  constructor(open: (last: SeriesRow<K, C> | undefined) => Cursor<SeriesRow<K, C>>, versionOf: () => number) {
    this.#open = open
    this.#versionOf = versionOf
    this.#version = versionOf()
    this.#rows = open(undefined)
  }

  peek(): SeriesRow<K, C> | undefined {
    if (this.#version !== this.#versionOf()) {
      this.#version = this.#versionOf()
      this.#rows = this.#open(this.#last)
    }
    return this.#rows.peek()
  }

  advance(): void {
    const row = this.peek()
    if (row === undefined) return
    this.#last = row
    this.#rows.advance()
  }
}

class BucketCursor<K, C> implements Cursor<SeriesRow<K, C>> {
  readonly #buckets: Cursor<Bucket<K, C>>
  readonly #open: (bucket: Bucket<K, C>) => Cursor<SeriesRow<K, C>>
  #bucket: Bucket<K, C> | undefined
  #rows: Cursor<SeriesRow<K, C>> | undefined

  constructor(buckets: Cursor<Bucket<K, C>>, open: (bucket: Bucket<K, C>) => Cursor<SeriesRow<K, C>>) {
    this.#buckets = buckets
    this.#open = open
  }

  peek(): SeriesRow<K, C> | undefined {
    for (;;) {
      const bucket = this.#buckets.peek()
      if (bucket === undefined) return undefined
      if (bucket !== this.#bucket) {
        this.#bucket = bucket
        this.#rows = this.#open(bucket)
      }
      const row = this.#rows?.peek()
      if (row !== undefined) return row
      this.#buckets.advance()
    }
  }

  advance(): void {
    if (this.peek() !== undefined) this.#rows?.advance()
  }
}
