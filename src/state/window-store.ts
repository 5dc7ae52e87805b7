import type { ByteReader } from '../base/byte-fields.ts'
import { ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Windowed } from '../topic/windowed.ts'
import { windowed } from '../topic/windowed.ts'
import type { WindowStoreDefinition } from '../topology/store-definition.ts'
import { SeriesStoreBase } from './series-store-base.ts'
import type { SeriesRow } from './series.ts'
import type { RangeOptions, ValueAndTimestamp, WindowEntry, WindowStore } from './store.ts'
import type { StoreContext } from './state-store-base.ts'

/**
 * One timestamped value by key and window start. Changelog: the key, the start as 64 bits and a sequence number that is
 * always 0; the last value of each window that changed since the last flush, in the order of the first change.
 */
export class MemoryWindowStore<K, V>
  extends SeriesStoreBase<K, WindowEntry<unknown>>
  implements WindowStore<K, V>
{
  protected override readonly suffixBytes = 12
  readonly windowSizeMs: number

  constructor(definition: WindowStoreDefinition, context: StoreContext) {
    super(definition, context)
    this.windowSizeMs = definition.windowSizeMs
  }

  put(key: K, value: V | null, startMs: number, timestamp: number): boolean {
    return this.putRow(key, this.timeOf(startMs), 0, value ?? null, this.timeOf(timestamp))
  }

  fetch(key: K, startMs: number): ValueAndTimestamp<V> | null {
    const entry = this.table.find(key, startMs, 0)
    return entry === null ? null : this.#shownEntry(entry)
  }

  *fetchRange(
    key: K,
    fromMs: number,
    toMs: number,
    options: RangeOptions = {},
  ): Generator<WindowEntry<V>, void> {
    for (const { current } of this.table.walkKey(key, fromMs, toMs, options.reverse))
      yield this.#shownEntry(current)
  }

  *fetchAll(
    fromMs: number,
    toMs: number,
    after?: Windowed<K>,
  ): Generator<readonly [Windowed<K>, ValueAndTimestamp<V>], void> {
    const behind = after && this.table.placeOf(after.key, after.startMs, 0)
    for (const { series, time, current } of this.table.walkTime(fromMs, toMs, behind))
      yield [windowed(this.keys.shown(series.key), time, time + this.windowSizeMs), this.#shownEntry(current)]
  }

  all(): Generator<readonly [Windowed<K>, ValueAndTimestamp<V>], void> {
    return this.fetchAll(-Infinity, Infinity)
  }

  protected override entryOf(value: unknown, timestamp: number, startMs: number): WindowEntry<unknown> {
    return { startMs, value, timestamp }
  }

  protected override changelogKey({ series, time }: SeriesRow<K, WindowEntry<unknown>>): Bytes {
    return new ByteWriter().bytes(series.bytes(this.keys)).int64(time).int32(0).finish()
  }

  protected override readSuffix(suffix: ByteReader): readonly [time: number, second: number] {
    return [suffix.int64(), 0]
  }

  #shownEntry(entry: WindowEntry<unknown>): WindowEntry<V> {
    return (this.frozen ? { ...entry, value: this.shown(entry.value) } : entry) as WindowEntry<V>
  }
}
