import type * as z from 'zod'
import type { OptionShape } from '../base/options.ts'
import {
  checkedByReader,
  count,
  flag,
  nested,
  numberCheckedByReader,
  required,
  text,
} from '../base/value-kinds.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { serdeOf } from '../topic/topic.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { EmitPolicy } from '../topology/node.ts'

/** A serde, or a zod schema that stands for JSON under it. */
export type SerdeSource<T> = Serde<T> | z.ZodType<T>

/** Says what a step is called in descriptions, metrics and faults. */
export interface Named {
  readonly name?: string
}

export const namedOptions: OptionShape<Named> = { name: text }

/** Grouping by a new key: the name becomes part of the repartition topic's. */
export interface GroupByTextOptions<K, V> {
  readonly name: string
  /** Defaults to UTF-8 text. */
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
  readonly partitions?: number
}

export const groupByOptions: OptionShape<GroupByTextOptions<never, never>> = {
  name: required(text),
  key: serde,
  value: serdeSource,
  partitions: count,
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
  /** False for a store that a restart may lose. Defaults to true. */
  readonly changelog?: boolean
}

export const storeOptions: OptionShape<StoreOptions> = {
  store: { ...required(text), missing: 'a store has no name' },
  // The store checks it.
  storage: checkedByReader,
  changelog: flag,
}

/** When an aggregate emits its new values: at once, or the last of each key at the next commit. */
export interface EmitOptions {
  /** Defaults to `onUpdate`. */
  readonly emit?: Exclude<EmitPolicy, 'onWindowClose'>
}

// The node checks which of them it can do.
export const emitOptions: OptionShape<EmitOptions> = { emit: checkedByReader }

/** How a table is kept. */
export interface TableStoreOptions extends StoreOptions {
  /** Keeps every version of a row that long behind its newest: for joins as of a time, and for out-of-order updates. */
  readonly versioned?: { readonly historyRetention: number }
}

export const tableStoreOptions: OptionShape<TableStoreOptions> = {
  ...storeOptions,
  // The store checks the length.
  versioned: nested<NonNullable<TableStoreOptions['versioned']>>({
    historyRetention: required(numberCheckedByReader),
  }),
}

/** Options of a table step whose result is kept only where a store is named. */
export type MaybeStored = Named & Partial<TableStoreOptions>

export const maybeStored: OptionShape<MaybeStored> = { ...namedOptions, ...tableStoreOptions, store: text }

/** Options of `repartition`: the name of its topic, its serdes, and its number of partitions. */
export interface RepartitionOptions<K, V> {
  readonly name: string
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
  readonly partitions?: number
}

export const repartitionOptions: OptionShape<RepartitionOptions<never, never>> = { ...groupByOptions }

/** What a serde source means as a serde; undefined stays undefined. */
export const optionalSerde = (source: AnySerde | z.ZodType | undefined): AnySerde | undefined =>
  source === undefined ? undefined : serdeOf(source)
