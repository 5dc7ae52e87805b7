import type { JsonSchema } from '../topic/serde.ts'
import {
  additionalOf,
  eachValueOf,
  fieldsOf,
  isObject,
  numberAt,
  refOf,
  requiredOf,
  resolved,
  schemaAt,
  schemasAt,
  typesOf,
  valuesOf,
  variantsOf,
} from './json-schema.ts'
import type { Placed } from './json-schema.ts'

/**
 * Whether a reader by one JSON Schema accepts everything that a writer by another one writes. This is what Schema
 * Registry calls backward compatibility, for JSON: each problem names the field and what a reader runs into.
 *
 * Only keywords that zod's `toJSONSchema` produces are compared. An unknown keyword never makes two schemas incompatible.
 */
export interface SchemaProblem {
  readonly kind: 'type' | 'missing' | 'optional' | 'unexpected' | 'constraint'
  /** The field, as in `address.street` or `items[]`; empty for the value as a whole. */
  readonly path: string
  readonly message: string
}

/** What of `writer`'s values a reader by `reader` refuses; empty where it accepts them all. */
export const refusedBy = (reader: JsonSchema, writer: JsonSchema): readonly SchemaProblem[] =>
  compare({ schema: reader, root: reader }, { schema: writer, root: writer }, '', new Set())

/** The required fields of `before` that `after` does not have at all, by path. */
export const removedFields = (before: JsonSchema, after: JsonSchema): readonly string[] =>
  missingFrom({ schema: before, root: before }, { schema: after, root: after }, '', new Set())

const compare = (
  reader: Placed,
  writer: Placed,
  path: string,
  seen: ReadonlySet<string>,
): readonly SchemaProblem[] => {
  const [into, from] = [resolved(reader), resolved(writer)]
  const pair = `${refOf(reader)} ${refOf(writer)}`
  if (refOf(reader) !== undefined && refOf(writer) !== undefined && seen.has(pair)) return []
  const inner = new Set([...seen, pair])
  const writes = variantsOf(from)
  if (writes !== undefined) return uniqueByPath(writes.flatMap((each) => compare(into, each, path, inner)))
  const reads = variantsOf(into)
  const values = reads === undefined ? [] : eachValueOf(from)
  if (values.length > 1) return uniqueByPath(values.flatMap((each) => compare(into, each, path, inner)))
  if (reads !== undefined) return nearestProblems(reads.map((each) => compare(each, from, path, inner)))
  return [
    ...typeProblems(into.schema, from.schema, path),
    ...objectProblems(into, from, path, inner),
    ...arrayProblems(into, from, path, inner),
    ...boundProblems(into.schema, from.schema, path),
  ]
}

/** Of a union, the alternative that comes closest says what is wrong. */
const nearestProblems = (all: readonly (readonly SchemaProblem[])[]): readonly SchemaProblem[] =>
  all.toSorted((left, right) => weightOf(left) - weightOf(right))[0] ?? []

const weightOf = (problems: readonly SchemaProblem[]): number =>
  problems.reduce((sum, { kind }) => sum + (kind === 'type' ? 100 : 1), 0)

const uniqueByPath = (problems: readonly SchemaProblem[]): readonly SchemaProblem[] => [
  ...new Map(problems.map((each) => [`${each.kind} ${each.path} ${each.message}`, each])).values(),
]

const typeProblems = (reader: JsonSchema, writer: JsonSchema, path: string): readonly SchemaProblem[] => {
  const [accepted, written] = [valuesOf(reader), valuesOf(writer)]
  if (accepted !== undefined && written !== undefined) {
    const refused = written.filter((each) => !accepted.includes(each))
    return refused.length === 0
      ? []
      : [{ kind: 'type', path, message: `${refused.join(', ')} is not among ${accepted.join(', ')}` }]
  }
  const [into, from] = [typesOf(reader), typesOf(writer)]
  if (into === undefined) return []
  const refused = from === undefined ? ['any value'] : from.filter((type) => !acceptsType(into, type))
  if (refused.length > 0)
    return [{ kind: 'type', path, message: `${refused.join(' or ')} is read as ${into.join(' or ')}` }]
  return accepted === undefined
    ? []
    : [
        {
          kind: 'constraint',
          path,
          message: `any ${into.join(' or ')} is read as one of ${accepted.join(', ')}`,
        },
      ]
}

const acceptsType = (accepted: readonly string[], type: string): boolean =>
  accepted.includes(type) || (type === 'integer' && accepted.includes('number'))

const objectProblems = (
  reader: Placed,
  writer: Placed,
  path: string,
  seen: ReadonlySet<string>,
): readonly SchemaProblem[] => {
  if (!isObject(reader.schema) || !isObject(writer.schema)) return []
  const [into, from] = [fieldsOf(reader), fieldsOf(writer)]
  const required = requiredOf(reader.schema).flatMap((field): readonly SchemaProblem[] => {
    // A field with a default is always written.
    if (requiredOf(writer.schema).includes(field) || hasDefault(from.get(field))) return []
    const at = join(path, field)
    return from.has(field)
      ? [{ kind: 'optional', path: at, message: 'an optional field is read as a required one' }]
      : [{ kind: 'missing', path: at, message: 'a required field is not written' }]
  })
  const fields = [...from].flatMap(([field, schema]) => {
    const known = into.get(field) ?? (acceptsName(reader, field) ? additionalOf(reader) : 'none')
    if (known === 'none')
      return [
        { kind: 'unexpected' as const, path: join(path, field), message: 'an unknown field is refused' },
      ]
    return known === 'any' ? [] : compare(known, schema, join(path, field), seen)
  })
  return [...required, ...fields, ...otherFieldProblems(reader, writer, path, seen)]
}

/** Fields that the writer does not name: of a record, or beside the declared ones. A plain object writes none. */
const otherFieldProblems = (
  reader: Placed,
  writer: Placed,
  path: string,
  seen: ReadonlySet<string>,
): readonly SchemaProblem[] => {
  const [more, less] = [additionalOf(writer), additionalOf(reader)]
  if (typeof more !== 'object') return []
  const at = `${path}{}`
  if (less === 'none') return [{ kind: 'unexpected', path: at, message: 'an unknown field is refused' }]
  const [namesRead, namesWritten] = [schemaAt(reader, 'propertyNames'), schemaAt(writer, 'propertyNames')]
  const names = namesRead === undefined ? [] : compare(namesRead, namesWritten ?? anyName(writer), at, seen)
  const others = typeof less === 'object' ? compare(less, more, at, seen) : []
  const named = fieldsOf(writer)
  const known = [...fieldsOf(reader)].flatMap(([field, schema]) =>
    named.has(field) || !acceptsName(writer, field) ? [] : compare(schema, more, join(path, field), seen),
  )
  return [...names, ...others, ...known]
}

const anyName = ({ root }: Placed): Placed => ({ schema: { type: 'string' }, root })

/** False where the keys of a record are enumerated, and this is none of them. */
const acceptsName = (record: Placed, field: string): boolean => {
  const names = schemaAt(record, 'propertyNames')
  const values = names === undefined ? undefined : valuesOf(resolved(names).schema)
  return values === undefined || values.includes(JSON.stringify(field))
}

const hasDefault = (field: Placed | undefined): boolean => field !== undefined && 'default' in field.schema

const arrayProblems = (
  reader: Placed,
  writer: Placed,
  path: string,
  seen: ReadonlySet<string>,
): readonly SchemaProblem[] => {
  const positions = (of: Placed): readonly Placed[] => schemasAt(of, 'prefixItems')
  const rest = (of: Placed): Placed | undefined => schemaAt(of, 'items')
  const [into, from] = [positions(reader), positions(writer)]
  const length = Math.max(into.length, from.length)
  const pairs = Array.from(
    { length },
    (_, at) => [into[at] ?? rest(reader), from[at] ?? rest(writer)] as const,
  )
  return [...pairs, [rest(reader), rest(writer)] as const].flatMap(([read, written], at) =>
    read === undefined || written === undefined
      ? []
      : compare(read, written, `${path}[${at < length ? at : ''}]`, seen),
  )
}

/** A bound that only the reader has, or that is tighter there. */
const boundProblems = (reader: JsonSchema, writer: JsonSchema, path: string): readonly SchemaProblem[] => [
  ...bounds.flatMap(([keyword, ...implied]) => {
    const bound = numberAt(reader, keyword)
    return bound === undefined || implied.some((each) => implies(writer, each, bound))
      ? []
      : [{ kind: 'constraint' as const, path, message: `${keyword} ${bound} is new or tighter` }]
  }),
  ...exactBounds.flatMap((keyword) =>
    reader[keyword] === undefined || reader[keyword] === writer[keyword]
      ? []
      : [
          {
            kind: 'constraint' as const,
            path,
            message: `${keyword} ${JSON.stringify(reader[keyword])} is new or other`,
          },
        ],
  ),
]

/** A bound of the writer that keeps one of the reader. */
type Implied = readonly [keyword: string, isWithin: (written: number, bound: number) => boolean]

const implies = (writer: JsonSchema, [keyword, isWithin]: Implied, bound: number): boolean => {
  const written = numberAt(writer, keyword)
  return written !== undefined && isWithin(written, bound)
}

const atLeast: Implied[1] = (written, bound) => written >= bound
const atMost: Implied[1] = (written, bound) => written <= bound
const above: Implied[1] = (written, bound) => written > bound
const below: Implied[1] = (written, bound) => written < bound

/** Each bound of a reader, with the bounds of a writer that keep it. */
const bounds: readonly (readonly [keyword: string, ...implied: readonly Implied[]])[] = [
  ['minimum', ['minimum', atLeast], ['exclusiveMinimum', atLeast]],
  ['exclusiveMinimum', ['exclusiveMinimum', atLeast], ['minimum', above]],
  ['maximum', ['maximum', atMost], ['exclusiveMaximum', atMost]],
  ['exclusiveMaximum', ['exclusiveMaximum', atMost], ['maximum', below]],
  ['minLength', ['minLength', atLeast]],
  ['minItems', ['minItems', atLeast]],
  ['maxLength', ['maxLength', atMost]],
  ['maxItems', ['maxItems', atMost]],
  ['multipleOf', ['multipleOf', (written, bound) => written % bound === 0]],
]
const exactBounds = ['pattern', 'format', 'contentEncoding'] as const

const missingFrom = (
  before: Placed,
  after: Placed,
  path: string,
  seen: ReadonlySet<string>,
): readonly string[] => {
  const [old, now] = [resolved(before), resolved(after)]
  const pair = `${refOf(before)} ${refOf(after)}`
  if (seen.has(pair) && pair !== 'undefined undefined') return []
  const inner = new Set([...seen, pair])
  const [items, itemsNow] = [schemaAt(old, 'items'), schemaAt(now, 'items')]
  if (items !== undefined && itemsNow !== undefined) return missingFrom(items, itemsNow, `${path}[]`, inner)
  if (!isObject(old.schema) || !isObject(now.schema)) return []
  const [fields, fieldsNow] = [fieldsOf(old), fieldsOf(now)]
  if (typeof additionalOf(now) === 'object') return []
  return [...fields].flatMap(([field, schema]) => {
    const kept = fieldsNow.get(field)
    if (kept !== undefined) return missingFrom(schema, kept, join(path, field), inner)
    return requiredOf(old.schema).includes(field) ? [join(path, field)] : []
  })
}

const join = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`)
