import type { ByteReader } from '../base/byte-fields.ts'
import { ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Windowed } from '../topic/windowed.ts'
import { windowed } from '../topic/windowed.ts'
import { SeriesStoreBase } from './series-store-base.ts'
import type { SeriesRow } from './series.ts'
import type { SessionStore, ValueAndTimestamp } from './store.ts'

/**
 * One value by key and session bounds. Changelog: the key, the END, then the start; the last value of each session that
 * changed since the last flush, in the order of the first change. A session that came and went between two flushes
 * leaves no record.
 */
export class MemorySessionStore<K, V>
  extends SeriesStoreBase<K, ValueAndTimestamp<unknown>>
  implements SessionStore<K, V>
{
  protected override readonly suffixBytes = 16
  put({ key, startMs, endMs }: Windowed<K>, value: V | null, timestamp: number): boolean {
    const [start, end] = [this.timeOf(startMs), this.timeOf(endMs)]
    return this.putRow(key, end, start, value ?? null, this.timeOf(timestamp))
  }

  fetch(key: K, startMs: number, endMs: number): V | null {
    return this.shown(this.table.find(key, endMs, startMs)?.value ?? null) as V | null
  }

  *findSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
  ): Generator<readonly [Windowed<K>, V], void> {
    for (const row of this.table.walkKey(key, earliestEndMs, Infinity))
      if (row.second <= latestStartMs) yield this.#shownRow(row)
  }

  *findByEnd(earliestEndMs: number, latestEndMs: number): Generator<readonly [Windowed<K>, V], void> {
    for (const row of this.table.walkTime(earliestEndMs, latestEndMs)) yield this.#shownRow(row)
  }

  *fetchAll(
    earliestEndMs: number,
    latestEndMs: number,
    after?: Windowed<K>,
  ): Generator<readonly [Windowed<K>, V], void> {
    const behind = after && this.table.placeOf(after.key, after.endMs, after.startMs)
    const from = Math.max(earliestEndMs, this.table.expiredUpTo + 1)
    for (const row of this.table.walkTime(from, latestEndMs, behind)) yield this.#shownRow(row)
  }

  all(): Generator<readonly [Windowed<K>, V], void> {
    return this.fetchAll(-Infinity, Infinity)
  }

  protected override entryOf(value: unknown, timestamp: number): ValueAndTimestamp<unknown> {
    return { value, timestamp }
  }

  protected override changelogKey({ series, time, second }: SeriesRow<K, ValueAndTimestamp<unknown>>): Bytes {
    return new ByteWriter().bytes(series.bytes(this.keys)).int64(time).int64(second).finish()
  }

  protected override readSuffix(suffix: ByteReader): readonly [time: number, second: number] {
    return [suffix.int64(), suffix.int64()]
  }

  #shownRow({ series, time, second, current }: LiveRow<K>): readonly [Windowed<K>, V] {
    return [windowed(this.keys.shown(series.key), second, time), this.shown(current.value) as V]
  }
}

type LiveRow<K> = SeriesRow<K, ValueAndTimestamp<unknown>> & { readonly current: ValueAndTimestamp<unknown> }
