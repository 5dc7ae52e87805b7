import { malformed, Reader } from './reader.ts'
import { parseHead, type ApiSchema, type Field, type FieldHead, type Fields } from './schema.ts'
import { scalarCodec, type Codec } from './scalars.ts'
import { ZERO_UUID } from './uuid.ts'
import { Writer } from './writer.ts'

/**
 * The one interpreter of the schema table. A message of one version is compiled once into nested codecs (closures over
 * what the version carries), and kept; decoding and encoding then ask no question about versions.
 */
interface CompiledField {
  readonly name: string
  readonly tag: number | undefined
  readonly carried: boolean
  readonly codec: Codec
  readonly fallback: () => unknown
}

const compiled = new WeakMap<Fields, Codec[]>()

/** The codec of one side of an API at one version. */
export const codecOf = (schema: ApiSchema, side: 'request' | 'response', version: number): Codec => {
  const fields = schema[side]
  let versions = compiled.get(fields)
  if (versions === undefined) compiled.set(fields, (versions = []))
  return (versions[version] ??= structCodec(fields, version, isFlexible(schema, version)))
}

export const isFlexible = (schema: ApiSchema, version: number): boolean =>
  schema.flexibleFrom !== null && version >= schema.flexibleFrom

const structCodec = (fields: Fields, version: number, flexible: boolean): Codec => {
  const all = Object.entries(fields).map(([name, field]) => compileField(name, field, version, flexible))
  const plain = all.filter((field) => field.carried && field.tag === undefined)
  const tagged = all.filter((field) => field.carried && field.tag !== undefined)
  return {
    decode(reader) {
      const message: Record<string, unknown> = {}
      for (const field of all) {
        message[field.name] =
          field.carried && field.tag === undefined ? field.codec.decode(reader) : field.fallback()
      }
      if (flexible) decodeTagged(reader, tagged, message)
      return message
    },
    encode(writer, value) {
      const message = value as Record<string, unknown>
      for (const field of plain) {
        const given = message[field.name]
        field.codec.encode(writer, given === undefined ? field.fallback() : given)
      }
      if (flexible) encodeTagged(writer, tagged, message)
    },
  }
}

const decodeTagged = (
  reader: Reader,
  known: readonly CompiledField[],
  message: Record<string, unknown>,
): void => {
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    const tag = reader.unsignedVarint()
    const payload = reader.view(reader.unsignedVarint())
    const field = known.find((candidate) => candidate.tag === tag)
    if (field !== undefined) message[field.name] = field.codec.decode(new Reader(payload))
  }
}

const encodeTagged = (
  writer: Writer,
  known: readonly CompiledField[],
  message: Record<string, unknown>,
): void => {
  const given = known.filter((field) => message[field.name] !== undefined)
  writer.unsignedVarint(given.length)
  for (const field of given) {
    const payload = new Writer()
    field.codec.encode(payload, message[field.name])
    writer.unsignedVarint(field.tag as number)
    writer.unsignedVarint(payload.length)
    for (const chunk of payload.chunks()) writer.raw(chunk)
  }
}

const compileField = (name: string, field: Field, version: number, flexible: boolean): CompiledField => {
  const head = parseHead(typeof field === 'string' ? field : field[0])
  const carried = version >= head.since && version <= head.until
  return {
    name,
    tag: head.tag,
    carried,
    codec: fieldCodec(head, field, version, flexible),
    fallback: fallbackOf(head, field, version),
  }
}

const fieldCodec = (head: FieldHead, field: Field, version: number, flexible: boolean): Codec => {
  if (typeof field === 'string') {
    const scalar = scalarCodec(head.type, flexible)
    return requirePresence(head, head.list ? listCodec(scalar, flexible) : scalar)
  }
  const struct = structCodec(field[1], version, flexible)
  return head.type === 'array' ? requirePresence(head, listCodec(struct, flexible)) : struct
}

/** Kafka refuses a null where the schema has none, and so do we: handlers never meet one. */
const requirePresence = (head: FieldHead, codec: Codec): Codec =>
  head.nullable
    ? codec
    : {
        decode(reader) {
          const value = codec.decode(reader)
          if (value === null) throw malformed('a field that cannot be null was null')
          return value
        },
        encode: (writer, value) => codec.encode(writer, value),
      }

const fallbackOf = (head: FieldHead, field: Field, version: number): (() => unknown) => {
  if (head.type === 'struct' && typeof field !== 'string') {
    const fields = Object.entries(field[1]).map(([name, inner]) => compileField(name, inner, version, true))
    return () => Object.fromEntries(fields.map((inner) => [inner.name, inner.fallback()]))
  }
  if (head.nullable) return () => null
  if (head.list || head.type === 'array') return () => []
  const value = fallbackScalar(head)
  return () => value
}

const fallbackScalar = ({ type, fallback }: FieldHead): unknown => {
  switch (type) {
    case 'string':
      return fallback ?? ''
    case 'uuid':
      return ZERO_UUID
    case 'boolean':
      return fallback === 'true'
    case 'bytes':
    case 'records':
      return new Uint8Array(0)
    default:
      return Number(fallback ?? 0)
  }
}

const listCodec = (item: Codec, flexible: boolean): Codec => ({
  decode(reader) {
    const length = flexible ? reader.unsignedVarint() - 1 : reader.int32()
    if (length < 0) return null
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(item.decode(reader))
    return items
  },
  encode(writer, value) {
    const items = value as readonly unknown[] | null
    if (flexible) writer.unsignedVarint(items === null ? 0 : items.length + 1)
    else writer.int32(items === null ? -1 : items.length)
    if (items !== null) for (const entry of items) item.encode(writer, entry)
  },
})
