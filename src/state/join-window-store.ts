import { ByteReader } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { concatBytes } from '../base/bytes.ts'
import type { Fault } from '../base/fault.ts'
import type { Headers } from '../topic/headers.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { columnsOf } from '../topic/record-columns.ts'
import type { RawRegion } from '../topic/record.ts'
import { regionOf, StreamRecord } from '../topic/record.ts'
import type { JoinWindowStoreDefinition } from '../topology/store-definition.ts'
import type { CacheOptions } from './change-tracker.ts'
import { cacheBytesOf, rowsBetweenLooks } from './change-tracker.ts'
import type { Disk, Observations } from './disk.ts'
import { entriesOf } from './disk.ts'
import { JoinRows } from './join-rows.ts'
import type { JoinRow, Segment } from './join-rows.ts'
import { detach, KeyIdentity } from './key-identity.ts'
import { shortKey } from './series-store-base.ts'
import type { JoinEntry, JoinWindowStore, OnUndecodable } from './store.ts'
import type { Changes, StoreContext } from './state-store-base.ts'
import { StateStoreBase, valueBytesAt } from './state-store-base.ts'
import { readSortable, rowKey, sweepTimedRows, timeKey, writeTimedRow } from './timed-rows.ts'
import { unreadableRow } from './unreadable-row.ts'
import { deserialized, serialized } from '../topic/serde.ts'

/**
 * Every value by key and time. Changelog: the key, the time as 64 bits and a sequence number that rises with every put,
 * deletions included, with the headers of the record; nothing replaces anything, so every put goes there at once.
 *
 * Rows are kept as bytes, and decoded when a partner finds them. As none is ever changed, three row numbers say what is
 * flushed, committed and on disk. With a disk, memory holds the newest rows; those that came before are looked up there.
 *
 * The number goes on where the restored records end; Kafka Streams begins at 1 again, and may overwrite with it.
 */
export class MemoryJoinWindowStore<K, V> extends StateStoreBase implements JoinWindowStore<K, V> {
  /** No two records have one key in the changelog: looking for them would be in vain. */
  override readonly keepsLatest = false
  readonly #keys: KeyIdentity<K>
  readonly #retentionMs: number
  readonly #cache: CacheOptions
  readonly #rows = new JoinRows()
  #sequence: number
  #observedMs: number
  /** Rows of the disk that memory does not have are of this time at most. */
  #onlyOnDiskUpToMs: number
  #flushed: Mark = { row: 0, count: 0, expiredUpTo: -Infinity }
  #committed: Mark = this.#flushed
  /** What was committed when the disk was last written: rows before it are there, or need not be. */
  #written: Mark = this.#flushed
  /** What was committed when the batch began that is being written. */
  #writing: Mark | undefined
  #putCount = 0
  /** Where keys of the changelog are put together. */
  #logKey: Bytes = new Uint8Array(64)
  /** Rows that were reported as undecodable, by number: once is enough. */
  readonly #reported = new Set<number>()
  readonly #changes: Changes

  constructor(definition: JoinWindowStoreDefinition, context: StoreContext) {
    super(definition, context)
    const state = context.disk?.state
    this.#keys = new KeyIdentity(definition, context)
    this.#retentionMs = definition.retentionMs
    this.#cache = context
    this.#sequence = state?.sequence ?? 0
    this.#observedMs = state?.observedMs ?? -Infinity
    this.#onlyOnDiskUpToMs = this.#observedMs
    this.#changes = this.#changesOf()
  }

  put(key: K, value: V | null, timestamp: number, headers?: Headers): void {
    this.putRecord(StreamRecord.of(key, value, timestamp, headers))
  }

  putRecord(record: StreamRecord<K, V | null>): void {
    const { timestamp } = record
    const key = this.#keyOf(record)
    const value = record.hasNullValue
      ? null
      : (record.rawValue(this.valueSerde) ??
        regionOf(serialized(this.valueSerde, record.value, 'value', undefined, this.name)))
    // Before time moves on: a row that is refused leaves nothing behind.
    this.checkLengths(key, value, this.logged ? record.headers : undefined)
    // A null only shows in the changelog, as in Kafka Streams: it makes no stored value older.
    if (value !== null && !this.#observe(timestamp)) return
    this.#sequence = this.#sequence === largestSequence ? 0 : this.#sequence + 1
    if (this.logged) this.#log(key, value, record)
    if (value === null) return
    this.#putCount++
    this.#rows.append({
      key,
      value,
      time: timestamp,
      sequence: this.#sequence,
      origin: record.origin,
    })
  }

  fetch(key: K, fromMs: number, toMs: number): readonly JoinEntry<V>[] {
    return this.#find(regionOf(this.#keys.bytesOf(key)), fromMs, toMs)
  }

  fetchFor(
    record: StreamRecord<K, unknown>,
    fromMs: number,
    toMs: number,
    onUndecodable?: OnUndecodable,
  ): readonly JoinEntry<V>[] {
    return this.#find(this.#keyOf(record), fromMs, toMs, onUndecodable)
  }

  *all(): Generator<readonly [K, JoinEntry<V>], void> {
    const here = [...this.#rows.all()].filter(({ time }) => time > this.#expiredUpTo)
    const there = this.disk === undefined ? [] : this.#allOnDisk(this.disk)
    for (const row of withDisk(here, there))
      yield [this.#keys.readStored(row.bytes, row.start, row.keyEnd), this.#storedEntryOf(row)]
  }

  protected override get changes(): Changes {
    return this.#changes
  }

  protected override restoreRow(columns: RecordColumns, row: number): void {
    const start = columns.keyStarts[row] as number
    if (start < 0) return
    const end = columns.keyEnds[row] as number
    const keyEnd = end - suffixBytes
    if (keyEnd < start) throw shortKey(this.name)
    const suffix = new ByteReader(columns.buffer, keyEnd, end)
    const time = suffix.int64()
    const sequence = suffix.int32()
    this.#sequence = Math.max(this.#sequence, sequence)
    const value = valueBytesAt(columns, row)
    if (value === null || !this.#observe(time)) return
    if (!this.takesRestored(keyEnd - start, columns, row)) return
    const key = { buffer: columns.buffer, start, end: keyEnd }
    if (this.disk === undefined) {
      this.#rows.append({ key, value: regionOf(value), time, sequence, origin: undefined })
      return
    }
    const timestamp = columns.timestamps[row] as number
    writeTimedRow(
      this.disk,
      columns.buffer.subarray(start, keyEnd),
      time,
      sequence,
      { value, timestamp },
      false,
    )
    this.#onlyOnDiskUpToMs = Math.max(this.#onlyOnDiskUpToMs, time)
  }

  protected override beforeRestore(): void {}

  protected override writeRows(disk: Disk, committed: Observations, isOver: () => boolean): boolean {
    const { freedUpToMs = -Infinity } = committed
    const batch = (this.#writing ??= this.#committed)
    for (const segment of this.#rows.segments)
      if (!this.#writeSegment(disk, segment, batch.row, freedUpToMs, isOver)) return false
    this.#written = batch
    this.#writing = undefined
    sweepTimedRows(disk, freedUpToMs)
    this.#free()
    if (this.#rows.heldBytes > cacheBytesOf(this.#cache)) this.#evict()
    return true
  }

  protected override observations(): Observations {
    return { observedMs: this.#observedMs, freedUpToMs: this.#expiredUpTo, sequence: this.#sequence }
  }

  #changesOf(): Changes {
    const committedCount = (): number => this.#committed.count - this.#written.count
    return {
      get committedCount() {
        return committedCount()
      },
      flush: () => {
        this.#flushed = { row: this.#rows.end, count: this.#putCount, expiredUpTo: this.#expiredUpTo }
      },
      commit: () => {
        this.#committed = this.#flushed
        this.#free()
      },
    }
  }

  get #expiredUpTo(): number {
    return this.#observedMs - this.#retentionMs
  }

  #keyOf(record: StreamRecord<K, unknown>): RawRegion {
    return record.rawKey(this.#keys.serde) ?? regionOf(this.#keys.bytesOf(record.key))
  }

  #log(key: RawRegion, value: RawRegion | null, { timestamp, headers }: StreamRecord<K, unknown>): void {
    const end = key.end - key.start + suffixBytes
    if (this.#logKey.length < end) this.#logKey = new Uint8Array(end * 2)
    writeJoinKey(this.#logKey, key, timestamp, this.#sequence)
    this.appendRegions({ buffer: this.#logKey, start: 0, end }, value, timestamp, headers)
  }

  /** Moves time on; false where a row of `time` is not to be kept. */
  #observe(time: number): boolean {
    if (time > this.#observedMs) {
      this.#observedMs = time
      this.#free()
    }
    return time > this.#expiredUpTo
  }

  /**
   * Lets segments go whose rows have all expired. A row that is committed but not on disk must have expired by what is
   * committed: the disk must not lack what only uncommitted puts have expired.
   */
  #free(): void {
    for (;;) {
      const { oldest } = this.#rows
      if (oldest === undefined || oldest.maxTime > this.#freeableUpTo(oldest)) return
      this.#rows.dropOldest()
    }
  }

  #freeableUpTo({ firstRow, end }: Segment): number {
    if (this.disk === undefined || end <= this.#written.row) return this.#expiredUpTo
    if (firstRow < this.#committed.row) return this.#committed.expiredUpTo
    return firstRow < this.#flushed.row ? this.#flushed.expiredUpTo : this.#expiredUpTo
  }

  /** Writes rows of a batch that ends before row `batchEnd`; false where `isOver` came before the last. */
  #writeSegment(
    disk: Disk,
    segment: Segment,
    batchEnd: number,
    freedUpToMs: number,
    isOver: () => boolean,
  ): boolean {
    const { firstRow, end, times, sequences } = segment
    if (end <= this.#written.row || segment.maxTime <= freedUpToMs) return true
    const until = Math.min(end, batchEnd) - firstRow
    for (let index = Math.max(0, this.#written.row - firstRow); index < until; index++) {
      const time = times[index] as number
      if (time <= freedUpToMs) continue
      const saved = { value: segment.valueBytes(index), timestamp: time }
      writeTimedRow(disk, segment.keyBytes(index), time, sequences[index] as number, saved, false)
      if (index % rowsBetweenLooks !== 0 || !isOver()) continue
      this.#written = { ...this.#written, row: firstRow + index + 1 }
      return false
    }
    return true
  }

  /** The oldest rows are left to the disk, until a good part of the room is free. */
  #evict(): void {
    const target = cacheBytesOf(this.#cache) * 0.75
    let heldBytes = this.#rows.heldBytes
    let count = 0
    for (const segment of this.#rows.segments) {
      if (heldBytes <= target || segment.end > this.#written.row) break
      this.#onlyOnDiskUpToMs = Math.max(this.#onlyOnDiskUpToMs, segment.maxTime)
      heldBytes -= segment.heldBytes
      count++
    }
    if (count > 0) this.#rows.evict(count)
  }

  #find(
    key: RawRegion,
    fromMs: number,
    toMs: number,
    onUndecodable?: OnUndecodable,
  ): readonly JoinEntry<V>[] {
    const from = Math.max(fromMs, this.#expiredUpTo + 1)
    let rows = this.#rows.find(key, from, toMs)
    if (from <= this.#onlyOnDiskUpToMs && this.disk !== undefined)
      rows = withDisk(rows, this.#rowsOnDisk(this.disk, key, from, toMs))
    return rows.length === 0 ? noEntries : this.#entriesOf(rows, onUndecodable)
  }

  #entriesOf(rows: readonly JoinRow[], onUndecodable: OnUndecodable | undefined): JoinEntry<V>[] {
    const entries: JoinEntry<V>[] = []
    for (const row of rows) {
      try {
        entries.push(this.#entryOf(row))
      } catch (error) {
        if (onUndecodable === undefined) throw this.#unreadable(row, error)
        if (this.#reported.has(row.sequence)) continue
        if (this.#reported.size >= mostReported) this.#reported.clear()
        this.#reported.add(row.sequence)
        onUndecodable(this.#recordOf(row), row.place && { ...row.place, offset: row.offset }, error)
      }
    }
    return entries
  }

  #entryOf({ bytes, keyEnd, end, time }: JoinRow): JoinEntry<V> {
    return { value: detach(deserialized(this.valueSerde, bytes, keyEnd, end)) as V, timestamp: time }
  }

  #storedEntryOf(row: JoinRow): JoinEntry<V> {
    try {
      return this.#entryOf(row)
    } catch (error) {
      throw this.#unreadable(row, error)
    }
  }

  #unreadable({ bytes, start, keyEnd }: JoinRow, cause: unknown): Fault {
    return unreadableRow(this.name, bytes.subarray(start, keyEnd), cause)
  }

  /** A row as the record it once was, to report its fault. */
  #recordOf({ bytes, start, keyEnd, end, time, offset, place }: JoinRow): StreamRecord<unknown, unknown> {
    const parts = { key: bytes.subarray(start, keyEnd), value: bytes.subarray(keyEnd, end) }
    const columns = columnsOf([{ ...parts, timestamp: time, offset }])
    const { topic = '', partition = -1 } = place ?? {}
    const batch = { columns, key: this.#keys.serde, value: this.valueSerde, topic, partition }
    return StreamRecord.read(batch, 0, time)
  }

  *#rowsOnDisk({ rows }: Disk, key: RawRegion, from: number, to: number): Generator<JoinRow, void> {
    const bytes = key.buffer.subarray(key.start, key.end)
    const range = {
      from: rowKey(bytes, from, -Infinity),
      to: rowKey(bytes, to, Infinity),
      exclusive: false,
      reverse: false,
    }
    for (const { key: entryKey, value } of entriesOf(rows, range))
      yield diskRow(bytes, value, new ByteReader(entryKey, entryKey.length - 16))
  }

  *#allOnDisk({ rows, byTime }: Disk): Generator<JoinRow, void> {
    const from = timeKey(this.#expiredUpTo + 1, -Infinity, noBytes)
    for (const { key } of entriesOf(byTime, { from, to: undefined, exclusive: false, reverse: false })) {
      const bytes = key.subarray(16)
      const reader = new ByteReader(key)
      const value = rows.get(rowKey(bytes, readSortable(reader), readSortable(reader)))
      if (value !== undefined) yield diskRow(bytes, value, new ByteReader(key))
    }
  }
}

/** How far flushes and commits have come: up to a row, and by what time rows had expired then. */
interface Mark {
  readonly row: number
  readonly count: number
  readonly expiredUpTo: number
}

/** By hand, as this is once for every record of a join. */
const writeJoinKey = (
  target: Bytes,
  { buffer, start, end }: RawRegion,
  time: number,
  sequence: number,
): void => {
  let at = 0
  for (let from = start; from < end; from++) target[at++] = buffer[from] as number
  at = writeInt32(target, at, Math.floor(time / 0x1_0000_0000))
  at = writeInt32(target, at, time | 0)
  writeInt32(target, at, sequence)
}

const writeInt32 = (target: Bytes, at: number, value: number): number => {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
  return at + 4
}

/** What the disk has and memory has not, put in between by time. */
const withDisk = (here: readonly JoinRow[], there: Iterable<JoinRow>): JoinRow[] => {
  const known = new Set(here.map(({ sequence }) => sequence))
  const more = [...there].filter(({ sequence }) => !known.has(sequence))
  return [...here, ...more].sort(byTime)
}

const byTime = (left: JoinRow, right: JoinRow): number =>
  left.time - right.time || left.sequence - right.sequence

/** A row of the disk, whose value has its time before it; `suffix` reads its time and its number. */
const diskRow = (key: Bytes, packed: Bytes, suffix: ByteReader): JoinRow => ({
  bytes: concatBytes(key, packed.subarray(8)),
  start: 0,
  keyEnd: key.length,
  end: key.length + packed.length - 8,
  time: readSortable(suffix),
  sequence: readSortable(suffix),
  place: undefined,
  offset: -1,
})

const noEntries: readonly never[] = []
const noBytes = new Uint8Array(0)
/** The time and the sequence number behind a key. */
const suffixBytes = 12
const mostReported = 10_000
const largestSequence = 0x7fff_ffff
