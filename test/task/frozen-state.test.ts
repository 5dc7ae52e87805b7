import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { KeyValueStore, Serde, TopologyBuilder } from '../../src/index.ts'
import {
  keyValueStore,
  minutes,
  session,
  sliding,
  string,
  topic,
  topology,
  tumbling,
  within,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const Box = z.object({ items: z.array(z.number()) })
type Box = z.infer<typeof Box>
const boxes = topic('boxes', { value: Box })
const boxesAgain = topic('boxes-again', { value: Box })
const others = topic('others', { value: Box })

/** A callback that changes what it gets. */
const spoil = (box: Box | null): Box => {
  box?.items.push(100)
  return box ?? { items: [] }
}
const aggregate = { store: 'rows', value: Box, initial: { items: [] }, add: (_rest: Box, box: Box) => box }

/** Topologies in which a callback gets an object of the state, or one that another step gets too. */
const spoilers: Readonly<Record<string, (builder: TopologyBuilder) => unknown>> = {
  'a step after a table': (builder) => builder.table(boxes, { store: 'rows' }).toStream().mapValues(spoil),
  'a filter of a table': (builder) =>
    builder
      .table(boxes, { store: 'rows' })
      .filter((box) => spoil(box).items.length > 0, { store: 'filtered' }),
  'a computed table': (builder) =>
    builder.table(boxes, { store: 'rows' }).mapValues(spoil, { store: 'spoiled', value: Box }),
  'a step after an aggregate': (builder) =>
    builder.stream(boxes).groupByKey().aggregate(aggregate).toStream().mapValues(spoil),
  'a step after a reduce': (builder) =>
    builder
      .stream(boxes)
      .groupByKey()
      .reduce((_rest, box) => box, { store: 'rows' })
      .toStream()
      .mapValues(spoil),
  'a step after windows': (builder) =>
    builder
      .stream(boxes)
      .groupByKey()
      .windowedBy(tumbling({ size: minutes(1) }))
      .aggregate(aggregate)
      .toStream()
      .mapValues(spoil),
  'a step after sliding windows': (builder) =>
    builder
      .stream(boxes)
      .groupByKey()
      .windowedBy(sliding({ difference: minutes(1) }))
      .aggregate(aggregate)
      .toStream()
      .mapValues(spoil),
  'a step after sessions': (builder) =>
    builder
      .stream(boxes)
      .groupByKey()
      .windowedBy(session({ gap: minutes(1) }))
      .aggregate({ ...aggregate, merge: (_left, right) => right })
      .toStream()
      .mapValues(spoil),
  'a join with a table': (builder) => {
    const table = builder.table(boxes, { store: 'rows' })
    builder.stream(others).join(table, (_box, row) => spoil(row))
  },
  'a join of tables': (builder) => {
    const table = builder.table(boxes, { store: 'rows' })
    builder
      .table(others, { store: 'others' })
      .join(table, (_box, row) => spoil(row), { store: 'joined', value: Box })
  },
  'a join with a global table': (builder) => {
    const table = builder.globalTable(boxes, { store: 'rows' })
    builder.stream(others).join(
      table,
      ({ key }) => key,
      (_box, row) => spoil(row),
    )
  },
  'a step beside an aggregate': (builder) => {
    const stream = builder.stream(boxes)
    stream.groupByKey().reduce((_rest, box) => box, { store: 'rows' })
    stream.mapValues(spoil)
  },
  'a step before another that gets the same record': (builder) => {
    const stream = builder.stream(boxes)
    stream.mapValues(spoil)
    stream.groupByKey().reduce((_rest, box) => box, { store: 'rows' })
  },
  'a processor that reads a store': (builder) => {
    builder.table(boxes, { store: 'rows' })
    builder.store(keyValueStore('own', { key: string, value: Box }))
    builder.stream(others).process(
      (context) => ({
        process: ({ key, value, timestamp }) => {
          const store = context.store<KeyValueStore<string, Box>>('own')
          store.put(key, value, timestamp)
          for (const [, box] of store.all()) spoil(box)
        },
      }),
      { stores: ['own'] },
    )
  },
}

/** The rest of a record's way is skipped once it has failed. */
const rowsAfter = (name: string): readonly Box[] => {
  if (name.includes('reads')) return [{ items: [2] }]
  return name.includes('before') ? [] : [{ items: [1] }, { items: [3] }]
}

describe('a callback that changes an object of the state, or one that another step gets too,', () => {
  it.each(Object.keys(spoilers))('fails its record, and the state stays: %s', (name) => {
    const reasons: string[] = []
    using driver = testDriver(
      topology('spoiled', (builder) => void spoilers[name]?.(builder)),
      {
        onFailure: ({ fault }) => {
          reasons.push(fault.message)
          return 'continue'
        },
      },
    )
    driver.input(boxes).pipe('k', { items: [1] })
    if (/join|reads/.test(name)) driver.input(others).pipe('k', { items: [2] })
    driver.input(boxes).pipe('l', { items: [3] })
    const values = driver.rows(name.includes('reads') ? 'own' : 'rows').map(([, box]) => box)
    expect(values).toEqual(rowsAfter(name))
    expect(reasons.length).toBeGreaterThan(0)
    for (const reason of reasons) expect(reason).toMatch(/not extensible.*make a copy and change that/)
  })
})

it('a single step may change the record that it alone gets', () => {
  using driver = testDriver(topology('alone', (builder) => builder.stream(boxes).mapValues(spoil).to(others)))
  driver.input(boxes).pipe('k', { items: [1] })
  expect(driver.output(others).readKeyValues()).toEqual([{ key: 'k', value: { items: [1, 100] } }])
})

it('what several steps get is not decoded for being frozen', () => {
  let decoded = 0
  const counted = topic('counted', {
    value: {
      name: 'counted',
      nullable: false,
      serialize: (box: Box) => new TextEncoder().encode(JSON.stringify(box)),
      deserialize: (source, start, end) => {
        decoded++
        return JSON.parse(new TextDecoder().decode(source.subarray(start, end))) as Box
      },
    } satisfies Serde<Box>,
  })
  using driver = testDriver(
    topology('undecoded', (builder) => {
      const stream = builder.stream(counted)
      stream.groupByKey().count({ store: 'one' })
      stream.groupByKey().count({ store: 'two' })
    }),
  )
  driver.input(counted).pipe('k', { items: [1] })
  expect(decoded).toBe(0)
})

it('a joiner cannot change the record that the join keeps after it', () => {
  const policies = { processingFailure: 'skip' } as const
  using driver = testDriver(
    topology('joined', (builder) => {
      builder
        .stream(boxes)
        .mapValues(({ items }) => ({ items: [...items] }), { value: Box })
        .join(builder.stream(others), (box, other) => (other.items.length > 0 ? spoil(box) : box), {
          name: 'pairs',
          windows: within(1_000),
        })
        .to(boxesAgain)
    }),
    { policies },
  )
  driver.input(others).pipe('k', { items: [1] })
  driver.input(boxes).pipe('k', { items: [2] })
  driver.input(others).pipe('k', { items: [] })
  expect(driver.dropped()).toEqual({ failed: 1 })
  expect(driver.output(boxesAgain).readAll()).toEqual([])
})

it.each([
  ['without', []],
  ['with', [['trace', Uint8Array.of(1)]]],
] as const)('a step cannot change the headers that another step gets: %s headers', (_what, headers) => {
  using driver = testDriver(
    topology('headers', (builder) => {
      const stream = builder.stream(boxes)
      stream.peek((record) => void (record.headers as unknown[]).push(['more', Uint8Array.of(2)]))
      stream.to(others)
    }),
    { onFailure: () => 'continue' },
  )
  driver.input(boxes).pipe('k', { items: [] }, { headers })
  driver.input(boxes).pipe('k', { items: [] })
  expect(driver.output(others).readAll()).toEqual([])
})
