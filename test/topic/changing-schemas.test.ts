import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Serde } from '../../src/index.ts'
import { json, nullable, string, topic, topology } from '../../src/index.ts'
import type { AnySerde } from '../../src/topic/serde.ts'
import { changesValues } from '../../src/topic/serde.ts'
import { bufferedChangeSerde } from '../../src/topology/buffered-change.ts'
import { bufferedValueSerde, waitingValuesSerde } from '../../src/topology/join-store-serdes.ts'
import { testDriver } from '../../src/testing/index.ts'

const dates = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
})

describe('whether a schema may change values', () => {
  it.each<[boolean, z.ZodType]>([
    [false, z.string().min(1).regex(/a/)],
    [false, z.object({ a: z.number().int().optional(), b: z.array(z.email()) })],
    [false, z.string().refine((text) => text !== '')],
    [false, z.object({ at: dates })],
    [false, z.discriminatedUnion('a', [z.object({ a: z.literal(1) }), z.object({ a: z.literal(2) })])],
    [true, z.string().trim()],
    [true, z.array(z.object({ a: z.string().toUpperCase() }))],
    [true, z.record(z.string(), z.union([z.number(), z.string().normalize()]))],
    [true, z.number().overwrite(Math.round)],
    [true, z.coerce.boolean()],
    [true, z.object({ a: z.string().default('') })],
    [true, z.object({ a: z.string().prefault('') })],
    [true, z.object({ a: z.string().catch('') })],
    [true, z.object({ a: z.url({ normalize: true }) })],
    [true, z.string().pipe(z.string().trim())],
    [true, z.lazy(() => z.string().trim())],
  ])('%s', (expected, schema) => expect(changesValues(json(schema))).toBe(expected))
})

describe('a serde of several parts may change values where a part may', () => {
  it.each<[string, (value: AnySerde) => AnySerde]>([
    ['nullable', (value) => nullable(value as Serde<string>)],
    ['bufferedChange', bufferedChangeSerde],
    ['bufferedValue', bufferedValueSerde],
    ['waitingValues', (value) => waitingValuesSerde(string, value)],
  ])('%s', (_, serdeOf) => {
    expect(changesValues(serdeOf(json(z.string().trim())))).toBe(true)
    expect(changesValues(serdeOf(json(z.string())))).toBe(false)
  })
})

describe('a store under such a schema', () => {
  it('gives an aggregator what it reads back', () => {
    const words = topic('words', { value: string })
    const program = topology('p', (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .aggregate({
          initial: () => '',
          add: (all, value) => `${all}[${value}] `,
          store: 'all',
          value: z.string().trim(),
        }),
    )
    using driver = testDriver(program)
    for (const value of ['a', 'b', 'c']) driver.input(words).pipe('k', value)
    expect(driver.rows('all')).toEqual([['k', '[a][b][c]']])
  })
})
