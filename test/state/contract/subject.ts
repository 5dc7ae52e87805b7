import type { Bytes } from '../../../src/base/bytes.ts'
import { copyBytes } from '../../../src/base/bytes.ts'
import type { ChangelogSink, StateStore } from '../../../src/state/store.ts'
import type { Headers } from '../../../src/topic/headers.ts'
import type { RecordRow } from '../../../src/topic/record-columns.ts'
import { columnsOf } from '../../../src/topic/record-columns.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'

/** An implementation of the stores, as the contract drives it. */
export interface Subject {
  readonly name: string
  /** True where a place remembers what was persisted. */
  readonly durable: boolean
  /** A new and empty place. */
  readonly place: (options?: PlaceOptions) => Place
}

export interface PlaceOptions {
  readonly cacheBytes?: number
  readonly frozen?: boolean
}

/** Where stores are opened; opened again, it is a process that was started again. */
export interface Place {
  open(definition: StoreDefinition, changelog: ChangelogSink): StateStore
  /** Gives up what was not persisted, as a crash does, except that what was committed is written. */
  restart(): Promise<void>
  close(): Promise<void>
}

export interface ChangelogRow extends RecordRow {
  readonly key: Bytes
  readonly headers: Headers
}

/** A changelog topic: it keeps what it gets. */
export class Changelog implements ChangelogSink {
  readonly rows: ChangelogRow[] = []

  append(_store: string, key: Bytes, value: Bytes | null, timestamp: number, headers: Headers = []): void {
    const row = { key: copyBytes(key), value: value === null ? null : copyBytes(value), timestamp, headers }
    this.rows.push({ ...row, offset: this.rows.length })
  }

  /** Hands the records from `offset` on to a store, in batches of three. */
  restore(store: StateStore, offset = store.changelogOffset()): void {
    for (let start = offset; start < this.rows.length; start += 3)
      store.restore(columnsOf(this.rows.slice(start, start + 3)))
  }
}
