import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import type { Headers } from '../topic/headers.ts'
import type { RawRegion } from '../topic/record.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { KeyValueStoreDefinition } from '../topology/store-definition.ts'
import type { SavedValue } from './change-tracker.ts'
import type { Disk, Observations } from './disk.ts'
import { KeyIdentity } from './key-identity.ts'
import type { TableRow } from './row-table.ts'
import { RowPacker } from './packed-rows.ts'
import { RowTable } from './row-table.ts'
import type { KeyValueStore, RangeOptions, TimestampedKeyValueStore, ValueAndTimestamp } from './store.ts'
import type { StoreContext } from './state-store-base.ts'
import { StateStoreBase } from './state-store-base.ts'

/** A row's value is never null, and its time stands beside it. */
type Row<K> = TableRow<K, unknown>

/**
 * Latest value by key. The changelog gets the last value of each key that changed since the last flush, in the order of
 * the first change. Deleting what the changelog never held leaves no record.
 */
abstract class AbstractKeyValueStore<K> extends StateStoreBase {
  protected readonly keys: KeyIdentity<K>
  protected readonly table: RowTable<K, unknown>
  readonly #packer = new RowPacker()

  constructor(definition: KeyValueStoreDefinition, context: StoreContext) {
    super(definition, context)
    this.keys = new KeyIdentity(definition, context)
    this.table = new RowTable({
      ...context,
      keys: this.keys,
      tracked: this.tracked,
      log: (row: Row<K>) => this.#log(row),
      encode: (value) => this.encodeRegion(value),
      decode: (packed, key) => this.readStored(packed, 8, packed.length, key),
    })
  }

  approximateCount(): number {
    return Math.max(this.table.liveCount, this.disk?.rows.count() ?? 0)
  }

  prepareWalk(isOver: () => boolean): boolean {
    return this.table.prepareWalk(isOver)
  }

  protected get changes(): RowTable<K, unknown>['tracker'] {
    return this.table.tracker
  }

  protected bytesOf(key: K | undefined): Bytes | undefined {
    return key === undefined ? undefined : this.keys.bytesOf(key)
  }

  protected override restoreRow(columns: RecordColumns, row: number): void {
    const start = columns.keyStarts[row] as number
    if (start < 0) return
    const end = columns.keyEnds[row] as number
    const timestamp = columns.timestamps[row] as number
    if (this.disk !== undefined) {
      const { buffer } = columns
      const value = {
        buffer,
        start: columns.valueStarts[row] as number,
        end: columns.valueEnds[row] as number,
      }
      if (!this.takesRestored(end - start, columns, row)) return
      const key = this.#packer.keyOf({ buffer, start, end })
      this.disk.rows.set(key, value.start < 0 ? undefined : this.#packer.valueOf(value, timestamp))
      return
    }
    const value = this.restoredValue(columns, row)
    this.table.restore(this.keys.read(columns.buffer, start, end), value, timestamp)
  }

  protected override beforeRestore(): void {
    if (this.disk !== undefined) this.table.forgetClean()
  }

  protected override writeRows(disk: Disk, _committed: Observations, isOver: () => boolean): boolean {
    return this.table.writeCommitted(disk, isOver)
  }

  protected override observations(): Observations {
    return {}
  }

  #log(row: Row<K>): SavedValue {
    if (row.current === null && !row.logged) return null
    const saved = this.save(row.bytes(this.keys), row.current, row.timestamp, row.headers)
    row.logged = saved !== null
    return saved
  }
}

/** Values with their times, as the DSL's tables and aggregates keep them. */
export class TimestampedStore<K, V>
  extends AbstractKeyValueStore<K>
  implements TimestampedKeyValueStore<K, V>
{
  get(key: K): ValueAndTimestamp<V> | null {
    const row = this.table.find(key)
    return row === undefined || row.current === null
      ? null
      : { value: this.shown(row.current) as V, timestamp: row.timestamp }
  }

  put(key: K, value: V | null, timestamp: number, headers?: Headers): void {
    this.table.put(key, this.heldOf(this.keys, key, value, headers), this.timeOf(timestamp), headers)
  }

  putAsRead(key: K, value: V, bytes: RawRegion, timestamp: number): void {
    this.table.put(key, this.heldAsRead(this.keys, key, value, bytes), timestamp)
  }

  range(from: K | undefined, to: K | undefined, options?: RangeOptions): IterableIterator<Entry<K, V>> {
    return this.#timed(this.table.walk(this.bytesOf(from), this.bytesOf(to), options))
  }

  prefix(prefix: Bytes, after?: K): IterableIterator<Entry<K, V>> {
    return this.#timed(this.table.walkPrefix(prefix, this.bytesOf(after)))
  }

  all(options?: RangeOptions): IterableIterator<Entry<K, V>> {
    return this.#timed(this.table.walk(undefined, undefined, options))
  }

  *#timed(rows: Iterable<Row<K>>): Generator<Entry<K, V>, void> {
    for (const { key, current, timestamp } of rows)
      yield [this.keys.shown(key), { value: this.shown(current) as V, timestamp }]
  }
}

type Entry<K, V> = readonly [K, ValueAndTimestamp<V>]

/** Values alone; what their puts say of time and headers goes to the changelog. */
export class PlainStore<K, V> extends AbstractKeyValueStore<K> implements KeyValueStore<K, V> {
  get(key: K): V | null {
    return this.shown(this.table.get(key)) as V | null
  }

  put(key: K, value: V | null, timestamp: number, headers?: Headers): void {
    this.table.put(key, this.heldOf(this.keys, key, value, headers), this.#putTime(timestamp), headers)
  }

  /** It becomes the time of a record of the changelog, so a negative one is refused as those of forwarded records are. */
  #putTime(timestamp: number): number {
    const time = this.timeOf(timestamp)
    if (time < 0) throw timestampNegative(time)
    return time
  }

  range(from: K | undefined, to: K | undefined, options?: RangeOptions): IterableIterator<readonly [K, V]> {
    return this.#plain(this.table.walk(this.bytesOf(from), this.bytesOf(to), options))
  }

  prefix(prefix: Bytes, after?: K): IterableIterator<readonly [K, V]> {
    return this.#plain(this.table.walkPrefix(prefix, this.bytesOf(after)))
  }

  all(options?: RangeOptions): IterableIterator<readonly [K, V]> {
    return this.#plain(this.table.walk(undefined, undefined, options))
  }

  *#plain(rows: Iterable<Row<K>>): Generator<readonly [K, V], void> {
    for (const { key, current } of rows) yield [this.keys.shown(key), this.shown(current) as V]
  }
}

const timestampNegative = (time: number): Fault =>
  new Fault({
    code: 'TIMESTAMP_INVALID',
    actor: 'record',
    message: `a row was put with the negative timestamp ${time}`,
    remedy: 'give whole milliseconds since the Unix epoch, as date.getTime() does',
  })
