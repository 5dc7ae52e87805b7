import * as fc from 'fast-check'
import type { Arbitrary } from 'fast-check'
import { parseHead, type Fields } from '../../../src/broker/protocol/schema.ts'
import { uuidFromBytes, ZERO_UUID } from '../../../src/broker/protocol/uuid.ts'

/** How special fields are drawn, by name; for oracles that are particular about them. */
export type Overrides = Readonly<Record<string, Arbitrary<unknown>>>

/** Any message of a schema at a version, with every field, those that the version does not carry at their defaults. */
export const arbitraryMessage = (
  fields: Fields,
  version: number,
  overrides: Overrides = {},
): Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, arbitraryField(name, field, version, overrides)]),
    ),
  )

const arbitraryField = (
  name: string,
  field: Fields[string],
  version: number,
  overrides: Overrides,
): Arbitrary<unknown> => {
  const head = parseHead(typeof field === 'string' ? field : field[0])
  if (version < head.since || version > head.until) return fc.constant(fallback(head))
  const override = overrides[name]
  if (override !== undefined) return override
  const one = typeof field === 'string' ? scalar(head.type) : arbitraryMessage(field[1], version, overrides)
  const value = head.list || head.type === 'array' ? fc.array(one, { maxLength: 3 }) : one
  return head.nullable ? fc.option(value, { nil: null }) : value
}

const fallback = (head: ReturnType<typeof parseHead>): unknown => {
  if (head.nullable) return null
  if (head.list || head.type === 'array') return []
  if (head.type === 'string') return head.fallback ?? ''
  if (head.type === 'uuid') return ZERO_UUID
  if (head.type === 'boolean') return head.fallback === 'true'
  return Number(head.fallback ?? 0)
}

const scalar = (type: string): Arbitrary<unknown> => {
  switch (type) {
    case 'boolean':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -32768, max: 32767 })
    case 'int32':
      return fc.integer({ min: -2147483648, max: 2147483647 })
    case 'int64':
      return fc.maxSafeInteger()
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 20 })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidFromBytes(bytes))
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 20 })
    default:
      throw new Error(`no arbitrary for ${type}`)
  }
}
