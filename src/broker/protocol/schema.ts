import type { Bytes } from '../../base/bytes.ts'

/**
 * How a message of the Kafka protocol is written down here: an object from field name to field.
 *
 * - A primitive is a string: `'int32'`, `'string?'` (may be null), `'int32[]'`.
 * - A list of structures is `['array', { … }]`, a single one `['struct', { … }]`; `?` makes them nullable.
 * - Modifiers follow after a space: `4+` or `4-12` are the versions that carry the field, `@0` is the tag of a
 *   tagged field, `=-1` the value it has where it is not carried (otherwise zero, empty, false or null).
 *
 * The table is plain literal data, so one interpreter (codec.ts) reads and writes every version, and the handlers get
 * their types from it (`Message`, `Draft`).
 */
export type Field = string | readonly [head: string, fields: Fields]
export interface Fields {
  readonly [name: string]: Field
}

export interface ApiSchema {
  readonly key: number
  readonly name: string
  /** First and last version that the broker serves. */
  readonly versions: readonly [number, number]
  /** The first version with compact lengths and tagged fields. */
  readonly flexibleFrom: number | null
  readonly request: Fields
  readonly response: Fields
}

interface Primitives {
  boolean: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  uint32: number
  int64: number
  float64: number
  string: string
  uuid: string
  bytes: Bytes
  records: Bytes
}

/** Record batches go out as a list of chunks, by reference. */
interface DraftPrimitives extends Omit<Primitives, 'records'> {
  records: Bytes | readonly Bytes[]
}

type Word<S extends string> = S extends `${infer First} ${string}` ? First : S
type Scalar<T extends string, P> = T extends `${infer Inner}?`
  ? Scalar<Inner, P> | null
  : T extends `${infer Inner}[]`
    ? readonly Scalar<Inner, P>[]
    : T extends keyof P
      ? P[T]
      : never

type Shaped<Head extends string, Inner> = Head extends 'array'
  ? readonly Inner[]
  : Head extends 'array?'
    ? readonly Inner[] | null
    : Head extends 'struct?'
      ? Inner | null
      : Inner

type Value<F> = F extends string
  ? Scalar<Word<F>, Primitives>
  : F extends readonly [infer Head extends string, infer Inner]
    ? Shaped<Word<Head>, Message<Inner>>
    : never

type DraftValue<F> = F extends string
  ? Scalar<Word<F>, DraftPrimitives>
  : F extends readonly [infer Head extends string, infer Inner]
    ? Shaped<Word<Head>, Draft<Inner>>
    : never

/** A decoded message: every field is there; those that its version does not carry have their defaults. */
export type Message<F> = { readonly [Name in keyof F]: Value<F[Name]> }

type HasModifier<F> = F extends `${string} ${string}`
  ? true
  : F extends readonly [`${string} ${string}`, unknown]
    ? true
    : false
type OptionalName<F, Name extends keyof F> = Name extends 'throttleTimeMs'
  ? Name
  : HasModifier<F[Name]> extends true
    ? Name
    : never

/** A message to encode: fields with a modifier, and the throttle time (there is none), may be left out. */
export type Draft<F> = {
  readonly [Name in keyof F as Exclude<Name, OptionalName<F, Name>>]: DraftValue<F[Name]>
} & {
  readonly [Name in keyof F as OptionalName<F, Name>]?: DraftValue<F[Name]> | undefined
}

export type Request<S extends ApiSchema> = Message<S['request']>
export type Response<S extends ApiSchema> = Draft<S['response']>
/** One element of the array field `Name` of a message. */
export type Item<M, Name extends keyof M> =
  NonNullable<M[Name]> extends readonly (infer Element)[] ? Element : never

export interface FieldHead {
  readonly type: string
  readonly nullable: boolean
  readonly list: boolean
  readonly since: number
  readonly until: number
  readonly tag: number | undefined
  readonly fallback: string | undefined
}

/** Parses the words of a field's head. */
export const parseHead = (text: string): FieldHead => {
  const [word = '', ...modifiers] = text.split(' ')
  const nullable = word.endsWith('?')
  const bare = nullable ? word.slice(0, -1) : word
  const range = modifiers.find((modifier) => /^\d/.test(modifier)) ?? '0+'
  const [since, until] = range.endsWith('+') ? [range.slice(0, -1), 'Infinity'] : range.split('-')
  const tag = modifiers.find((modifier) => modifier.startsWith('@'))
  return {
    type: bare.endsWith('[]') ? bare.slice(0, -2) : bare,
    nullable,
    list: bare.endsWith('[]'),
    since: Number(since),
    until: Number(until ?? since),
    tag: tag === undefined ? undefined : Number(tag.slice(1)),
    fallback: modifiers.find((modifier) => modifier.startsWith('='))?.slice(1),
  }
}
