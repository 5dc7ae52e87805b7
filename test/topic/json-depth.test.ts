import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Encode } from '../../src/base/bytes.ts'
import { string, topic, topology, untilTimeLimit } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { isTooDeep, largestJsonDepth } from '../../src/topic/json-depth.ts'
import { json } from '../../src/topic/json.ts'
import { deserializeAll } from '../../src/topic/serde.ts'

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const nestedValue = (levels: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = { inner: value }
  return value
}

interface Tree {
  readonly children: readonly Tree[]
}
const Tree: z.ZodType<Tree> = z.object({
  get children() {
    return z.array(Tree)
  },
})
const treeText = (levels: number): string => '{"children":['.repeat(levels / 2) + ']}'.repeat(levels / 2)
const Lazy: z.ZodType = z.lazy(() => z.union([z.number(), z.array(Lazy), z.record(z.string(), Lazy)]))

describe('the depth of a JSON text', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

  it('is that of its brackets, whatever its texts hold', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, more) => {
        const around = largestJsonDepth - depthOf(JSON.parse(text)) + more
        expect(isTooDeep('['.repeat(around) + text + ']'.repeat(around))).toBe(more > 0)
      }),
    )
  })

  it('is found in little time where a text is full of quotes and backslashes', () => {
    const beganMs = performance.now()
    expect(isTooDeep(`"${'\\'.repeat(3_000_000)}"`)).toBe(false)
    expect(isTooDeep(`"${String.raw`\"`.repeat(1_500_000)}"`)).toBe(false)
    expect(performance.now() - beganMs).toBeLessThan(2_000)
  })
})

describe('a value that is nested too deep', () => {
  const tooDeep = expect.objectContaining({ code: 'JSON_TOO_DEEP', actor: 'record' })

  it.each([
    ['z.any()', z.any(), nested],
    ['z.json()', z.json(), nested],
    ['a looser object', z.looseObject({}), (levels: number) => `{"a":${nested(levels - 1)}}`],
    ['a schema of itself', Tree, treeText],
    ['a lazy schema', Lazy, nested],
  ])('is refused when it is read under %s, and taken at the limit', (_what, schema, textOf) => {
    const serde = json(schema as z.ZodType)
    const read = (levels: number) => (): unknown => deserializeAll(serde, utf8Encode(textOf(levels)))
    expect(read(10_000)).toThrow(tooDeep)
    expect(read(largestJsonDepth + 2)).toThrow(tooDeep)
    expect(serde.serialize(read(largestJsonDepth)() as never).length).toBeGreaterThan(largestJsonDepth)
  })

  it.each([501, 3_000, 20_000])('is refused when %d levels are written', (levels) => {
    for (const schema of [z.any(), z.json(), Lazy])
      expect(() => json(schema as z.ZodType).serialize(nestedValue(levels) as never)).toThrow(tooDeep)
  })
})

describe('a deep value in a topology', () => {
  const inputs = topic('inputs', { key: string, value: string })
  const policies = {
    processingFailure: 'skip',
    productionFailure: 'skip',
    deserializationFailure: 'skip',
  } as const
  const anything = json(z.any())

  const programs = {
    'reduced into a store': topology('reduced', (builder) => {
      builder
        .stream(topic('inputs', { key: string, value: anything }))
        .groupByKey()
        .reduce((_, value) => value, { store: 'last' })
    }),
    'made by an aggregator': topology('aggregated', (builder) => {
      builder
        .stream(inputs)
        .groupByKey()
        .aggregate({
          store: 'last',
          value: anything,
          initial: () => null as unknown,
          add: (_, text) => (text.startsWith('[') ? nestedValue(10_000) : text),
        })
    }),
    'written to a topic': topology('written', (builder) => {
      builder
        .stream(inputs)
        .mapValues((text) => (text.startsWith('[') ? nestedValue(10_000) : text), { value: anything })
        .to(topic('outputs', { key: string, value: anything }))
    }),
    'handed to several steps, which freezes it': topology('shared', (builder) => {
      const values = builder.stream(inputs).mapValues((text) => {
        if (text.startsWith('[')) return nestedValue(20_000)
        return text
      })
      for (const name of ['first', 'second'])
        values.to(topic(name, { key: string, value: anything }), { name })
    }),
    'as the key of a store': topology('keyed', (builder) => {
      builder
        .stream(inputs)
        .groupBy(({ value }) => (value.startsWith('[') ? nestedValue(10_000) : value), {
          name: 'by-value',
          key: anything,
        })
        .count({ store: 'last' })
    }),
    'buffered until a window closes': topology('suppressed', (builder) => {
      builder
        .table(inputs, { store: 'rows' })
        .mapValues((text) => (text.startsWith('[') ? nestedValue(10_000) : text), { value: anything })
        .suppress(untilTimeLimit({ limit: 1_000 }), { name: 'later', store: 'waiting' })
        .toStream()
        .to(topic('outputs', { key: string, value: anything }))
    }),
  }

  it.each(Object.entries(programs))('is the failure of its record alone: %s', (_what, program) => {
    using driver = testDriver(program, { policies, commit: 'manual' })
    const values = { before: '"before"', deep: nested(10_000), after: '"after"' }
    for (const [key, value] of Object.entries(values)) driver.input(inputs).pipe(key, value)
    driver.commit()
    expect(driver.dropped()).toEqual({ failed: 1 })
  })
})
