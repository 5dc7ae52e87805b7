import type { Bytes } from '../base/bytes.ts'
import { Fault, isFault, messageOf } from '../base/fault.ts'
import type { Headers } from './headers.ts'
import { noHeaders } from './headers.ts'
import type { RecordColumns } from './record-columns.ts'
import { decodeHeaders } from './record-columns.ts'
import type { Deserializer, Serializer } from './serde.ts'

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

/**
 * A record in flight. Key, value and headers of a record that was read stand undecoded in their batch until somebody
 * asks; what nobody asks for is never decoded, and a key that only passes through is copied as bytes.
 */
export class StreamRecord<out K, out V> implements KeyValueRecord<K, V> {
  readonly timestamp: number
  readonly origin: RecordOrigin | undefined
  private _key: K | Unread
  private _value: V | Unread
  private _headers: Headers | undefined
  private readonly _keyRaw: RawPart<K> | undefined
  private readonly _valueRaw: RawPart<V> | undefined
  private readonly _headersRaw: RawHeaders | undefined

  private constructor(
    key: K | Unread,
    keyRaw: RawPart<K> | undefined,
    value: V | Unread,
    valueRaw: RawPart<V> | undefined,
    timestamp: number,
    headers: Headers | undefined,
    headersRaw: RawHeaders | undefined,
    origin: RecordOrigin | undefined,
  ) {
    this._key = key
    this._keyRaw = keyRaw
    this._value = value
    this._valueRaw = valueRaw
    this.timestamp = timestamp
    this._headers = headers
    this._headersRaw = headersRaw
    this.origin = origin
  }

  /** A record of values, as a test or a processor makes it. */
  static of<K, V>(
    key: K,
    value: V,
    timestamp: number,
    headers: Headers = noHeaders,
    origin?: RecordOrigin,
  ): StreamRecord<K, V> {
    return new StreamRecord<K, V>(key, undefined, value, undefined, timestamp, headers, undefined, origin)
  }

  /** A record over row `row` of a batch; nothing is decoded yet. */
  static read<K, V>(
    columns: RecordColumns,
    row: number,
    keySerde: Deserializer<K>,
    valueSerde: Deserializer<V>,
    timestamp: number,
    origin: RecordOrigin,
  ): StreamRecord<K, V> {
    const keyStart = columns.keyStarts[row] as number
    const valueStart = columns.valueStarts[row] as number
    return new StreamRecord<K, V>(
      keyStart < 0 ? (null as K) : unread,
      keyStart < 0
        ? undefined
        : new RawPart(columns.buffer, keyStart, columns.keyEnds[row] as number, keySerde),
      valueStart < 0 ? (null as V) : unread,
      valueStart < 0
        ? undefined
        : new RawPart(columns.buffer, valueStart, columns.valueEnds[row] as number, valueSerde),
      timestamp,
      (columns.headersStarts[row] as number) < 0 ? noHeaders : undefined,
      { columns, row },
      origin,
    )
  }

  get key(): K {
    if (this._key === unread) this._key = (this._keyRaw as RawPart<K>).decode()
    return this._key
  }

  get value(): V {
    if (this._value === unread) this._value = (this._valueRaw as RawPart<V>).decode()
    return this._value
  }

  get headers(): Headers {
    return (this._headers ??=
      this._headersRaw === undefined
        ? noHeaders
        : decodeHeaders(this._headersRaw.columns, this._headersRaw.row))
  }

  /** True where the key is null, without decoding it. */
  get hasNullKey(): boolean {
    return this._key === null || this._key === undefined
  }

  /** True where the value is null, without decoding it. */
  get hasNullValue(): boolean {
    return this._value === null || this._value === undefined
  }

  /** The key's bytes as they were read, if `serializer` would write the same; undefined where it must be asked. */
  rawKey(serializer: Serializer<never>): RawRegion | undefined {
    return this._keyRaw?.region(serializer)
  }

  /** The value's bytes as they were read, if `serializer` would write the same; undefined where it must be asked. */
  rawValue(serializer: Serializer<never>): RawRegion | undefined {
    return this._valueRaw?.region(serializer)
  }

  /** The key as it was read, whoever reads it; undefined where it was made here or is null. */
  get keyAsRead(): RawRegion | undefined {
    return this._keyRaw
  }

  /** The value as it was read, whoever reads it; undefined where it was made here or is null. */
  get valueAsRead(): RawRegion | undefined {
    return this._valueRaw
  }

  withKey<K2>(key: K2): StreamRecord<K2, V> {
    return new StreamRecord<K2, V>(
      key,
      undefined,
      this._value,
      this._valueRaw,
      this.timestamp,
      this._headers,
      this._headersRaw,
      this.origin,
    )
  }

  withValue<V2>(value: V2): StreamRecord<K, V2> {
    return new StreamRecord<K, V2>(
      this._key,
      this._keyRaw,
      value,
      undefined,
      this.timestamp,
      this._headers,
      this._headersRaw,
      this.origin,
    )
  }

  withKeyValue<K2, V2>(key: K2, value: V2): StreamRecord<K2, V2> {
    return new StreamRecord<K2, V2>(
      key,
      undefined,
      value,
      undefined,
      this.timestamp,
      this._headers,
      this._headersRaw,
      this.origin,
    )
  }

  withTimestamp(timestamp: number): StreamRecord<K, V> {
    return new StreamRecord<K, V>(
      this._key,
      this._keyRaw,
      this._value,
      this._valueRaw,
      timestamp,
      this._headers,
      this._headersRaw,
      this.origin,
    )
  }

  withHeaders(headers: Headers): StreamRecord<K, V> {
    return new StreamRecord<K, V>(
      this._key,
      this._keyRaw,
      this._value,
      this._valueRaw,
      this.timestamp,
      headers,
      undefined,
      this.origin,
    )
  }
}

/** A stretch of a batch that holds a serialised key or value. */
export interface RawRegion {
  readonly buffer: Bytes
  readonly start: number
  readonly end: number
}

interface RawHeaders {
  readonly columns: RecordColumns
  readonly row: number
}

/** A key or value could not be read: the bytes are none of its serde's, or break the contract of the topic. */
export class DeserializationFault extends Fault {
  constructor(cause: unknown) {
    const known = isFault(cause) ? cause : undefined
    super({
      code: known?.code ?? 'DESERIALIZATION_FAILED',
      actor: 'record',
      message: messageOf(cause),
      cause,
    })
  }
}

/** A serialised part that was read; it serves a writer too whose serde reads it by the same function. */
class RawPart<out T> implements RawRegion {
  readonly buffer: Bytes
  readonly start: number
  readonly end: number
  private readonly serde: Deserializer<T>

  constructor(buffer: Bytes, start: number, end: number, serde: Deserializer<T>) {
    this.buffer = buffer
    this.start = start
    this.end = end
    this.serde = serde
  }

  decode(): T {
    try {
      return this.serde.deserialize(this.buffer, this.start, this.end)
    } catch (error) {
      throw new DeserializationFault(error)
    }
  }

  region(serializer: Serializer<never>): RawRegion | undefined {
    const { deserialize } = serializer as Partial<Deserializer<unknown>>
    return deserialize === this.serde.deserialize ? this : undefined
  }
}

/** The key's bytes: those read where they serve, else serialised; null for null. */
export const keyBytesOf = <K>(
  record: StreamRecord<K, unknown>,
  serde: Serializer<NonNullable<K>>,
): Bytes | null => {
  if (record.hasNullKey) return null
  const raw = record.rawKey(serde)
  return raw === undefined
    ? serde.serialize(record.key as NonNullable<K>)
    : raw.buffer.subarray(raw.start, raw.end)
}

/** The value's bytes: those read where they serve, else serialised; null for null. */
export const valueBytesOf = <V>(
  record: StreamRecord<unknown, V>,
  serde: Serializer<NonNullable<V>>,
): Bytes | null => {
  if (record.hasNullValue) return null
  const raw = record.rawValue(serde)
  return raw === undefined
    ? serde.serialize(record.value as NonNullable<V>)
    : raw.buffer.subarray(raw.start, raw.end)
}
