import { ByteReader } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { SessionStoreDefinition, WindowStoreDefinition } from '../topology/store-definition.ts'
import type { SavedValue } from './change-tracker.ts'
import type { Disk, Observations } from './disk.ts'
import { KeyIdentity } from './key-identity.ts'
import { SeriesTable } from './series-table.ts'
import type { SeriesRow } from './series.ts'
import type { ValueAndTimestamp, WalkPlan } from './store.ts'
import type { StoreContext } from './state-store-base.ts'
import { StateStoreBase, valueBytesAt } from './state-store-base.ts'
import { writeTimedRow } from './timed-rows.ts'

/** The life cycle of stores by key and time; the kinds differ in the bytes of their changelog keys and in what they show. */
export abstract class SeriesStoreBase<K, C extends ValueAndTimestamp<unknown>> extends StateStoreBase {
  protected readonly keys: KeyIdentity<K>
  protected readonly table: SeriesTable<K, C>

  constructor(definition: WindowStoreDefinition | SessionStoreDefinition, context: StoreContext) {
    super(definition, context)
    this.keys = new KeyIdentity(definition, context)
    this.table = new SeriesTable<K, C>({
      ...context,
      keys: this.keys,
      tracked: this.tracked,
      retentionMs: definition.retentionMs,
      lingers: definition.kind === 'session',
      log: (row) => this.#log(row),
      encode: (value) => this.encode(value),
      decode: (packed, key, time) =>
        this.entryOf(this.readStored(packed, 8, packed.length, key), new ByteReader(packed).int64(), time),
    })
  }

  protected get changes(): SeriesTable<K, C>['tracker'] {
    return this.table.tracker
  }

  holdTime(timeMs: number): void {
    this.table.holdTime(timeMs)
  }

  prepareWalk(isOver: () => boolean, { fromMs = -Infinity, rowCount }: WalkPlan): boolean {
    return this.table.prepareWalk(fromMs, rowCount, isOver)
  }

  /** What readers see of a row. */
  protected abstract entryOf(value: unknown, timestamp: number, time: number): C
  protected abstract changelogKey(row: SeriesRow<K, C>): Bytes
  /** How many bytes of a changelog key come behind the key itself. */
  protected abstract readonly suffixBytes: number
  /** What those bytes say. */
  protected abstract readSuffix(suffix: ByteReader): readonly [time: number, second: number]

  /** Returns false where the row is past retention, and nothing was kept. */
  protected putRow(key: K, time: number, second: number, value: unknown, timestamp: number): boolean {
    // Before time moves on: a row that is refused leaves nothing behind.
    const held = this.heldOf(this.keys, key, value)
    if (!this.table.observe(time)) return false
    const current = held === null ? null : this.entryOf(held, timestamp, time)
    this.table.touch(this.table.put(key, time, second, current, timestamp))
    return true
  }

  protected override restoreRow(columns: RecordColumns, row: number): void {
    const start = columns.keyStarts[row] as number
    if (start < 0) return
    const end = columns.keyEnds[row] as number
    const keyEnd = end - this.suffixBytes
    if (keyEnd < start) throw shortKey(this.name)
    const [time, second] = this.readSuffix(new ByteReader(columns.buffer, keyEnd, end))
    if (!this.table.observe(time)) return
    const timestamp = columns.timestamps[row] as number
    if (this.disk !== undefined) {
      if (!this.takesRestored(keyEnd - start, columns, row)) return
      const saved = { value: valueBytesAt(columns, row), timestamp }
      writeTimedRow(this.disk, columns.buffer.subarray(start, keyEnd), time, second, saved, false)
      return
    }
    const value = this.restoredValue(columns, row)
    const key = this.keys.read(columns.buffer, start, keyEnd)
    this.table.restore(key, time, second, value === null ? null : this.entryOf(value, timestamp, time))
  }

  protected override beforeRestore(): void {
    if (this.disk !== undefined) this.table.forgetClean()
  }

  protected override writeRows(disk: Disk, committed: Observations, isOver: () => boolean): boolean {
    return this.table.writeCommitted(disk, committed.freedUpToMs ?? -Infinity, isOver)
  }

  protected override observations(): Observations {
    const { observedMs, freedUpToMs } = this.table
    return { observedMs, freedUpToMs }
  }

  #log(row: SeriesRow<K, C>): SavedValue {
    const value = row.current?.value ?? null
    // A row of the largest time is always said, as retention after a restore goes by it.
    if (value === null && !row.logged && row.time < this.table.observedMs) return null
    const saved = this.save(this.changelogKey(row), value, row.timestamp, row.headers)
    row.logged = saved !== null
    return saved
  }
}

export const shortKey = (store: string): Fault =>
  new Fault({
    code: 'CHANGELOG_KEY_INVALID',
    actor: 'runtime',
    message: 'a record of the changelog has a key that is too short for this kind of store',
    remedy: 'check that no other application writes to the changelog topic, or give the store another name',
    place: { store },
  })
