import { ByteReader, ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { regionOf } from '../topic/record.ts'
import type { VersionedStoreDefinition } from '../topology/store-definition.ts'
import type { SavedValue } from './change-tracker.ts'
import type { Disk, Observations } from './disk.ts'
import { KeyIdentity } from './key-identity.ts'
import type { TableRow } from './row-table.ts'
import { RowTable } from './row-table.ts'
import type { RangeOptions, VersionedRecord, VersionedStore } from './store.ts'
import type { StoreContext } from './state-store-base.ts'
import { StateStoreBase } from './state-store-base.ts'
import { TimeBuckets } from './time-buckets.ts'

/** One version: in force from its time until that of the next. Null is a deletion. */
interface Version {
  readonly timestamp: number
  readonly value: unknown
}

/** The versions of one key, by time; never changed in place. */
type Versions = readonly Version[]

/**
 * Every value by key and time, as Kafka Streams' `RocksDBVersionedStore`: history reaches `historyRetentionMs` behind
 * the largest time put; what is older is refused, but still in the changelog, as there. The latest value never expires.
 *
 * Every put goes to the changelog at once: versions do not replace each other, so there is nothing to wait for.
 */
export class VersionedRows<K, V> extends StateStoreBase implements VersionedStore<K, V> {
  /** Each record of a key is a version of it. */
  override readonly keepsLatest = false
  readonly #keys: KeyIdentity<K>
  readonly #table: RowTable<K, Versions>
  readonly #historyMs: number
  /** Keys by the time at which something of theirs leaves history. */
  readonly #leaving: TimeBuckets<K>
  #observedMs: number

  constructor(definition: VersionedStoreDefinition, context: StoreContext) {
    super(definition, context)
    this.#keys = new KeyIdentity(definition, context)
    this.#historyMs = definition.historyRetentionMs
    this.#leaving = new TimeBuckets(Math.max(1, Math.ceil(this.#historyMs / 16)))
    this.#observedMs = context.disk?.state?.observedMs ?? -Infinity
    this.#table = new RowTable({
      ...context,
      keys: this.#keys,
      tracked: context.disk !== undefined,
      log: (row: TableRow<K, Versions>) => this.#save(row),
      encode: (value) => regionOf(this.encode(value)),
      decode: (packed, key) => this.#decode(packed, key),
    })
  }

  put(key: K, value: V | null, timestamp: number): number | 'latest' | 'refused' {
    const time = this.timeOf(timestamp)
    const held = this.heldOf(this.#keys, key, value)
    this.append(this.#keys.bytesOf(key), this.serialize(held), time)
    return this.#add(key, held, time)
  }

  get(key: K, asOfMs?: number): VersionedRecord<V> | null {
    const versions = this.#table.get(key)
    if (versions === null) return null
    const last = versions.length - 1
    if (asOfMs === undefined) return this.#recordAt(versions, last)
    const index = indexAsOf(versions, asOfMs)
    // The latest holds however old it is; everything else ends where history does.
    return index === last || asOfMs >= this.#observedMs - this.#historyMs
      ? this.#recordAt(versions, index)
      : null
  }

  *versions(
    key: K,
    fromMs: number = -Infinity,
    toMs: number = Infinity,
  ): Generator<VersionedRecord<V>, void> {
    const versions = this.#table.get(key) ?? []
    const oldest = Math.max(fromMs, this.#observedMs - this.#historyMs)
    for (let index = 0; index < versions.length; index++) {
      const record = this.#recordAt(versions, index)
      if (record === null || record.timestamp > toMs) continue
      if (record.validToMs === undefined || record.validToMs > oldest) yield record
    }
  }

  all(): Generator<readonly [K, VersionedRecord<V>], void> {
    return this.range(undefined, undefined)
  }

  *range(
    from: K | undefined,
    to: K | undefined,
    options?: RangeOptions,
  ): Generator<readonly [K, VersionedRecord<V>], void> {
    const bytesOf = (key: K | undefined): Bytes | undefined =>
      key === undefined ? undefined : this.#keys.bytesOf(key)
    for (const { key, current } of this.#table.walk(bytesOf(from), bytesOf(to), options)) {
      const record = this.#recordAt(current, current.length - 1)
      if (record !== null) yield [this.#keys.shown(key), record]
    }
  }

  prepareWalk(isOver: () => boolean): boolean {
    return this.#table.prepareWalk(isOver)
  }

  protected get changes(): RowTable<K, Versions>['tracker'] {
    return this.#table.tracker
  }

  protected override restoreRow(columns: RecordColumns, row: number): void {
    const start = columns.keyStarts[row] as number
    if (start < 0) return
    if (!this.takesRestored((columns.keyEnds[row] as number) - start, columns, row)) return
    const key = this.#keys.read(columns.buffer, start, columns.keyEnds[row])
    this.#add(key, this.restoredValue(columns, row), columns.timestamps[row] as number)
  }

  protected override beforeRestore(): void {}

  protected override afterRestore(): void {
    this.#table.tracker.flush()
    this.#table.tracker.commit()
  }

  protected override writeRows(disk: Disk, _committed: Observations, isOver: () => boolean): boolean {
    return this.#table.writeCommitted(disk, isOver)
  }

  protected override observations(): Observations {
    return { observedMs: this.#observedMs }
  }

  #recordAt(versions: Versions, index: number): VersionedRecord<V> | null {
    const version = versions[index]
    if (version === undefined || version.value === null) return null
    return {
      value: this.shown(version.value) as V,
      timestamp: version.timestamp,
      validToMs: versions[index + 1]?.timestamp,
    }
  }

  #add(key: K, value: unknown, timestamp: number): number | 'latest' | 'refused' {
    if (timestamp < this.#observedMs - this.#historyMs) return 'refused'
    const known = this.#table.get(key) ?? []
    const before = indexAsOf(known, timestamp)
    // A value beside a first deletion of its time: the deletion is in force again when the value is deleted.
    const isReplaced =
      known[before]?.timestamp === timestamp && !(value !== null && isFirstDeletion(known, before))
    const versions = known.toSpliced(
      isReplaced ? before : before + 1,
      isReplaced ? 1 : 0,
      ...(value === null && isReplaced && isForgotten(known, before) ? [] : [{ timestamp, value }]),
      ...(value === null && endsWithNewest(known, before)
        ? [{ ...(known.at(-1) as Version), value: null }]
        : []),
    )
    this.#observe(timestamp)
    this.#keep(key, versions, timestamp)
    return known[before + 1]?.timestamp ?? 'latest'
  }

  #keep(key: K, versions: Versions, timestamp: number): void {
    const left = this.#withoutExpired(versions)
    this.#table.put(key, left.length === 0 ? null : left, timestamp)
    // A single value never leaves; anything else does so when what ends its first version leaves history.
    const leavesAt = left[1]?.timestamp ?? (left[0]?.value === null ? left[0].timestamp : undefined)
    if (leavesAt !== undefined) this.#leaving.add(leavesAt, key)
  }

  #observe(timestamp: number): void {
    if (timestamp <= this.#observedMs) return
    this.#observedMs = timestamp
    for (const key of this.#leaving.takeUpTo(timestamp - this.#historyMs)) {
      const versions = this.#table.get(key)
      if (versions !== null) this.#keep(key, versions, timestamp)
    }
  }

  /** Drops versions that ended before history begins, and deletions that no older value needs. */
  #withoutExpired(versions: Versions): Versions {
    const oldest = this.#observedMs - this.#historyMs
    let start = 0
    while (start < versions.length) {
      const endsAt = versions[start + 1]?.timestamp
      const isOver =
        endsAt === undefined
          ? versions[start]?.value === null && (versions[start]?.timestamp as number) < oldest
          : endsAt < oldest
      if (!isOver) break
      start++
    }
    return start === 0 ? versions : versions.slice(start)
  }

  #save({ current }: TableRow<K, Versions>): SavedValue {
    if (current === null) return null
    const writer = new ByteWriter().int32(current.length)
    for (const version of current) writer.int64(version.timestamp).sized(this.serialize(version.value))
    return writer.finish()
  }

  #decode(packed: Bytes, key: Bytes): Versions {
    const reader = new ByteReader(packed)
    reader.int64()
    return reader.items(versionBytes, () => {
      const timestamp = reader.int64()
      const length = reader.int32()
      if (length < 0) return { timestamp, value: null }
      const start = reader.skip(length)
      return { timestamp, value: this.readStored(packed, start, start + length, key) }
    })
  }
}

/** The time and the length of a version's value. */
const versionBytes = 12

/**
 * As in Kafka Streams, a deletion at the very time of the latest value takes it away as if it had never been, where no
 * other value ended with it: an older value that comes after it is then the newest.
 */
const isForgotten = (known: Versions, index: number): boolean =>
  index === known.length - 1 && known[index]?.value !== null && (known[index - 1]?.value ?? null) === null

/** A deletion right before the newest value ends with it, so the time of that value is remembered if it is deleted. */
const endsWithNewest = (known: Versions, index: number): boolean => {
  const newest = known[index + 1]
  return index === known.length - 2 && newest?.value !== null && known[index]?.timestamp !== newest?.timestamp
}

/** The newest version is a deletion that no other value ended with. */
const isFirstDeletion = (known: Versions, index: number): boolean =>
  index === known.length - 1 && known[index]?.value === null && (known[index - 1]?.value ?? null) === null

/** The last version at or before that time; -1 where there is none. */
const indexAsOf = (versions: Versions, asOfMs: number): number => {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((versions[middle] as Version).timestamp <= asOfMs) low = middle + 1
    else high = middle
  }
  return low - 1
}
