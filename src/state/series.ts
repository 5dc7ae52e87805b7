import type { Bytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { TrackedRow } from './change-tracker.ts'
import type { KeyId, KeyIdentity } from './key-identity.ts'
import { detach } from './key-identity.ts'

/**
 * One value of a key at a time. `time` is what retention goes by: a window's start, a session's end, a joined value's
 * time. `second` distinguishes entries that share it: a session's start, a joined value's sequence number; 0 for windows.
 */
export class SeriesRow<K, C> implements TrackedRow {
  readonly series: Series<K, C>
  readonly time: number
  readonly second: number
  /** Never changed in place, so that readers may keep it; null where it was deleted. */
  current: C | null = null
  /** Of the last put: also of one that deleted. */
  timestamp = 0
  headers: Headers | undefined = undefined
  dirty = false
  logged = false
  gone = false
  pending = 0
  waitingAt = -1
  onDisk = false
  /** Its place in its bucket of the time index; -1 where it is not listed. */
  slot = -1

  constructor(series: Series<K, C>, time: number, second: number) {
    this.series = series
    this.time = time
    this.second = second
  }
}

/** All rows of one key, by time. What expires leaves at the front, so the front is an index that moves. */
export class Series<K, C> {
  readonly id: KeyId
  readonly key: K
  /** Rises with every change, so that walks know when to look again. */
  version = 0
  used = true
  /** False once it was forgotten, and another may stand for the key. */
  isCurrent = true
  private _rows: SeriesRow<K, C>[] = []
  private _head = 0
  private _bytes: Bytes | undefined = undefined

  constructor(id: KeyId, key: K) {
    this.id = id
    this.key = key
  }

  get size(): number {
    return this._rows.length - this._head
  }

  bytes(keys: KeyIdentity<K>): Bytes {
    return (this._bytes ??= detach(keys.bytesOf(this.key)))
  }

  at(position: number): SeriesRow<K, C> | undefined {
    return this._rows[this._head + position]
  }

  find(time: number, second: number): SeriesRow<K, C> | undefined {
    const row = this._rows[this._head + this.seek(time, second)]
    return row?.time === time && row.second === second ? row : undefined
  }

  /** The position of the first row that is not before this one. */
  seek(time: number, second: number): number {
    const rows = this._rows
    let low = this._head
    let high = rows.length
    // Most puts and look-ups are at the end.
    const last = rows[high - 1]
    if (last === undefined || high === low || isBefore(last, time, second)) return high - low
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(rows[middle] as SeriesRow<K, C>, time, second)) low = middle + 1
      else high = middle
    }
    return low - this._head
  }

  add(time: number, second: number): SeriesRow<K, C> {
    const row = new SeriesRow(this, time, second)
    const index = this._head + this.seek(time, second)
    if (index === this._rows.length) this._rows.push(row)
    else this._rows.splice(index, 0, row)
    this.version++
    return row
  }

  remove(row: SeriesRow<K, C>): void {
    const index = this._head + this.seek(row.time, row.second)
    if (this._rows[index] !== row) return
    this.version++
    if (index > this._head) {
      this._rows.splice(index, 1)
      return
    }
    this._head++
    // Moved together as soon as half of it is gone: what has expired must not be kept alive by its place.
    if (this._head * 2 < this._rows.length) return
    this._rows.splice(0, this._head)
    this._head = 0
  }

  *[Symbol.iterator](): Generator<SeriesRow<K, C>, void> {
    for (let index = this._head; index < this._rows.length; index++)
      yield this._rows[index] as SeriesRow<K, C>
  }
}

const isBefore = <K, C>(row: SeriesRow<K, C>, time: number, second: number): boolean =>
  row.time < time || (row.time === time && row.second < second)
