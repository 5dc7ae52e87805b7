import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Topology } from '../../src/index.ts'
import {
  bytes,
  hours,
  json,
  long,
  minutes,
  string,
  topic,
  topology,
  tumbling,
  windowed,
  within,
} from '../../src/index.ts'
import type { Serde } from '../../src/index.ts'
import { StoreDirectory } from '../../src/runtime/store-directory.ts'
import type { StateStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'
import { partitionCountsOf } from '../../src/topology/partition-counts.ts'

const directoryOf = (program: Topology, partitions: number): StoreDirectory =>
  new StoreDirectory(program, partitionCountsOf(program, () => partitions).tasks, () => [])

/** The partitions whose store has this key. */
const whereItIs = (stores: readonly StateStore[], has: (store: never) => boolean): readonly number[] =>
  stores.flatMap((store, partition) => (has(store as never) ? [partition] : []))

const Id = z.object({ region: z.string(), number: z.number() })

describe('the partition that the directory names is where the row really is', () => {
  const keyed = <K>(name: string, key: Serde<K>, keys: fc.Arbitrary<NonNullable<K>>): void =>
    it(`for keys of ${name}`, () => {
      const rows = topic('rows', { key, value: string })
      const program = topology('placed', (builder) => void builder.table(rows, { store: 'rows' }))
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 12 }), fc.array(keys, { maxLength: 8 }), (partitions, all) => {
          using driver = testDriver(program, { partitions })
          const directory = directoryOf(program, partitions)
          for (const [index, each] of all.entries()) {
            driver.input(rows).pipe(each, String(index))
            const stores = Array.from({ length: partitions }, (_, at) => driver.store('rows', at))
            const places = whereItIs(
              stores,
              (store: { get: (key: K) => unknown }) => store.get(each) !== null,
            )
            expect(places).toEqual([directory.partitionOf('rows', each)])
          }
        }),
        { numRuns: 40 },
      )
    })

  keyed('text', string, fc.string())
  keyed('numbers', long, fc.maxSafeInteger())
  keyed('bytes', bytes, fc.uint8Array())
  keyed('objects', json(Id), fc.record({ region: fc.string(), number: fc.integer() }))

  it('for rows behind a repartition, and for windows by the key inside', () => {
    const clicks = topic('clicks', { value: string })
    const program = topology('windows', (builder) => {
      const counts = builder
        .stream(clicks)
        .groupBy(({ value }) => value, { name: 'by-value' })
        .windowedBy(tumbling({ size: minutes(1), grace: hours(1) }))
        .count({ store: 'by-minute' })
      counts.mapValues((count) => count * 2, { store: 'doubled', value: long })
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.string(), fc.nat(300_000)), { maxLength: 8 }),
        (partitions, all) => {
          using driver = testDriver(program, { partitions })
          const directory = directoryOf(program, partitions)
          for (const [value, timestamp] of all) driver.input(clicks).pipe('any', value, { timestamp })
          for (const [value, timestamp] of all) {
            const startMs = timestamp - (timestamp % 60_000)
            const windows = Array.from({ length: partitions }, (_, at) => driver.store('by-minute', at))
            const places = whereItIs(
              windows,
              (store: { fetch: (key: string, startMs: number) => unknown }) =>
                store.fetch(value, startMs) !== null,
            )
            expect(places).toEqual([directory.partitionOf('by-minute', value)])
            const rows = Array.from({ length: partitions }, (_, at) => driver.store('doubled', at))
            const key = windowed(value, startMs, startMs + 60_000)
            expect(
              whereItIs(rows, (store: { get: (each: typeof key) => unknown }) => store.get(key) !== null),
            ).toEqual([directory.partitionOf('doubled', key)])
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('the directory', () => {
  const left = topic('left', { value: string })
  const program = topology('mixed', (builder) => {
    const stream = builder.stream(left)
    stream.join(builder.stream(topic('right', { value: string })), (one, other) => one + other, {
      name: 'pairs',
      windows: within(10),
    })
    stream.groupByKey().count({ store: 'counts' })
    builder.globalTable(topic('world', { value: string }), { store: 'world' })
  })

  it('leaves out what joins keep for themselves, and has a global table in one piece', () => {
    const directory = directoryOf(program, 3)
    expect(directory.stores.map(({ definition, partitions }) => [definition.name, partitions])).toEqual([
      ['counts', 3],
      ['world', 1],
    ])
    expect(directory.partitionOf('world', 'anything')).toBe(0)
    expect(directory.taskOf('world', 0)).toBeUndefined()
  })

  it('names who has a partition, and who has a copy, as the last assignment told', () => {
    const endpoints = [
      {
        endpoint: 'one:1',
        activeTasks: ['0_0', '0_2'],
        standbyTasks: ['0_1'],
        activePartitions: [],
        standbyPartitions: [],
      },
      {
        endpoint: 'two:2',
        activeTasks: ['0_1'],
        standbyTasks: ['0_0'],
        activePartitions: [],
        standbyPartitions: [],
      },
    ]
    const directory = new StoreDirectory(program, [3], () => endpoints)
    expect([0, 1, 2, 3].map((partition) => directory.ownersOf('counts', partition))).toEqual([
      { partition: 0, active: 'one:1', standbys: ['two:2'] },
      { partition: 1, active: 'two:2', standbys: ['one:1'] },
      { partition: 2, active: 'one:1', standbys: [] },
      { partition: 3, active: undefined, standbys: [] },
    ])
    expect(directory.ownersOf('world', 0)).toEqual({ partition: 0, active: 'one:1', standbys: ['two:2'] })
  })
})
