import type { ByteReader } from '../base/byte-fields.ts'
import { ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { RawRegion } from '../topic/record.ts'
import type { JoinWindowStoreDefinition } from '../topology/store-definition.ts'
import type { Observations } from './disk.ts'
import { detach } from './key-identity.ts'
import { SeriesLife } from './series-life.ts'
import type { SeriesRow } from './series.ts'
import type { JoinEntry, JoinWindowStore } from './store.ts'
import type { StoreContext } from './store-life.ts'

/**
 * Every value by key and time. Changelog: the key, the time as 64 bits and a sequence number that rises with every put,
 * deletions included, with the headers of the record; nothing replaces anything, so every put goes there at once.
 *
 * The number goes on where the restored records end; Kafka Streams begins at 1 again, and may overwrite with it.
 */
export class MemoryJoinWindowStore<K, V>
  extends SeriesLife<K, JoinEntry<unknown>>
  implements JoinWindowStore<K, V>
{
  protected override readonly suffixBytes = 12
  protected override readonly nullsAreObserved = false
  #sequence: number

  constructor(definition: JoinWindowStoreDefinition, context: StoreContext) {
    super(definition, context)
    this.#sequence = context.disk?.state?.sequence ?? 0
  }

  put(key: K, value: V | null, timestamp: number, headers?: Headers, asRead?: RawRegion): void {
    // A null only shows in the changelog, as in Kafka Streams: it makes no kept value older.
    if (value != null && !this.table.observe(timestamp)) return
    this.#sequence = this.#sequence === largestSequence ? 0 : this.#sequence + 1
    const bytes =
      asRead === undefined ? this.serialize(value ?? null) : asRead.buffer.subarray(asRead.start, asRead.end)
    const keyBytes = this.keys.bytesOf(key)
    this.append(joinKey(keyBytes, timestamp, this.#sequence), bytes, timestamp, headers)
    if (value == null) return
    const row = this.table.put(key, timestamp, this.#sequence, { value: detach(value), timestamp }, timestamp)
    if (this.disk !== undefined) this.table.tracker.save(row, { value: bytes && detach(bytes), timestamp })
  }

  *fetch(key: K, fromMs: number, toMs: number): Generator<JoinEntry<V>, void> {
    for (const { current } of this.table.walkKey(key, fromMs, toMs)) yield current as JoinEntry<V>
  }

  *all(): Generator<readonly [K, JoinEntry<V>], void> {
    for (const { series, current } of this.table.walkTime(-Infinity, Infinity))
      yield [series.key, current as JoinEntry<V>]
  }

  protected override entryOf(value: unknown, timestamp: number): JoinEntry<unknown> {
    return { value, timestamp }
  }

  protected override changelogKey({ series, time, second }: SeriesRow<K, JoinEntry<unknown>>): Bytes {
    return joinKey(series.bytes(this.keys), time, second)
  }

  protected override readSuffix(suffix: ByteReader): readonly [time: number, second: number] {
    const time = suffix.int64()
    const sequence = suffix.int32()
    this.#sequence = Math.max(this.#sequence, sequence)
    return [time, sequence]
  }

  protected override observations(): Observations {
    return { ...super.observations(), sequence: this.#sequence }
  }
}

const joinKey = (key: Bytes, time: number, sequence: number): Bytes =>
  new ByteWriter().bytes(key).int64(time).int32(sequence).finish()

const largestSequence = 0x7fff_ffff
