import type { JsonSchema } from '../topic/serde.ts'

/** Reads JSON Schemas (draft 2020-12) as far as zod's `toJSONSchema` writes them. */

/** A schema and the document that its references point into. */
export interface Placed {
  readonly schema: JsonSchema
  readonly root: JsonSchema
}

export const refOf = ({ schema }: Placed): string | undefined =>
  typeof schema['$ref'] === 'string' ? schema['$ref'] : undefined

/** Follows references, and flattens an intersection into one schema. */
export const resolved = (placed: Placed): Placed => {
  const ref = refOf(placed)
  if (ref !== undefined) return resolved({ schema: pointed(placed.root, ref), root: placed.root })
  const parts = schemasAt(placed, 'allOf').map(resolved)
  if (parts.length === 0) return placed
  return { schema: parts.map(({ schema }) => schema).reduce(merged, {}), root: placed.root }
}

const merged = (left: JsonSchema, right: JsonSchema): JsonSchema => ({
  ...left,
  ...right,
  properties: { ...(left['properties'] as object), ...(right['properties'] as object) },
  required: [...requiredOf(left), ...requiredOf(right)],
})

const pointed = (root: JsonSchema, ref: string): JsonSchema => {
  let at: unknown = root
  for (const part of ref.split('/').slice(1))
    at = (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')]
  return (at ?? {}) as JsonSchema
}

export const variantsOf = (placed: Placed): readonly Placed[] | undefined => {
  const variants = [...schemasAt(placed, 'anyOf'), ...schemasAt(placed, 'oneOf')]
  return variants.length === 0 ? undefined : variants
}

export const schemasAt = ({ schema, root }: Placed, keyword: string): readonly Placed[] => {
  const found = schema[keyword]
  return Array.isArray(found) ? found.map((each: JsonSchema) => ({ schema: each, root })) : []
}

export const schemaAt = ({ schema, root }: Placed, keyword: string): Placed | undefined => {
  const found = schema[keyword]
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? { schema: found as JsonSchema, root }
    : undefined
}

export const isObject = (schema: JsonSchema): boolean => typesOf(schema)?.includes('object') === true

export const fieldsOf = ({ schema, root }: Placed): ReadonlyMap<string, Placed> =>
  new Map(
    Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>).map(([field, each]) => [
      field,
      { schema: each, root },
    ]),
  )

export const requiredOf = (schema: JsonSchema): readonly string[] =>
  (schema['required'] ?? []) as readonly string[]

export const additionalOf = (placed: Placed): Placed | 'any' | 'none' => {
  const found = schemaAt(placed, 'additionalProperties')
  if (found !== undefined) return found
  return placed.schema['additionalProperties'] === false ? 'none' : 'any'
}

export const typesOf = (schema: JsonSchema): readonly string[] | undefined => {
  const { type } = schema
  if (type !== undefined) return Array.isArray(type) ? (type as readonly string[]) : [type as string]
  const values =
    schema['const'] === undefined ? (schema['enum'] as readonly unknown[] | undefined) : [schema['const']]
  return values === undefined ? undefined : [...new Set(values.map(typeOfValue))]
}

const typeOfValue = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value

export const valuesOf = (schema: JsonSchema): readonly string[] | undefined => {
  if ('const' in schema) return [JSON.stringify(schema['const'])]
  const values = schema['enum'] as readonly unknown[] | undefined
  return values?.map((value) => JSON.stringify(value))
}

/** Each value that an enumeration or a boolean has, as a schema of its own; empty where there is no list of them. */
export const eachValueOf = ({ schema, root }: Placed): readonly Placed[] => {
  const { enum: values, type } = schema
  if ('const' in schema) return []
  if (Array.isArray(values)) return values.map((value: unknown) => ({ schema: { const: value }, root }))
  return type === 'boolean' ? [true, false].map((value) => ({ schema: { type, const: value }, root })) : []
}

export const numberAt = (schema: JsonSchema, keyword: string): number | undefined =>
  typeof schema[keyword] === 'number' ? schema[keyword] : undefined
