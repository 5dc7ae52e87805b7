import type { Bytes } from '../base/bytes.ts'
import { copyBytes, utf8Decode, utf8Encode } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { checkArgument } from '../base/options.ts'
import { isThenable, promiseReturned } from '../base/promises.ts'
import { typeOfValue } from '../base/shown.ts'
import type { BatchTexts } from './batch-texts.ts'
import { serde as serdeKind } from './value-kinds.ts'

/** A JSON Schema (draft 2020-12), as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Turns a value into its bytes. Never called with null: a null is a null on the wire (a tombstone, or no key). */
export interface Serializer<in T> {
  readonly serialize: (value: T) => Bytes
}

/** Turns the bytes of `source` from `start` up to `end` into a value; throws where they are none of its values. */
export interface Deserializer<out T> {
  readonly deserialize: (source: Bytes, start: number, end: number) => T
}

/**
 * How a key or a value stands on a topic: both directions, a name for descriptions and diffs, and whether a reader
 * accepts null. A stream reader that meets a null where `nullable` is false raises a fault under the record's policy;
 * table readers take a null value as a deletion always.
 */
export interface Serde<in out T> extends Serializer<NonNullable<T>>, Deserializer<T> {
  readonly name: string
  readonly nullable: boolean
  /** The JSON Schema of what stands on the wire, for descriptions and diffs; absent where the bytes are not JSON. */
  readonly jsonSchema?: () => JsonSchema
}

/** Any serde, where what it carries does not matter. */
export interface AnySerde extends Serializer<never>, Deserializer<unknown> {
  readonly name: string
  readonly nullable: boolean
  readonly jsonSchema?: () => JsonSchema
}

/**
 * A `serialize` whose bytes are a text's UTF-8. It carries how the text is made, so that a writer puts it where it goes
 * without bytes in between; on the function, since a replaced function writes other bytes.
 */
export const serializeText = <T>(text: (value: T) => string): ((value: T) => Bytes) =>
  Object.assign((value: T) => utf8Encode(text(value)), { text })

/** How the text of a serializer is made; undefined where its bytes are none. */
export const textOf = ({ serialize }: Serializer<never>): ((value: unknown) => string) | undefined =>
  (serialize as { readonly text?: (value: unknown) => string }).text

/**
 * A `deserialize` that makes its value of a text's UTF-8, of which it keeps nothing. It carries how, for a reader that has
 * the text without bytes in between.
 */
export const deserializeText = <T>(
  ofText: (text: string) => T,
): ((source: Bytes, start: number, end: number) => T) =>
  Object.assign((source: Bytes, start: number, end: number) => ofText(utf8Decode(source, start, end)), {
    ofText,
  })

/** How the value of a deserializer is made of a text; undefined where its bytes are none, or it keeps some of it. */
export const ofTextOf = ({ deserialize }: Deserializer<unknown>): ((text: string) => unknown) | undefined =>
  (deserialize as { readonly ofText?: (text: string) => unknown }).ofText

/** How a value of a fixed length is put at the front of memory that has room for it. */
export interface FixedWriter<in T> {
  readonly length: number
  /** Throws where it is no value of the serde; `write` does the same. */
  readonly check: (value: T) => void
  readonly write: (target: Bytes, value: T) => void
}

/** A `serialize` whose bytes have one length. It carries how they are written, for the same reason as that of a text. */
export const serializeFixed = <T>(
  length: number,
  check: (value: T) => void,
  writeChecked: (target: Bytes, value: T) => void,
): ((value: T) => Bytes) => {
  const write = (target: Bytes, value: T): void => {
    check(value)
    writeChecked(target, value)
  }
  const serialize = (value: T): Bytes => {
    const bytes = new Uint8Array(length)
    write(bytes, value)
    return bytes
  }
  return Object.assign(serialize, { fixed: { length, check, write } })
}

/** How the bytes of a serializer are written; undefined where they are of no fixed length. */
export const fixedOf = ({ serialize }: Serializer<never>): FixedWriter<unknown> | undefined =>
  (serialize as { readonly fixed?: FixedWriter<unknown> }).fixed

/**
 * The same `serialize`, marked where a value may be read back as another one: its schema trims texts, or it is made of
 * serdes that do. A store holds such a value as its bytes are read, so that a restart changes nothing.
 */
export const markChanging = <T>(serialize: (value: T) => Bytes, isChanging: boolean): ((value: T) => Bytes) =>
  isChanging ? Object.assign(serialize, { isChanging }) : serialize

/** True of a serializer whose values may be read back as others. */
export const changesValues = ({ serialize }: Serializer<never>): boolean =>
  (serialize as { readonly isChanging?: boolean }).isChanging === true

/** The type a serde carries. */
export type SerdeType<S> = S extends Serde<infer T> ? T : never

/**
 * The same serde for topics whose records may have a null there.
 *
 * @example
 * const audit = topic('audit', { key: nullable(string), value: string })
 */
export const nullable = <T>(serde: Serde<T>): Serde<T | null> => {
  checkArgument('nullable', serde, serdeKind)
  return {
    name: serde.nullable ? serde.name : `nullable(${serde.name})`,
    nullable: true,
    ...(serde.jsonSchema === undefined ? {} : { jsonSchema: serde.jsonSchema }),
    serialize: serde.serialize,
    deserialize: serde.deserialize,
  }
}

/** What a serde writes: its faults name it. */
export type SerdePart = 'key' | 'value'

/** What a serializer returned is no bytes. The serializer does not know where they go, so each caller may name it. */
class NotBytes extends Fault {
  constructor(returned: unknown, part?: SerdePart, topic?: string, store?: string) {
    super({
      code: 'SERDE_RESULT_INVALID',
      actor: 'record',
      message: `the serde${part === undefined ? '' : ` of the ${part}`} returned ${typeOfValue(returned)} from serialize, not bytes`,
      remedy: 'return a Uint8Array from serialize',
      place: { topic, store },
    })
    this.#returned = returned
  }

  readonly #returned: unknown

  at(part: SerdePart, topic: string | undefined, store: string | undefined): NotBytes {
    return new NotBytes(this.#returned, part, topic, store)
  }
}

/**
 * The bytes of a value. Every serializer is called here, because that of a user may return anything: a text would be
 * written as NUL bytes, and null as a tombstone. The topic or the store is that of the faults.
 */
export const serialized = <T>(
  serializer: Serializer<T>,
  value: T,
  part?: SerdePart,
  topic?: string,
  store?: string,
): Bytes => {
  let bytes: unknown
  try {
    bytes = serializer.serialize(value)
  } catch (error) {
    throw error instanceof NotBytes && part !== undefined ? error.at(part, topic, store) : error
  }
  if (bytes instanceof Uint8Array) return bytes
  if (isThenable(bytes)) throw promiseReturned(`serialize of ${nameOf(serializer)}`, bytes, synchronousSerde)
  throw new NotBytes(bytes, part, topic, store)
}

/** The value of bytes, which a promise is not. `texts` are those of the source, where it does not change. */
export const deserialized = <T>(
  deserializer: Deserializer<T>,
  source: Bytes,
  start: number,
  end: number,
  texts?: BatchTexts,
): T => {
  const ofText = ofTextOf(deserializer)
  // One of ours, which returns no promises.
  if (ofText !== undefined)
    return (
      texts === undefined ? deserializer.deserialize(source, start, end) : ofText(texts.textOf(start, end))
    ) as T
  const value = deserializer.deserialize(source, start, end)
  if (isThenable(value))
    throw promiseReturned(`deserialize of ${nameOf(deserializer)}`, value, synchronousSerde)
  return value
}

const nameOf = (serde: object): string => {
  const { name } = serde as { readonly name?: unknown }
  return typeof name === 'string' ? `the serde ${name}` : 'the serde'
}

const synchronousSerde = 'load what the serde needs (schemas) before the start, and return the result itself'

/** A value as it would be read back once it is written: it shares nothing with the other. */
export const copyBySerde = <T>(
  serde: Pick<Serde<T>, 'serialize' | 'deserialize'>,
  value: NonNullable<T>,
): T => deserializeAll(serde, copyBytes(serialized(serde, value)))

/** Deserialises a whole byte array. */
export const deserializeAll = <T>(serde: Deserializer<T>, bytes: Bytes): T =>
  deserialized(serde, bytes, 0, bytes.length)
