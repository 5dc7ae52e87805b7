import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Topology } from '../../src/index.ts'
import {
  diffTopologies,
  json,
  long,
  refuses,
  saga,
  sagaTopology,
  snapshotOf,
  string,
  succeeds,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import { refusedBy } from '../../src/topology/schema-compatibility.ts'

const schemaOf = (schema: z.ZodType): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

const problemsOf = (writer: z.ZodType, reader: z.ZodType): readonly string[] =>
  refusedBy(schemaOf(reader), schemaOf(writer)).map(({ kind, path }) => `${kind} ${path}`.trim())

describe('a reader refuses of what a writer writes', () => {
  const n = z.object({ n: z.number() })
  const tree = (v: z.ZodType): z.ZodType => {
    const node: z.ZodType = z.object({
      v,
      get kids() {
        return z.array(node)
      },
    })
    return node
  }
  it.each([
    ['nothing of the same schema', n, n, []],
    ['nothing of a wider one', z.object({ n: z.int() }), n, []],
    [
      'a number where it reads an integer',
      n,
      z.object({ n: z.int() }),
      ['type n', 'constraint n', 'constraint n'],
    ],
    ['a record without a field that it requires', n, n.extend({ m: z.string() }), ['missing m']],
    ['nothing where the field has a default', n, n.extend({ m: z.string().default('') }), []],
    ['nothing where the field is optional', n, n.extend({ m: z.string().optional() }), []],
    ['a field that the writer may leave out', n.partial(), n, ['optional n']],
    ['a field that a strict object does not know', n, z.strictObject({}), ['unexpected n']],
    ['nothing of a field that it does not look at', n, z.object({}), []],
    ['a value that an enum lost', z.enum(['a', 'b']), z.enum(['a']), ['type']],
    ['nothing of an enum that grew', z.enum(['a']), z.enum(['a', 'b']), []],
    ['text where it reads an enum', z.string(), z.enum(['a']), ['constraint']],
    ['null', n.nullable(), n, ['type']],
    ['nothing of one alternative of a union', z.string(), z.union([z.string(), z.number()]), []],
    ['one alternative of a union', z.union([z.string(), n]), z.string(), ['type']],
    ['items of another type', z.array(z.string()), z.array(z.number()), ['type []']],
    [
      'a field deep inside',
      z.object({ l: z.array(n) }),
      z.object({ l: z.array(n.extend({ m: z.string() })) }),
      ['missing l[].m'],
    ],
    ['values of a record', z.record(z.string(), z.string()), z.record(z.string(), z.number()), ['type {}']],
    ['a text above a new length', z.string(), z.string().max(3), ['constraint']],
    ['nothing below a length that grew', z.string().max(3), z.string().max(5), []],
    [
      'a date where it reads another text format',
      z.iso.date(),
      z.iso.datetime(),
      ['constraint', 'constraint'],
    ],
    ['nothing of a recursive schema', tree(z.number()), tree(z.number()), []],
    ['a field of a recursive schema', tree(z.number()), tree(z.string()), ['type v', 'type kids[].v']],
    [
      'a position of a tuple',
      z.tuple([z.string(), z.number()]),
      z.tuple([z.string(), z.string()]),
      ['type [1]'],
    ],
    ['any value where it reads text', z.any(), z.string(), ['type']],
  ] as const)('%s', (_, writer, reader, expected) => {
    expect(problemsOf(writer, reader)).toEqual(expected)
  })

  /** Small schemas and a value of each, so that many pairs meet. */
  const leaf = fc.constantFrom(
    z.string(),
    z.number(),
    z.int(),
    z.boolean(),
    z.null(),
    z.enum(['a', 'b']),
    z.enum(['a']),
    z.literal('a'),
  )
  const { schema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 2 },
      leaf as fc.Arbitrary<z.ZodType>,
      fc
        .dictionary(fc.constantFrom('a', 'b', 'c'), fc.tuple(tie('schema'), fc.boolean()), { maxKeys: 3 })
        .map((fields) =>
          z.object(
            Object.fromEntries(
              Object.entries(fields).map(([name, [each, optional]]) => [
                name,
                optional ? each.optional() : each,
              ]),
            ),
          ),
        ),
      tie('schema').map((each) => z.array(each)),
      fc.tuple(tie('schema'), tie('schema')).map(([left, right]) => z.union([left, right])),
      tie('schema').map((each) => each.nullable()),
    ),
  }))
  const values = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('a', 'b', 'other', 1, 1.5, true, null),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
      fc.array(tie('value'), { maxLength: 2 }),
    ),
  })).value

  it('where it refuses nothing, every value that the writer writes is accepted', () => {
    fc.assert(
      fc.property(
        schema,
        schema,
        fc.array(values, { minLength: 20, maxLength: 40 }),
        (writer, reader, all) => {
          if (problemsOf(writer, reader).length > 0) return
          for (const value of all)
            if (writer.safeParse(value).success)
              expect(reader.safeParse(writer.parse(value)).success).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('no schema refuses what it writes itself', () => {
    fc.assert(
      fc.property(schema, (each) => {
        expect(problemsOf(each, each)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('a changed schema breaks', () => {
  const V1 = z.object({ id: z.string(), amount: z.number() })
  const versions = {
    required: V1.extend({ currency: z.string() }),
    defaulted: V1.extend({ currency: z.string().default('EUR') }),
    removed: V1.omit({ amount: true }),
    renamed: V1.omit({ amount: true }).extend({ total: z.number() }),
    typed: V1.extend({ amount: z.string() }),
  }
  const inn = topic('inn', { value: string })
  const places: Readonly<Record<string, (value: z.ZodType) => Topology>> = {
    'a topic that is read': (value) =>
      topology('app', (builder) =>
        builder.stream(topic('t', { value })).to(topic('out', { value: json(value) })),
      ),
    'a table': (value) =>
      topology('app', (builder) => void builder.table(topic('t', { value }), { store: 's' })),
    'a global table': (value) =>
      topology('app', (builder) => void builder.globalTable(topic('t', { value }), { store: 's' })),
    'a store': (value) =>
      topology('app', (builder) => {
        builder
          .stream(inn)
          .groupByKey()
          .aggregate({ store: 's', value: json(value), initial: () => ({}), add: (state) => state })
      }),
    'a topic that is written': (value) =>
      topology('app', (builder) =>
        builder
          .stream(inn)
          .map(({ key }) => ({ key, value: {} as never }))
          .to(topic('t', { value: value as never })),
      ),
  }
  const codes = (place: string, value: z.ZodType): readonly string[] => {
    const build = places[place] as (value: z.ZodType) => Topology
    return diffTopologies(JSON.parse(JSON.stringify(snapshotOf(build(V1)))), build(value))
      .filter(({ effect }) => effect === 'breaking')
      .map(({ code }) => code)
  }
  const once = (all: readonly string[]): readonly string[] => [...new Set(all)].toSorted()

  it.each(Object.keys(places))(
    '%s where a required field is removed or renamed, or has another type',
    (place) => {
      expect(once(codes(place, versions.removed))).toContain(
        place === 'a topic that is written' ? 'SCHEMA_FIELD_REQUIRED' : 'SCHEMA_FIELD_REMOVED',
      )
      expect(codes(place, versions.renamed)).not.toEqual([])
      expect(once(codes(place, versions.typed))).toEqual(['SCHEMA_TYPE_CHANGED'])
    },
  )

  it.each(['a topic that is read', 'a table', 'a global table', 'a store'])(
    '%s where a new field is required without a default, and not with one',
    (place) => {
      expect(once(codes(place, versions.required))).toEqual(['SCHEMA_FIELD_REQUIRED'])
      expect(codes(place, versions.defaulted)).toEqual([])
    },
  )

  it('each with a remedy, and the new name of a field', () => {
    const build = places['a store'] as (value: z.ZodType) => Topology
    const [first] = diffTopologies(build(V1), build(versions.renamed))
    expect(first).toMatchObject({
      code: 'SCHEMA_FIELD_REMOVED',
      message:
        "the values of store 's' no longer have the required field 'amount'; 'total' seems to be its new name",
      remedy: "keep 'amount' as optional until no version needs it",
    })
  })

  it('nothing where the snapshot is of a version without schemas', () => {
    const build = places['a table'] as (value: z.ZodType) => Topology
    const { sources, stores, ...rest } = snapshotOf(build(V1))
    const without = <T extends object>(each: T): T => ({
      ...each,
      keySchema: undefined,
      valueSchema: undefined,
    })
    const old = { ...rest, sources: sources.map(without), stores: stores.map(without) }
    expect(diffTopologies(old, build(versions.typed))).toEqual([])
  })
})

describe('the schema of a key', () => {
  type Key = z.ZodType<object>
  const V1 = z.object({ shop: z.string(), order: z.number() })
  const versions = {
    removed: V1.omit({ order: true }),
    renamed: V1.omit({ order: true }).extend({ number: z.number() }),
    typed: V1.extend({ order: z.string() }),
    required: V1.extend({ country: z.string() }),
    optional: V1.extend({ country: z.string().optional() }),
  }
  const inn = topic('inn', { value: string })
  const places: Readonly<Record<string, (key: Key) => Topology>> = {
    'a topic that is read': (key) =>
      topology('app', (builder) => builder.stream(topic('t', { key, value: string })).forEach(() => {})),
    'a table': (key) =>
      topology('app', (builder) => void builder.table(topic('t', { key, value: string }), { store: 's' })),
    'a global table': (key) =>
      topology(
        'app',
        (builder) => void builder.globalTable(topic('t', { key, value: string }), { store: 's' }),
      ),
    'a repartition and a store': (key) =>
      topology('app', (builder) => {
        builder
          .stream(inn)
          .groupBy((): object => ({}), { name: 'by', key: json(key) })
          .count({ store: 's' })
      }),
    'a windowed store': (key) =>
      topology('app', (builder) => {
        builder
          .stream(inn)
          .groupBy((): object => ({}), { name: 'by', key: json(key) })
          .windowedBy(tumbling({ size: 10 }))
          .count({ store: 's' })
      }),
    'a topic that is written': (key) =>
      topology('app', (builder) =>
        builder
          .stream(inn)
          .map(({ value }) => ({ key: {} as unknown, value }))
          .to(topic('t', { key, value: string })),
      ),
  }
  const breaking = (place: string, key: Key) => {
    const build = places[place] as (key: Key) => Topology
    return diffTopologies(JSON.parse(JSON.stringify(snapshotOf(build(V1)))), build(key)).filter(
      ({ effect }) => effect === 'breaking',
    )
  }

  it.each(Object.keys(places))('breaks %s where a required field is removed, renamed or retyped', (place) => {
    const codesOf = (key: Key) => new Set(breaking(place, key).map(({ code }) => code))
    const lost = place === 'a topic that is written' ? 'SCHEMA_FIELD_REQUIRED' : 'SCHEMA_FIELD_REMOVED'
    expect(codesOf(versions.removed)).toEqual(new Set([lost]))
    expect(codesOf(versions.renamed)).toContain(lost)
    expect(codesOf(versions.typed)).toEqual(new Set(['SCHEMA_TYPE_CHANGED']))
    for (const { message } of breaking(place, versions.removed)) expect(message).toMatch(/^the keys of /)
  })

  it.each(Object.keys(places).filter((place) => place !== 'a topic that is written'))(
    'breaks %s where a new field is required, and not where it is optional',
    (place) => {
      expect(new Set(breaking(place, versions.required).map(({ code }) => code))).toEqual(
        new Set(['SCHEMA_FIELD_REQUIRED']),
      )
      expect(breaking(place, versions.optional)).toEqual([])
    },
  )

  it.each(Object.keys(places))(
    'breaks %s where a default fills a new field in, or an optional field goes, as the same key has other bytes then',
    (place) => {
      const filledIn = V1.extend({ region: z.string().default('eu') })
      const codes = new Set(breaking(place, filledIn).map(({ code }) => code))
      expect(codes).toEqual(new Set(['SCHEMA_KEY_CHANGED']))
      const build = places[place] as (key: Key) => Topology
      const before = JSON.parse(
        JSON.stringify(snapshotOf(build(V1.extend({ region: z.string().optional() })))),
      )
      const gone = diffTopologies(before, build(V1)).filter(({ effect }) => effect === 'breaking')
      expect(gone.map(({ code }) => code)).toContain('SCHEMA_KEY_CHANGED')
      expect(gone[0]?.message).toMatch(/^the keys of .* changed at 'region', so the same key has other bytes/)
    },
  )

  it('names the store and the topic, the new name of the field and the remedy', () => {
    const removed = breaking('a repartition and a store', versions.renamed).filter(
      ({ code }) => code === 'SCHEMA_FIELD_REMOVED',
    )
    expect(removed.map(({ message }) => message)).toEqual(
      ["internal topic 'by-repartition'", "store 's'"].map(
        (what) =>
          `the keys of ${what} no longer have the required field 'order'; 'number' seems to be its new name`,
      ),
    )
    for (const { remedy } of removed)
      expect(remedy).toBe("keep 'order' as optional until no version needs it")
  })

  it('is in the snapshot of sources, sinks, repartitions and stores', () => {
    const key = z.object({ shop: z.string() })
    const keyed = topology('keyed', (builder) =>
      builder
        .stream(topic('t', { key, value: string }))
        .groupBy(({ key: { shop } }) => ({ shop }), { name: 'by', key: json(key) })
        .count({ store: 's' })
        .toStream()
        .to(topic('out', { key, value: long })),
    )
    const { sources, sinks, repartitions, stores } = JSON.parse(JSON.stringify(snapshotOf(keyed)))
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { shop: { type: 'string' } },
      required: ['shop'],
    }
    for (const [each] of [sources, sinks, repartitions, stores])
      expect(each).toMatchObject({ keySchema: schema, valueSchema: null })
  })
})

describe('a changed saga breaks those under way', () => {
  const t = (name: string): ReturnType<typeof topicOf> => topicOf(name)
  const topicOf = (name: string) => topic(name, { value: z.object({ id: z.string() }) })
  interface Given {
    readonly on: string
    readonly undo?: boolean
    readonly reply?: string
  }
  const build = (steps: Readonly<Record<string, Given>>): Topology =>
    sagaTopology(
      saga('order', {
        startedBy: t('requested'),
        timeout: 1_000,
        steps: (step) =>
          Object.fromEntries(
            Object.entries(steps).map(([name, { on, undo = true, reply = `${on}-ok` }]) => [
              name,
              step({
                kind: undo ? 'compensable' : 'pivot',
                command: { to: t(`${on}-do`), value: ({ start }) => start },
                replies: { ok: succeeds(t(reply)), no: refuses(t(`${on}-no`)) },
                ...(undo
                  ? {
                      undo: {
                        to: t(`${on}-undo`),
                        value: ({ start }: { readonly start: { id: string } }) => start,
                        replies: { ok: succeeds(t(`${on}-undone`)) },
                      },
                    }
                  : {}),
              }),
            ]),
          ),
      }),
    )
  const before = { reserve: { on: 'a' }, charge: { on: 'b' } }
  it.each([
    ['a renamed step', { reserve: { on: 'a' }, chargeCard: { on: 'b' } }, 'SAGA_STEP_RENAMED'],
    ['a removed step', { reserve: { on: 'a' } }, 'SAGA_STEP_REMOVED'],
    ['another order', { charge: { on: 'b' }, reserve: { on: 'a' } }, 'SAGA_STEPS_REORDERED'],
    ['an undo that is gone', { reserve: { on: 'a' }, charge: { on: 'b', undo: false } }, 'SAGA_UNDO_REMOVED'],
    [
      'another reply topic',
      { reserve: { on: 'a', reply: 'a-yes' }, charge: { on: 'b' } },
      'SAGA_REPLY_REMOVED',
    ],
  ])('%s', (_, after, code) => {
    const found = diffTopologies(JSON.parse(JSON.stringify(snapshotOf(build(before)))), build(after))
    expect(found.filter(({ effect }) => effect === 'breaking').map((each) => each.code)).toContain(code)
    expect(found.find((each) => each.code === code)?.remedy).toBeDefined()
  })

  it('not a timeout or a number of attempts, which apply to the next command', () => {
    const waiting = (timeout: number, attempts: number): Topology =>
      sagaTopology(
        saga('order', {
          startedBy: t('requested'),
          steps: (step) => ({
            charge: step({
              kind: 'pivot',
              command: { to: t('charge'), value: ({ start }) => start },
              replies: { ok: succeeds(t('charged')) },
              timeout,
              retry: { attempts },
            }),
          }),
        }),
      )
    expect(diffTopologies(waiting(1_000, 1), waiting(5_000, 3))).toMatchObject([
      {
        effect: 'compatible',
        message: "timeoutMs of the command of step 'charge' of saga 'order' was 1000 and is 5000",
      },
      {
        effect: 'compatible',
        message: "attempts of the command of step 'charge' of saga 'order' was 1 and is 3",
      },
    ])
  })

  it('not a step that is added', () => {
    const found = diffTopologies(build(before), build({ ...before, ship: { on: 'c' } }))
    expect(found.filter(({ code }) => code.startsWith('SAGA'))).toMatchObject([
      { effect: 'compatible', code: 'SAGA_STEP_ADDED' },
    ])
  })
})
