import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { json } from '../../src/topic/json.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import type { JsonSchema } from '../../src/topic/serde.ts'
import { refusedBy } from '../../src/topology/schema-compatibility.ts'

/** Two schemas with values of each. What one writes, the other is asked to read, both ways. */
type Pair = readonly [
  left: z.ZodType,
  right: z.ZodType,
  lefts: readonly unknown[],
  rights: readonly unknown[],
]

const pairs: Readonly<Record<string, Pair>> = {
  'tuple grows': [z.tuple([z.string()]), z.tuple([z.string(), z.number()]), [['a']], [['a', 1]]],
  'tuple rest': [z.tuple([z.string()]), z.tuple([z.string()], z.number()), [['a']], [['a', 1], ['a']]],
  'tuple optional': [
    z.tuple([z.string()]),
    z.tuple([z.string(), z.number().optional()]),
    [['a']],
    [['a', 1], ['a']],
  ],
  'array tuple': [z.array(z.string()), z.tuple([z.string()]), [[], ['a'], ['a', 'b']], [['a']]],
  'array of objects': [
    z.array(z.object({ a: z.string() })),
    z.array(z.object({ a: z.string(), b: z.number() })),
    [[{ a: 'x' }], []],
    [[{ a: 'x', b: 1 }]],
  ],
  'union widened': [
    z.union([z.string(), z.number()]),
    z.union([z.string(), z.number(), z.boolean()]),
    ['a', 1],
    ['a', 1, true],
  ],
  enum: [z.enum(['a', 'b']), z.enum(['a', 'b', 'c']), ['a', 'b'], ['a', 'b', 'c']],
  literal: [z.literal('a'), z.literal(['a', 'b']), ['a'], ['a', 'b']],
  'literal number': [z.literal(1), z.literal('1'), [1], ['1']],
  'literal vs string': [z.literal('a'), z.string(), ['a'], ['a', 'z']],
  nullable: [
    z.object({ a: z.string() }),
    z.object({ a: z.string().nullable() }),
    [{ a: 'x' }],
    [{ a: null }],
  ],
  optional: [z.object({ a: z.string() }), z.object({ a: z.string().optional() }), [{ a: 'x' }], [{}]],
  default: [
    z.object({ a: z.string() }),
    z.object({ a: z.string().default('q') }),
    [{ a: 'x' }],
    [{ a: 'x' }],
  ],
  'default new': [z.object({}), z.object({ a: z.string().default('q') }), [{}], [{ a: 'q' }]],
  nullish: [
    z.object({ a: z.string().optional() }),
    z.object({ a: z.string().nullish() }),
    [{ a: 'x' }, {}],
    [{ a: null }, {}],
  ],
  record: [z.record(z.string(), z.number()), z.record(z.string(), z.string()), [{ a: 1 }], [{ a: 'x' }]],
  'record enum keys': [
    z.record(z.enum(['a', 'b']), z.number()),
    z.record(z.enum(['a', 'b', 'c']), z.number()),
    [{ a: 1, b: 1 }],
    [{ a: 1, b: 1, c: 1 }],
  ],
  'record vs object': [
    z.record(z.string(), z.number()),
    z.object({ a: z.number() }),
    [{ a: 1 }, {}],
    [{ a: 1 }],
  ],
  'partial record': [
    z.partialRecord(z.enum(['a', 'b']), z.number()),
    z.partialRecord(z.enum(['a']), z.number()),
    [{ b: 1 }],
    [{ a: 1 }],
  ],
  'record keys': [
    z.record(z.string(), z.number()),
    z.record(z.enum(['a']), z.number()),
    [{ z: 1 }, {}],
    [{ a: 1 }],
  ],
  'record key pattern': [
    z.record(z.string(), z.number()),
    z.record(z.string().regex(/^a/), z.number()),
    [{ z: 1 }],
    [{ a: 1 }],
  ],
  min: [z.number().min(1), z.number().min(5), [1], [5]],
  'gt vs min': [z.number().gt(1), z.number().min(2), [1.5], [2]],
  'max len': [z.string().max(3), z.string().max(5), ['abc'], ['abcde']],
  'array min': [z.array(z.string()), z.array(z.string()).min(1), [[]], [['a']]],
  int: [z.number(), z.int(), [1.5], [1]],
  int32: [z.int(), z.int32(), [2 ** 40], [1]],
  multipleOf: [z.number().multipleOf(4), z.number().multipleOf(2), [4], [2]],
  regex: [z.string(), z.string().regex(/a/), ['b'], ['a']],
  email: [z.string(), z.email(), ['b'], ['a@b.co']],
  discriminated: [
    z.discriminatedUnion('t', [z.object({ t: z.literal('a'), x: z.number() })]),
    z.discriminatedUnion('t', [
      z.object({ t: z.literal('a'), x: z.number() }),
      z.object({ t: z.literal('b'), y: z.string() }),
    ]),
    [{ t: 'a', x: 1 }],
    [{ t: 'b', y: 'q' }],
  ],
  'union to object': [
    z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
    z.object({ a: z.string() }),
    [{ b: 'x' }],
    [{ a: 'x' }],
  ],
  intersection: [
    z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
    z.object({ a: z.string(), b: z.string() }),
    [{ a: 'x', b: 'y' }],
    [{ a: 'x', b: 'y' }],
  ],
  'intersection grows': [
    z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
    z.intersection(z.object({ a: z.string() }), z.object({ b: z.string(), c: z.string() })),
    [{ a: 'x', b: 'y' }],
    [{ a: 'x', b: 'y', c: 'z' }],
  ],
  strict: [z.object({ a: z.string() }), z.strictObject({ a: z.string() }), [{ a: 'x' }], [{ a: 'x' }]],
  'strict new field': [
    z.strictObject({ a: z.string() }),
    z.strictObject({ a: z.string(), b: z.string().optional() }),
    [{ a: 'x' }],
    [{ a: 'x', b: 'y' }],
  ],
  catchall: [
    z.object({ a: z.string() }).catchall(z.number()),
    z.object({ a: z.string() }).catchall(z.string()),
    [{ a: 'x', q: 1 }],
    [{ a: 'x', q: 'w' }],
  ],
  'catchall strict': [
    z.object({ a: z.string() }).catchall(z.number()),
    z.strictObject({ a: z.string() }),
    [{ a: 'x', q: 1 }],
    [{ a: 'x' }],
  ],
  'loose to catchall': [
    z.looseObject({ a: z.string() }),
    z.object({ a: z.string() }).catchall(z.number()),
    [{ a: 'x', q: 'str' }],
    [{ a: 'x', q: 1 }],
  ],
  'loose to known': [
    z.looseObject({ a: z.string() }),
    z.object({ a: z.string(), b: z.number().optional() }),
    [{ a: 'x', b: 'str' }],
    [{ a: 'x' }],
  ],
  'plain to known': [
    z.object({ a: z.string() }),
    z.object({ a: z.string(), b: z.number().optional() }),
    [{ a: 'x' }],
    [{ a: 'x', b: 1 }],
  ],
  any: [z.any(), z.string(), [1], ['a']],
  'unknown field': [z.object({ a: z.unknown() }), z.object({ a: z.string() }), [{ a: 1 }], [{ a: 'x' }]],
  'boolean literal': [z.boolean(), z.literal(true), [false], [true]],
  'boolean union': [z.union([z.literal(true), z.literal(false)]), z.boolean(), [true, false], [true, false]],
  'enum union': [z.union([z.literal('a'), z.literal('b')]), z.enum(['a', 'b']), ['a', 'b'], ['a', 'b']],
  null: [z.null(), z.string().nullable(), [null], ['a', null]],
  'exact len': [z.string().length(3), z.string().min(1), ['abc'], ['a']],
  'nested optional obj': [
    z.object({ a: z.object({ b: z.string() }).optional() }),
    z.object({ a: z.object({ b: z.string(), c: z.number() }).optional() }),
    [{ a: { b: 'x' } }, {}],
    [{ a: { b: 'x', c: 1 } }],
  ],
  'nullable obj': [
    z.object({ a: z.object({ b: z.string() }).nullable() }),
    z.object({ a: z.object({ b: z.string(), c: z.number() }).nullable() }),
    [{ a: { b: 'x' } }],
    [{ a: { b: 'x', c: 1 } }],
  ],
  prefault: [
    z.object({ a: z.string() }),
    z.object({ a: z.string().prefault('q') }),
    [{ a: 'x' }],
    [{ a: 'x' }],
  ],
  catch: [z.object({ a: z.string() }), z.object({ a: z.string().catch('q') }), [{ a: 'x' }], [{ a: 'x' }]],
  template: [z.templateLiteral(['a-', z.number()]), z.string(), ['a-1'], ['x']],
  'number max': [z.number().max(5), z.number(), [5], [7]],
  negatives: [z.number().nonnegative(), z.number().positive(), [0], [1]],
  readonly: [z.object({ a: z.string() }).readonly(), z.object({ a: z.string() }), [{ a: 'x' }], [{ a: 'x' }]],
  'iso date': [z.iso.date(), z.iso.datetime(), ['2020-01-01'], ['2020-01-01T00:00:00Z']],
  uuid: [z.uuid(), z.string(), ['d9428888-122b-11e1-b85c-61cd3cbb3210'], ['x']],
  brand: [z.string().brand('x'), z.string(), ['a'], ['a']],
}

const schemaOf = (schema: z.ZodType): JsonSchema => json(schema).jsonSchema?.() ?? {}

/** Whether the reader refuses one of the values, as the writer writes them. */
const refuses = (reader: z.ZodType, writer: z.ZodType, values: readonly unknown[]): boolean =>
  values.some((value) => {
    const bytes = json(writer).serialize(value as never)
    try {
      deserializeAll(json(reader), bytes)
      return false
    } catch {
      return true
    }
  })

describe('a changed schema is compatible when a reader accepts it', () => {
  it.each(Object.entries(pairs))('%s', (_name, [left, right, lefts, rights]) => {
    expect(refusedBy(schemaOf(right), schemaOf(left)).length > 0).toBe(refuses(right, left, lefts))
    expect(refusedBy(schemaOf(left), schemaOf(right)).length > 0).toBe(refuses(left, right, rights))
  })
})
