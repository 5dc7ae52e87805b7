import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { checkedByReader, flag, numberCheckedByReader, required, text } from '../base/value-kinds.ts'
import type * as z from 'zod'
import type { AnySerde } from '../topic/serde.ts'
import { string } from '../topic/serdes.ts'
import { serdeOf } from '../topic/topic.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'

/**
 * Stores for processors: declared with `builder.store(...)`, connected by name in the `stores` of `process`, and asked
 * for in the processor with `context.store(name)`.
 */
export interface ProcessorStoreOptions {
  /** Defaults to UTF-8 text. */
  readonly key?: AnySerde
  readonly value: AnySerde | z.ZodType
  /** `disk` unless said otherwise: a durable copy beside the changelog. */
  readonly storage?: 'memory' | 'disk'
  /** False for a store that a restart may lose. Defaults to true. */
  readonly changelog?: boolean
}

/**
 * The latest value by key: a `KeyValueStore`, or with `timestamped` a `TimestampedKeyValueStore`.
 *
 * @example
 * builder.store(keyValueStore('latest-orders', { value: Order }))
 */
export const keyValueStore = (name: string, options: KeyValueStoreOptions): StoreDefinition => ({
  kind: 'keyValue',
  ...baseOf('keyValueStore', name, options, { ...processorStoreOptions, timestamped: flag }),
  timestamped: options.timestamped ?? false,
})

/**
 * Every value by key and time: a `VersionedStore`.
 *
 * @example
 * builder.store(versionedStore('prices', { value: long, historyRetention: hours(1) }))
 */
export const versionedStore = (name: string, options: VersionedStoreOptions): StoreDefinition => ({
  kind: 'versioned',
  ...baseOf('versionedStore', name, options, { ...processorStoreOptions, historyRetention: storeLength }),
  historyRetentionMs: options.historyRetention,
})

/**
 * One value by key and window start: a `WindowStore`.
 *
 * @example
 * builder.store(windowStore('clicks-by-minute', { value: long, size: minutes(1), retention: hours(1) }))
 */
export const windowStore = (name: string, options: WindowStoreOptions): StoreDefinition => ({
  kind: 'window',
  ...baseOf('windowStore', name, options, {
    ...processorStoreOptions,
    size: storeLength,
    retention: storeLength,
  }),
  windowSizeMs: options.size,
  retentionMs: options.retention,
})

/**
 * One value by key and session bounds: a `SessionStore`.
 *
 * @example
 * builder.store(sessionStore('visits', { value: long, retention: days(1) }))
 */
export const sessionStore = (name: string, options: SessionStoreOptions): StoreDefinition => ({
  kind: 'session',
  ...baseOf('sessionStore', name, options, { ...processorStoreOptions, retention: storeLength }),
  retentionMs: options.retention,
})

/** Options of `keyValueStore`. `timestamped` stores the timestamp of each value beside it. */
export interface KeyValueStoreOptions extends ProcessorStoreOptions {
  readonly timestamped?: boolean
}

/** Options of `versionedStore`. `historyRetention` is how long old versions are stored, in milliseconds. */
export interface VersionedStoreOptions extends ProcessorStoreOptions {
  readonly historyRetention: number
}

/**
 * Options of `windowStore`. `size` is the size of each window and `retention` how long it is stored, in milliseconds.
 */
export interface WindowStoreOptions extends SessionStoreOptions {
  readonly size: number
}

/** Options of `sessionStore`. `retention` is how long rows are stored, in milliseconds of stream time. */
export interface SessionStoreOptions extends ProcessorStoreOptions {
  readonly retention: number
}

const processorStoreOptions: OptionShape<ProcessorStoreOptions> = {
  key: serde,
  value: required(serdeSource),
  // The topology checks it, and the lengths.
  storage: checkedByReader,
  changelog: flag,
}
const storeLength = required(numberCheckedByReader)

const baseOf = <Options extends ProcessorStoreOptions>(
  verb: string,
  name: string,
  options: Options,
  shape: OptionShape<Options>,
): Pick<StoreDefinition, 'name' | 'key' | 'value' | 'storage' | 'changelog'> => {
  checkArgument(verb, name, text)
  checkOptions(`${verb} '${name}'`, options, shape)
  const { key, value, storage, changelog } = options
  return {
    name,
    key: key ?? string,
    value: serdeOf(value) as AnySerde,
    storage: storage ?? 'disk',
    changelog: changelog ?? true,
  }
}
