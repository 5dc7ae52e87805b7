import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { copyPlain } from '../../src/base/plain-data.ts'
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
    ['literal that is infinite', z.literal(['a', Infinity])],
    ['enum with NaN', z.enum({ A: NaN, B: 1 })],
    ['record with symbols as keys', z.record(z.symbol(), z.number())],
    [
      'record whose keys are transformed',
      z.record(
        z.string().transform((key) => key.trim()),
        z.number(),
      ),
    ],
    [
      'codec with a transform behind it',
      z.codec(z.string(), z.string().transform(Number), { decode: String, encode: String }),
    ],
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
    [
      'codec with a check behind it',
      z
        .codec(z.iso.datetime(), z.date(), {
          decode: (text) => new Date(text),
          encode: (at) => at.toISOString(),
        })
        .pipe(z.date().min(new Date(0))),
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
  const lost = Object.fromEntries([['__proto__', { a: 1 }]])
  it.each<[string, z.ZodType, unknown]>([
    ['a property under any', z.object({ x: z.any() }), { x: undefined }],
    ['a property under custom', z.object({ x: z.custom() }), { x: undefined }],
    ['a key that is a symbol', z.any(), { [Symbol('s')]: 1 }],
    ['a key of an array', z.any(), Object.assign([1], { more: 2 })],
    ['beside the keys of a loose record', z.looseRecord(z.string().regex(/^x/), z.number()), { y: NaN }],
    ['the key __proto__ of a record', z.record(z.string(), z.any()), lost],
    ['the key __proto__ of a loose object', z.object({ a: z.looseObject({}) }), { a: lost }],
  ])('is the failure of its record where it could not be read back: %s', (_what, schema, value) => {
    const refused = expect.objectContaining({ code: 'VALUE_NOT_JSON', actor: 'record' }) as Error
    expect(() => json(schema).serialize(value as NonNullable<unknown>)).toThrow(refused)
  })

  it('keeps the key __proto__ where the schema takes anything', () => {
    const open = json(z.any())
    const read: unknown = deserializeAll(open, open.serialize(lost))
    expect(Object.keys(read as object)).toEqual(['__proto__'])
    expect(Object.keys(copyPlain(read) as object)).toEqual(['__proto__'])
  })
})
