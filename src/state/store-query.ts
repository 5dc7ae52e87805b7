import type { Bytes } from '../base/bytes.ts'

/**
 * What may be asked of a store from outside its task, and what it answers, as plain data with keys and values as bytes:
 * it goes to another thread or process as it is, and no caller gets hold of an object that the store still uses.
 */
export type StoreQuery =
  /** One key of a key-value store, or the version that held as of a time. */
  | { readonly kind: 'get'; readonly key: Bytes; readonly asOfMs?: number | undefined }
  /** The windows of one key by start, its sessions that touch these times, or its versions. */
  | ({ readonly kind: 'key'; readonly key: Bytes } & TimeRange)
  /** Keys of a key-value store from one to another, both inclusive, in the order of their bytes. */
  | {
      readonly kind: 'range'
      readonly from?: Bytes | undefined
      readonly to?: Bytes | undefined
      readonly reverse?: boolean | undefined
    }
  /** Keys of a key-value store that begin with these bytes. */
  | { readonly kind: 'prefix'; readonly prefix: Bytes }
  /** The windows of all keys by start, or their sessions by end. */
  | ({ readonly kind: 'time' } & TimeRange)

/** Both ends inclusive; undefined is as far as there is anything. */
export interface TimeRange {
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** Where a page ended, so that the next one goes on behind it. */
export interface RowPlace {
  readonly key: Bytes
  /** A window's start, a session's end, a version's time. */
  readonly time?: number | undefined
  /** A session's start. */
  readonly second?: number | undefined
}

export interface StoreRow {
  readonly key: Bytes
  readonly value: Bytes
  readonly timestamp?: number | undefined
  /** Of a window or session. */
  readonly startMs?: number | undefined
  readonly endMs?: number | undefined
  /** When the next version took over; undefined for the latest. */
  readonly validToMs?: number | undefined
}

export interface StorePage {
  readonly rows: readonly StoreRow[]
  /** Where to go on; undefined at the end. */
  readonly after?: RowPlace | undefined
}

/** One page of one partition of a store. */
export interface PageRequest {
  readonly store: string
  readonly partition: number
  readonly query: StoreQuery
  readonly limit: number
  readonly after?: RowPlace | undefined
  /** True where a copy will do that follows the store's changelog and may be behind. */
  readonly copy?: boolean | undefined
  /** How long the read may wait for its turn; defaults to no limit. */
  readonly timeoutMs?: number | undefined
}
