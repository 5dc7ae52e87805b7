import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { json, topic } from '../../src/index.ts'
import { deserializeAll } from '../../src/topic/serde.ts'

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const Tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.lazy(() => z.array(Tree)) })

describe('a schema', () => {
  it.each<[string, z.ZodType]>([
    ['map', z.map(z.string(), z.number())],
    ['set', z.set(z.number())],
    ['date', z.date()],
    ['coerced date', z.coerce.date()],
    ['bigint', z.bigint()],
    ['class', z.instanceof(Uint8Array)],
    ['symbol', z.symbol()],
    ['nan', z.nan()],
    ['transform', z.string().transform(Number)],
    ['preprocess', z.preprocess(Number, z.number())],
    ['literal', z.literal(1n)],
    ['undefined', z.array(z.undefined())],
    ['property that is undefined', z.object({ a: z.union([z.string(), z.undefined()]) })],
    ['array', z.array(z.object({ at: z.date() }))],
    ['union', z.union([z.string(), z.date().optional()])],
    ['record', z.record(z.string(), z.date().nullable())],
    ['tuple', z.tuple([z.string(), z.date()])],
    ['lazy', z.lazy(() => z.object({ at: z.date() }))],
    [
      'intersection',
      z.intersection(z.object({ a: z.string() }), z.object({ b: z.date().default(new Date(0)) })),
    ],
    ['catchall', z.object({}).catchall(z.bigint())],
    [
      'codec whose written side is none',
      z.codec(z.date(), z.string(), { decode: String, encode: (text) => new Date(text) }),
    ],
  ])('is refused where JSON cannot hold its values: %s', (_what, schema) => {
    const refused = expect.objectContaining({ code: 'SCHEMA_NOT_JSON', actor: 'author' }) as Error
    expect(() => json(schema)).toThrow(refused)
    expect(() => topic('rows', { value: z.object({ deep: schema }) })).toThrow(refused)
  })

  it('is named with the place of what JSON cannot hold', () => {
    expect(() => json(z.object({ lines: z.array(z.object({ at: z.date() })) }))).toThrow('lines.[].at')
  })

  it.each<[string, z.ZodType, unknown]>([
    ['recursive', Tree, { name: 'a', children: [{ name: 'b', children: [] }] }],
    [
      'codec',
      z.codec(z.iso.datetime(), z.date(), {
        decode: (text) => new Date(text),
        encode: (at) => at.toISOString(),
      }),
      new Date(5),
    ],
    ['optional', z.object({ a: z.string().optional() }), {}],
    ['any', z.any(), { a: [1, null, 'x', { b: true }] }],
    ['default', z.object({ a: z.number().default(1) }), { a: 2 }],
  ])('whose values JSON holds is written and read: %s', (_what, schema, value) => {
    const serde = json(schema)
    expect(deserializeAll(serde, serde.serialize(value as NonNullable<unknown>))).toEqual(value)
  })
})

describe('a value under an open schema', () => {
  const circle: unknown[] = []
  circle.push(circle)
  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['bigint', 1n],
    ['Map', new Map()],
    ['Date', new Date(0)],
    ['bytes', new Uint8Array(2)],
    ['undefined', [undefined]],
    ['a hole', Array.from({ length: 1 })],
    ['a function', () => 1],
    ['an instance', new URL('http://localhost')],
    ['a circle', circle],
  ])('is the failure of its record where JSON would lose it: %s', (_what, value) => {
    const refused = expect.objectContaining({ code: 'VALUE_NOT_JSON', actor: 'record' }) as Error
    const open = json(z.object({ x: z.any() }))
    expect(() => open.serialize({ x: value })).toThrow(refused)
    expect(() => json(z.unknown()).serialize(value as NonNullable<unknown>)).toThrow(refused)
    expect(() => json(z.array(z.custom())).serialize([value])).toThrow(refused)
  })
})
