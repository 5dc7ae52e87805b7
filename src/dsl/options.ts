import type * as z from 'zod'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { serdeOf } from '../topic/topic.ts'
import type { EmitPolicy } from '../topology/node.ts'

/** A serde, or a zod schema that stands for JSON under it. */
export type SerdeSource<T> = Serde<T> | z.ZodType<T>

/** Says what a step is called in descriptions, metrics and faults. */
export interface Named {
  readonly name?: string
}

/** Grouping by a new key: the name becomes part of the repartition topic's. */
export interface GroupByTextOptions<K, V> {
  readonly name: string
  /** UTF-8 text unless given. */
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
  readonly partitions?: number
}

/** The same for keys that are no text, which need their serde. */
export interface GroupByOptions<K, V> extends GroupByTextOptions<K, V> {
  readonly key: Serde<NonNullable<K>>
}

/** How an aggregate or a table is kept. */
export interface StoreOptions {
  /** Reaches the disk and the changelog topic, so it is required and stays over deployments. */
  readonly store: string
  /** `disk` unless said otherwise: a durable copy beside the changelog. */
  readonly storage?: 'memory' | 'disk'
  /** False for a store that a restart may lose. True unless given. */
  readonly changelog?: boolean
}

/** When an aggregate tells its new values: at once, or the last of each key at the next commit. */
export interface EmitOptions {
  /** `onUpdate` unless given. */
  readonly emit?: Exclude<EmitPolicy, 'onWindowClose'>
}

/** How a table is kept. */
export interface TableStoreOptions extends StoreOptions {
  /** Keeps every version of a row that long behind its newest: for joins as of a time, and for out-of-order updates. */
  readonly versioned?: { readonly historyRetention: number }
}

/** Options of a table step whose result is kept only where a store is named. */
export type MaybeStored = Named & Partial<TableStoreOptions>

export interface RepartitionOptions<K, V> {
  readonly name: string
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
  readonly partitions?: number
}

/** What a serde source means as a serde; undefined stays undefined. */
export const optionalSerde = (source: AnySerde | z.ZodType | undefined): AnySerde | undefined =>
  source === undefined ? undefined : serdeOf(source)
