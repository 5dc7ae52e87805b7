import type { Bytes } from '../base/bytes.ts'
import { copyBytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import { LentBytes } from '../topic/lent-bytes.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { RawRegion } from '../topic/record.ts'
import { bytesOfRegion, regionOf } from '../topic/record.ts'
import type { Deserializer, Serializer } from '../topic/serde.ts'
import { deserializeAll, deserialized, serialized } from '../topic/serde.ts'
import { sizeOfHeaders } from '../topic/record-size.ts'
import { wholeTime } from '../topology/record-times.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { CacheOptions, SavedValue } from './change-tracker.ts'
import { isKeptAsItIs } from './change-tracker.ts'
import type { Disk, DiskState, Observations, WrittenPart } from './disk.ts'
import { FrozenValues } from './frozen-values.ts'
import type { KeyIdentity } from './key-identity.ts'
import { detach } from './key-identity.ts'
import { PutCheck } from './put-check.ts'
import type { SkippedRows } from './skipped-rows.ts'
import type { ChangelogSink, StateStore } from './store.ts'
import { RowNotRestored, unreadableRow } from './unreadable-row.ts'
import type { ValueOptions } from './value-options.ts'

/** What every kind of store is opened with. */
export interface StoreContext extends CacheOptions, ValueOptions {
  readonly changelog: ChangelogSink
  /** Undefined for a store that lives in memory alone. */
  readonly disk: Disk | undefined
  /** Counts restored rows that the disk cannot hold. */
  readonly skipped?: SkippedRows | undefined
}

/** The changes of a store, as its life cycle needs them. */
export interface Changes {
  readonly committedCount: number
  flush(): void
  commit(): void
}

/**
 * The life cycle that all kinds share: changes are flushed to the changelog, committed, and then, if there is a disk,
 * written in its next batch together with the offset they belong to.
 */
export abstract class StateStoreBase implements StateStore {
  readonly name: string
  readonly keepsLatest: boolean = true
  readonly logged: boolean
  protected readonly disk: Disk | undefined
  protected readonly valueSerde: Serializer<unknown> & Deserializer<unknown>
  readonly #changelog: ChangelogSink
  readonly #check: PutCheck
  /** Undefined in production. */
  readonly #frozen: FrozenValues | undefined
  readonly #skipped: SkippedRows | undefined
  readonly #lent = new LentBytes()
  #changelogOffset: number
  /** What was observed up to the last flush, and up to the last commit: later puts are not to be seen on disk. */
  #flushed: Observations = {}
  #committed: Observations
  /** What the disk holds once the batch is whole that is being written. */
  #batch: DiskState | undefined
  #closed = false

  constructor(definition: StoreDefinition, context: StoreContext) {
    const { changelog, disk, skipped } = context
    this.#skipped = skipped
    this.name = definition.name
    this.logged = definition.changelog
    this.valueSerde = definition.value as unknown as Serializer<unknown> & Deserializer<unknown>
    this.#frozen = context.frozen === true ? new FrozenValues(this.valueSerde) : undefined
    this.#check = new PutCheck(definition, context, this.#frozen)
    this.disk = disk
    this.#changelog = changelog
    this.#changelogOffset = disk?.state?.changelogOffset ?? 0
    this.#committed = disk?.state ?? {}
    disk?.attach((isOver) => this.#writeCommitted(isOver))
  }

  protected abstract readonly changes: Changes
  /** Applies one record of the changelog. */
  protected abstract restoreRow(columns: RecordColumns, row: number): void
  /** Puts committed rows into the disk's open batch until `isOver`; true once all of them are there. */
  protected abstract writeRows(disk: Disk, committed: Observations, isOver: () => boolean): boolean
  /** What the store has to know again beside its rows. */
  protected abstract observations(): Observations
  /** Before a batch of the changelog is applied: what memory holds of the disk may become outdated. */
  protected abstract beforeRestore(): void
  /** After it, with the disk's batch still open. */
  protected afterRestore(): void {}

  flush(): void {
    this.changes.flush()
    this.#flushed = this.observations()
  }

  persist(changelogOffset: number): void {
    this.changes.commit()
    this.#committed = this.#flushed
    this.#changelogOffset = changelogOffset
    this.disk?.persist(this.changes.committedCount)
  }

  changelogOffset(): number {
    return this.#changelogOffset
  }

  restore(columns: RecordColumns): void {
    if (columns.count === 0) return
    this.beforeRestore()
    const { disk } = this
    if (disk === undefined) this.#restoreRows(columns)
    else
      disk.write(() => {
        // Before what is newer: rows of a batch that is being written are older.
        if (this.#batch !== undefined) this.#writeCommitted(never)
        this.#restoreRows(columns)
        this.afterRestore()
        return this.#writeCommitted(never).state
      })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.disk?.close()
  }

  protected get tracked(): boolean {
    return this.logged || this.disk !== undefined
  }

  /** What the store holds of a value that is put; throws where the key or the value could not be written. */
  protected heldOf<K>(keys: KeyIdentity<K>, key: K, value: unknown, headers?: Headers): unknown {
    const besideBytes = this.#check.key(keys, key) + sizeOfHeaders(headers)
    if (value !== null) return this.#check.value(value, besideBytes)
    this.#check.recordLength(besideBytes)
    return null
  }

  /** The same for a value that the store's serde has read from these bytes. */
  protected heldAsRead<K>(keys: KeyIdentity<K>, key: K, value: unknown, bytes: RawRegion): unknown {
    return this.#check.valueAsRead(value, bytes, this.#check.key(keys, key))
  }

  /** The same for a row that lies as bytes. */
  protected checkLengths(key: RawRegion, value: RawRegion | null, headers: Headers | undefined): void {
    const keyBytes = key.end - key.start
    this.#check.keyLength(keyBytes)
    const valueBytes = value === null ? 0 : value.end - value.start
    this.#check.recordLength(keyBytes + valueBytes + sizeOfHeaders(headers))
  }

  /** False for a restored row whose key the disk does not take; it is counted. A deletion of such a row loses nothing. */
  protected takesRestored(keyBytes: number, columns: RecordColumns, row: number): boolean {
    if (this.disk === undefined || this.#check.takesKey(keyBytes)) return true
    if ((columns.valueStarts[row] as number) >= 0) this.#skipped?.add(keyBytes)
    return false
  }

  /** A time that is put, in whole milliseconds. */
  protected timeOf(timestamp: number): number {
    return Number.isSafeInteger(timestamp) ? timestamp : wholeTime(`store '${this.name}'`, timestamp)
  }

  /** A value as bytes; null for a deletion. */
  protected serialize(value: unknown): Bytes | null {
    return value === null ? null : serialized(this.valueSerde, value, 'value', undefined, this.name)
  }

  protected get frozen(): boolean {
    return this.#frozen !== undefined
  }

  /** A value that the store holds, as a reader gets it. */
  protected shown(value: unknown): unknown {
    return this.#frozen === undefined ? value : this.#frozen.shown(value)
  }

  /** The value of a restored record as the store holds it; null for a deletion. */
  protected restoredValue(columns: RecordColumns, row: number): unknown {
    const start = columns.valueStarts[row] as number
    return start < 0 ? null : this.#read(columns.buffer, start, columns.valueEnds[row] as number)
  }

  /** The value of the row of `key` that the store holds already. */
  protected readStored(bytes: Bytes, start: number, end: number, key: Bytes): unknown {
    try {
      return this.#read(bytes, start, end)
    } catch (error) {
      throw unreadableRow(this.name, key, error)
    }
  }

  /** Gives a row to the changelog where there is one, null to delete it; returns what the disk then holds of the value. */
  protected save(key: Bytes, value: unknown, timestamp: number, headers?: Headers): SavedValue {
    if (isKeptAsItIs(value)) {
      this.appendRegions(
        regionOf(key),
        this.#lent.regionOf(this.valueSerde, value, undefined, this.name),
        timestamp,
        headers,
      )
      return value
    }
    const bytes = this.serialize(value)
    this.append(key, bytes, timestamp, headers)
    return bytes
  }

  /** What a flush saved, as bytes. */
  protected encode(saved: NonNullable<SavedValue>): Bytes {
    return saved instanceof Uint8Array
      ? saved
      : serialized(this.valueSerde, saved, 'value', undefined, this.name)
  }

  /** The same in memory that serves the next value too. */
  protected encodeRegion(saved: NonNullable<SavedValue>): RawRegion {
    return saved instanceof Uint8Array
      ? regionOf(saved)
      : this.#lent.regionOf(this.valueSerde, saved, undefined, this.name)
  }

  protected append(key: Bytes, value: Bytes | null, timestamp: number, headers?: Headers): void {
    if (this.logged) this.#changelog.append(this.name, key, value, timestamp, headers)
  }

  /** The same for bytes that are written over afterwards. */
  protected appendRegions(
    key: RawRegion,
    value: RawRegion | null,
    timestamp: number,
    headers?: Headers,
  ): void {
    if (!this.logged) return
    const sink = this.#changelog
    if (sink.appendRegions !== undefined) {
      sink.appendRegions(this.name, key, value, timestamp, headers)
      return
    }
    sink.append(this.name, copyOf(key), value && copyOf(value), timestamp, headers)
  }

  #read(buffer: Bytes, start: number, end: number): unknown {
    const serde = this.valueSerde
    if (this.#frozen === undefined) return detach(deserialized(serde, buffer, start, end))
    return this.#frozen.read(deserializeAll(serde, buffer.slice(start, end)))
  }

  #restoreRows(columns: RecordColumns): void {
    for (let row = 0; row < columns.count; row++)
      try {
        this.restoreRow(columns, row)
      } catch (cause) {
        throw new RowNotRestored(columns, row, cause)
      }
    this.#changelogOffset = (columns.offsets[columns.count - 1] as number) + 1
    this.#flushed = this.observations()
    this.#committed = this.#flushed
  }

  #writeCommitted(isOver: () => boolean): WrittenPart {
    const state = (this.#batch ??= { ...this.#committed, changelogOffset: this.#changelogOffset })
    const isWhole = this.disk === undefined || this.writeRows(this.disk, state, isOver)
    if (isWhole) this.#batch = undefined
    return { state, isWhole }
  }
}

const never = (): boolean => false

const copyOf = (region: RawRegion): Bytes => copyBytes(bytesOfRegion(region))

/** The serialised value of a restored record, or null. */
export const valueBytesAt = (columns: RecordColumns, row: number): Bytes | null => {
  const start = columns.valueStarts[row] as number
  return start < 0 ? null : columns.buffer.subarray(start, columns.valueEnds[row])
}
