import { refuseUnknownOptions } from '../base/known-options.ts'
import type * as z from 'zod'
import type { AnySerde } from '../topic/serde.ts'
import { string } from '../topic/serdes.ts'
import { serdeOf } from '../topic/topic.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'

/**
 * Stores for processors: declared with `builder.store(...)`, connected by name in the `stores` of `process`, and asked
 * for in the processor with `context.store(name)`.
 */
export interface ProcessorStoreOptions {
  /** UTF-8 text unless given. */
  readonly key?: AnySerde
  readonly value: AnySerde | z.ZodType
  /** `disk` unless said otherwise: a durable copy beside the changelog. */
  readonly storage?: 'memory' | 'disk'
  /** False for a store that a restart may lose. True unless given. */
  readonly changelog?: boolean
}

/**
 * The latest value by key: a `KeyValueStore`, or with `timestamped` a `TimestampedKeyValueStore`.
 *
 * @example
 * builder.store(keyValueStore('latest-orders', { value: Order }))
 */
export const keyValueStore = (
  name: string,
  options: ProcessorStoreOptions & { readonly timestamped?: boolean },
): StoreDefinition => ({
  kind: 'keyValue',
  timestamped: options.timestamped ?? false,
  ...baseOf(name, options, ['timestamped']),
})

/**
 * Every value by key and time: a `VersionedStore`.
 *
 * @example
 * builder.store(versionedStore('prices', { value: long, historyRetention: hours(1) }))
 */
export const versionedStore = (
  name: string,
  options: ProcessorStoreOptions & { readonly historyRetention: number },
): StoreDefinition => ({
  kind: 'versioned',
  historyRetentionMs: options.historyRetention,
  ...baseOf(name, options, ['historyRetention']),
})

/**
 * One value by key and window start: a `WindowStore`.
 *
 * @example
 * builder.store(windowStore('clicks-by-minute', { value: long, size: minutes(1), retention: hours(1) }))
 */
export const windowStore = (
  name: string,
  options: ProcessorStoreOptions & { readonly size: number; readonly retention: number },
): StoreDefinition => ({
  kind: 'window',
  windowSizeMs: options.size,
  retentionMs: options.retention,
  ...baseOf(name, options, ['size', 'retention']),
})

/**
 * One value by key and session bounds: a `SessionStore`.
 *
 * @example
 * builder.store(sessionStore('visits', { value: long, retention: days(1) }))
 */
export const sessionStore = (
  name: string,
  options: ProcessorStoreOptions & { readonly retention: number },
): StoreDefinition => ({
  kind: 'session',
  retentionMs: options.retention,
  ...baseOf(name, options, ['retention']),
})

const baseOf = (
  name: string,
  options: ProcessorStoreOptions,
  own: readonly string[],
): Pick<StoreDefinition, 'name' | 'key' | 'value' | 'storage' | 'changelog'> => {
  refuseUnknownOptions(`store '${name}'`, options, ['key', 'value', 'storage', 'changelog', ...own])
  const { key, value, storage, changelog } = options
  return {
    name,
    key: key ?? string,
    value: serdeOf(value) as AnySerde,
    storage: storage ?? 'disk',
    changelog: changelog ?? true,
  }
}
