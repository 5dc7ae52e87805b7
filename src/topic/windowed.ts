import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { checkArgument } from '../base/options.ts'
import { typeOfValue } from '../base/shown.ts'
import { durationMs } from '../base/value-kinds.ts'
import { serde as serdeKind } from './value-kinds.ts'
import type { AnySerde, Serde } from './serde.ts'
import { deserialized, serialized } from './serde.ts'

/** A key within one window. For tumbling and hopping windows `endMs` is exclusive, for session and sliding inclusive. */
export interface Windowed<out K> {
  readonly key: K
  readonly startMs: number
  readonly endMs: number
}

/**
 * A key within the window from `startMs` to `endMs`, in milliseconds since the Unix epoch.
 *
 * @example
 * windowed('ada', 0, minutes(1))
 */
export const windowed = <K>(key: K, startMs: number, endMs: number): Windowed<K> => {
  if (typeof startMs !== 'number') throw boundInvalid('startMs', startMs)
  if (typeof endMs !== 'number') throw boundInvalid('endMs', endMs)
  return { key, startMs, endMs }
}

/** The failure of a record, which the times of a window come from. */
const boundInvalid = (bound: string, given: unknown): Fault =>
  new Fault({
    code: 'TIMESTAMP_INVALID',
    actor: 'record',
    message: `windowed: ${bound} is ${typeOfValue(given)}, not a time`,
    remedy: 'give whole milliseconds since the epoch',
  })

/** A serde of windowed keys; records are partitioned by the key inside, so that its windows stay together. */
export interface WindowedSerde<in out K> extends Serde<Windowed<K>> {
  readonly inner: Serde<K>
}

/** The serde of the key inside, where this is one of windowed keys. */
export const innerSerdeOf = (serde: AnySerde | undefined): Serde<unknown> | undefined =>
  (serde as Partial<WindowedSerde<unknown>> | undefined)?.inner

/**
 * Keys of time windows as Kafka Streams' `TimeWindowedSerde` writes them: the key, then the start as 64 bits. The end
 * follows from the window's size, which the reader must know.
 *
 * @example
 * const counts = topic('orders-per-minute', { key: timeWindowed(string, minutes(1)), value: long })
 */
export const timeWindowed = <K>(key: Serde<K>, sizeMs: number): WindowedSerde<K> => {
  checkArgument('timeWindowed', key, serdeKind)
  checkArgument('timeWindowed', sizeMs, durationMs)
  return {
    inner: key,
    name: `timeWindowed(${key.name}, ${sizeMs})`,
    nullable: false,
    serialize: (value) => withLongs(serialized(key, value.key as NonNullable<K>), value.startMs),
    deserialize: (source, start, end) => {
      const keyEnd = endOfKey(source, start, end, 8)
      const startMs = readLong(source, keyEnd)
      return windowed(deserialized(key, source, start, keyEnd), startMs, startMs + sizeMs)
    },
  }
}

/**
 * Keys of sessions as Kafka Streams' `SessionWindowedSerde` writes them: the key, the END, then the start.
 *
 * @example
 * const visits = topic('visits', { key: sessionWindowed(string), value: long })
 */
export const sessionWindowed = <K>(key: Serde<K>): WindowedSerde<K> => {
  checkArgument('sessionWindowed', key, serdeKind)
  return {
    inner: key,
    name: `sessionWindowed(${key.name})`,
    nullable: false,
    serialize: (value) => withLongs(serialized(key, value.key as NonNullable<K>), value.endMs, value.startMs),
    deserialize: (source, start, end) => {
      const keyEnd = endOfKey(source, start, end, 16)
      return windowed(
        deserialized(key, source, start, keyEnd),
        readLong(source, keyEnd + 8),
        readLong(source, keyEnd),
      )
    },
  }
}

const endOfKey = (source: Bytes, start: number, end: number, suffixLength: number): number => {
  if (end - start >= suffixLength && source.length >= end) return end - suffixLength
  throw new Fault({
    code: 'SERDE_VALUE_INVALID',
    actor: 'record',
    message: `${end - start} bytes are too few for a windowed key`,
    remedy: 'check what is on the topic',
  })
}

const withLongs = (key: Bytes, ...numbers: readonly number[]): Bytes => {
  const result = new Uint8Array(key.length + numbers.length * 8)
  result.set(key)
  const view = new DataView(result.buffer)
  numbers.forEach((number, index) => view.setBigInt64(key.length + index * 8, BigInt(number)))
  return result
}

const readLong = (source: Bytes, position: number): number =>
  Number(new DataView(source.buffer, source.byteOffset + position, 8).getBigInt64(0))
