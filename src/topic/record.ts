import type { Bytes } from '../base/bytes.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import { deepFreeze } from '../base/plain-data.ts'
import type { BatchTexts } from './batch-texts.ts'
import type { Headers } from './headers.ts'
import { noHeaders } from './headers.ts'
import type { RecordColumns } from './record-columns.ts'
import { decodeHeaders } from './record-columns.ts'
import type { Deserializer, Serializer } from './serde.ts'
import { deserialized, serialized } from './serde.ts'

/** Where a record was read; made records (of a join, a timer) carry the origin of the record that caused them. */
export interface RecordOrigin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What a user of the DSL sees of a record. */
export interface KeyValueRecord<out K, out V> {
  readonly key: K
  readonly value: V
  /** Milliseconds since the Unix epoch, as the timestamp extractor gave it. */
  readonly timestamp: number
  readonly headers: Headers
  /** Where the record was read, or undefined where it was made without one. */
  readonly origin: RecordOrigin | undefined
}

const unread: unique symbol = Symbol('unread')
type Unread = typeof unread

/** A batch as its records are read from it. One object for thousands of records, which point into it by row. */
export interface ReadBatch {
  readonly columns: RecordColumns
  readonly key: Deserializer<unknown>
  readonly value: Deserializer<unknown>
  readonly topic: string
  readonly partition: number
  /** The texts of its records, where they are read one after the other. */
  readonly texts?: BatchTexts | undefined
}

/** What of a record stands in its batch as it was read: bits, since a record carries nothing it can do without. */
const keyAsRead = 1
const valueAsRead = 2
/** Several steps get the record: what they decode of it is frozen. */
const isFrozen = 4

/**
 * A record between two steps of a topology. Operators given to `pipe` receive records and return records. Key, value and
 * headers are decoded when they are first read; a key or value that is never read is copied as bytes.
 *
 * @example
 * const record = StreamRecord.of('order-123', { amount: 5 }, 1_700_000_000_000)
 * const amount = record.withValue(record.value.amount)
 */
export class StreamRecord<out K, out V> implements KeyValueRecord<K, V> {
  readonly timestamp: number
  private _key: K | Unread
  private _value: V | Unread
  private _headers: Headers | undefined
  private _origin: RecordOrigin | undefined
  private readonly _batch: ReadBatch | undefined
  private readonly _row: number
  private _asRead: number

  private constructor(
    key: K | Unread,
    value: V | Unread,
    timestamp: number,
    headers: Headers | undefined,
    origin: RecordOrigin | undefined,
    batch: ReadBatch | undefined,
    row: number,
    asRead: number,
  ) {
    this._key = key
    this._value = value
    this.timestamp = timestamp
    this._headers = headers
    this._origin = origin
    this._batch = batch
    this._row = row
    this._asRead = asRead
  }

  /** A record of values, as a test or a processor makes it. */
  static of<K, V>(
    key: K,
    value: V,
    timestamp: number,
    headers: Headers = noHeaders,
    origin?: RecordOrigin,
  ): StreamRecord<K, V> {
    return new StreamRecord<K, V>(key, value, timestamp, headers, origin, undefined, 0, 0)
  }

  /**
   * A record over row `row` of a batch; nothing is decoded yet.
   *
   * @internal
   */
  static read(batch: ReadBatch, row: number, timestamp: number): StreamRecord<unknown, unknown> {
    const { keyStarts, valueStarts, headersStarts } = batch.columns
    const nullKey = (keyStarts[row] as number) < 0
    const nullValue = (valueStarts[row] as number) < 0
    return new StreamRecord<unknown, unknown>(
      nullKey ? null : unread,
      nullValue ? null : unread,
      timestamp,
      (headersStarts[row] as number) < 0 ? noHeaders : undefined,
      undefined,
      batch,
      row,
      (nullKey ? 0 : keyAsRead) | (nullValue ? 0 : valueAsRead),
    )
  }

  get key(): K {
    if (this._key === unread) this._key = this._decode(keyAsRead) as K
    return this._key
  }

  get value(): V {
    if (this._value === unread) this._value = this._decode(valueAsRead) as V
    return this._value
  }

  get headers(): Headers {
    return (this._headers ??= this._decodeHeaders())
  }

  get origin(): RecordOrigin | undefined {
    if (this._origin !== undefined || this._batch === undefined) return this._origin
    const { topic, partition, columns } = this._batch
    return (this._origin = { topic, partition, offset: columns.offsets[this._row] as number })
  }

  /**
   * The batch it was read from, itself or the record that it was made of; undefined where it was made without one.
   *
   * @internal
   */
  get readBatch(): ReadBatch | undefined {
    return this._batch
  }

  /**
   * Its row in that batch.
   *
   * @internal
   */
  get row(): number {
    return this._row
  }

  /** True where the key is null, without decoding it. */
  get hasNullKey(): boolean {
    return this._key === null || this._key === undefined
  }

  /** True where the value is null, without decoding it. */
  get hasNullValue(): boolean {
    return this._value === null || this._value === undefined
  }

  /**
   * The key as far as it is decoded; undefined where it is not.
   *
   * @internal
   */
  get keyInHand(): unknown {
    return this._key === unread ? undefined : this._key
  }

  /**
   * The value as far as it is decoded; undefined where it is not.
   *
   * @internal
   */
  get valueInHand(): unknown {
    return this._value === unread ? undefined : this._value
  }

  /**
   * True where a step made the value, and made it undefined.
   *
   * @internal
   */
  get isValueUndefined(): boolean {
    return this._value === undefined && (this._asRead & valueAsRead) === 0
  }

  /**
   * True where the key is certainly that of the other record: it was read with it, or is the same value.
   *
   * @internal
   */
  hasKeyOf(other: StreamRecord<unknown, unknown>): boolean {
    const areAsRead = (this._asRead & other._asRead & keyAsRead) !== 0
    if (areAsRead && this._batch === other._batch && this._row === other._row) return true
    return Object.is(this.key, other.key)
  }

  /**
   * The key's bytes as they were read, if `serializer` would write the same; undefined where it must be asked.
   *
   * @internal
   */
  rawKey(serializer: Serializer<never>): RawRegion | undefined {
    return (this._asRead & keyAsRead) !== 0 && reads(serializer, (this._batch as ReadBatch).key)
      ? this.keyAsRead
      : undefined
  }

  /**
   * The value's bytes as they were read, if `serializer` would write the same; undefined where it must be asked.
   *
   * @internal
   */
  rawValue(serializer: Serializer<never>): RawRegion | undefined {
    return (this._asRead & valueAsRead) !== 0 && reads(serializer, (this._batch as ReadBatch).value)
      ? this.valueAsRead
      : undefined
  }

  /**
   * The key as it was read, by any serde; undefined where it was made here or is null.
   *
   * @internal
   */
  get keyAsRead(): RawRegion | undefined {
    if ((this._asRead & keyAsRead) === 0) return undefined
    const { buffer, keyStarts, keyEnds } = (this._batch as ReadBatch).columns
    return { buffer, start: keyStarts[this._row] as number, end: keyEnds[this._row] as number }
  }

  /**
   * The value as it was read, by any serde; undefined where it was made here or is null.
   *
   * @internal
   */
  get valueAsRead(): RawRegion | undefined {
    if ((this._asRead & valueAsRead) === 0) return undefined
    const { buffer, valueStarts, valueEnds } = (this._batch as ReadBatch).columns
    return { buffer, start: valueStarts[this._row] as number, end: valueEnds[this._row] as number }
  }

  /** Freezes key, value and headers, as far as they are plain data; what is not decoded yet is frozen when it is. */
  freeze(): void {
    this._asRead |= isFrozen
    if (this._key !== unread) deepFreeze(this._key)
    if (this._value !== unread) deepFreeze(this._value)
    if (this._headers !== undefined) deepFreeze(this._headers)
  }

  withKey<K2>(key: K2): StreamRecord<K2, V> {
    return this._with<K2, V>(key, this._value, this.timestamp, this._headers, this._asRead & ~keyAsRead)
  }

  withValue<V2>(value: V2): StreamRecord<K, V2> {
    return this._with<K, V2>(this._key, value, this.timestamp, this._headers, this._asRead & ~valueAsRead)
  }

  withKeyValue<K2, V2>(key: K2, value: V2): StreamRecord<K2, V2> {
    return this._with<K2, V2>(key, value, this.timestamp, this._headers, 0)
  }

  withTimestamp(timestamp: number): StreamRecord<K, V> {
    if (timestamp === this.timestamp) return this
    return this._with<K, V>(this._key, this._value, timestamp, this._headers, this._asRead)
  }

  withHeaders(headers: Headers): StreamRecord<K, V> {
    return this._with<K, V>(this._key, this._value, this.timestamp, headers, this._asRead)
  }

  private _with<K2, V2>(
    key: K2 | Unread,
    value: V2 | Unread,
    timestamp: number,
    headers: Headers | undefined,
    asRead: number,
  ): StreamRecord<K2, V2> {
    const { _origin: origin, _batch: batch, _row: row } = this
    return new StreamRecord<K2, V2>(key, value, timestamp, headers, origin, batch, row, asRead)
  }

  private _decodeHeaders(): Headers {
    if (this._batch === undefined) return noHeaders
    const headers = decodeHeaders(this._batch.columns, this._row)
    if ((this._asRead & isFrozen) !== 0) deepFreeze(headers)
    return headers
  }

  private _decode(part: typeof keyAsRead | typeof valueAsRead): unknown {
    const { columns, key, value, texts } = this._batch as ReadBatch
    const { buffer } = columns
    const row = this._row
    try {
      const decoded =
        part === keyAsRead
          ? deserialized(key, buffer, columns.keyStarts[row] as number, columns.keyEnds[row] as number, texts)
          : deserialized(
              value,
              buffer,
              columns.valueStarts[row] as number,
              columns.valueEnds[row] as number,
              texts,
            )
      if ((this._asRead & isFrozen) !== 0) deepFreeze(decoded)
      return decoded
    } catch (error) {
      throw new DeserializationFault(error)
    }
  }
}

/** A writer whose serde reads by the same function would write what was read. */
const reads = (serializer: Serializer<never>, { deserialize }: Deserializer<unknown>): boolean =>
  (serializer as Partial<Deserializer<unknown>>).deserialize === deserialize

/** A stretch of a batch that holds a serialised key or value. */
export interface RawRegion {
  readonly buffer: Bytes
  readonly start: number
  readonly end: number
}

export const regionOf = (bytes: Bytes): RawRegion => ({ buffer: bytes, start: 0, end: bytes.length })

/** A view of a region. */
export const bytesOfRegion = ({ buffer, start, end }: RawRegion): Bytes => buffer.subarray(start, end)

/** A key or value could not be read: the bytes are none of its serde's, or break the contract of the topic. */
export class DeserializationFault extends Fault {
  constructor(cause: unknown) {
    const known = isFault(cause) ? cause : undefined
    super({
      code: known?.code ?? 'DESERIALIZATION_FAILED',
      // A serde that returns promises reads no record at all.
      actor: known?.code === 'PROMISE_RETURNED' ? known.actor : 'record',
      message: known?.summary ?? messageOf(cause),
      remedy: known?.remedy,
      place: known?.place,
      cause,
    })
  }
}

/** The key's bytes: those read where they serve, else serialised; null for null. */
export const keyBytesOf = <K>(
  record: StreamRecord<K, unknown>,
  serde: Serializer<NonNullable<K>>,
  topic?: string,
): Bytes | null => {
  if (record.hasNullKey) return null
  const raw = record.rawKey(serde)
  return raw === undefined
    ? serialized(serde, record.key as NonNullable<K>, 'key', topic)
    : raw.buffer.subarray(raw.start, raw.end)
}

/** The value's bytes: those read where they serve, else serialised; null for null. */
export const valueBytesOf = <V>(
  record: StreamRecord<unknown, V>,
  serde: Serializer<NonNullable<V>>,
  topic?: string,
): Bytes | null => {
  if (record.hasNullValue) return null
  const raw = record.rawValue(serde)
  return raw === undefined
    ? serialized(serde, record.value as NonNullable<V>, 'value', topic)
    : raw.buffer.subarray(raw.start, raw.end)
}
