import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  keyValueStore,
  long,
  nullable,
  otherwise,
  seconds,
  session,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../src/state/store.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })
const orders = topic('orders', { value: Order })
const large = topic('large', { value: Order })
const small = topic('small', { value: Order })
const counts = topic('counts', { value: long })
const amounts = topic('amounts', { value: z.number() })

const branching = topology('branching', (builder) => {
  builder
    .stream(orders)
    .split({ large: ({ value }) => value.amount >= 100, small: otherwise }, (branches) => {
      branches.large.to(large)
      branches.small.to(small)
    })
})

const counting = topology('counting', (builder) => {
  builder
    .stream(orders)
    .groupBy(({ value }) => value.customer, { name: 'by-customer' })
    .count({ store: 'orders-by-customer' })
    .toStream()
    .to(counts)
})

describe('testDriver', () => {
  it('runs a topology without a broker', () => {
    const driver = testDriver(branching)
    driver.input(orders).pipe('1', { customer: 'ada', amount: 250 })
    driver.input(orders).pipe('2', { customer: 'bob', amount: 10 })
    expect(driver.output(large).readKeyValues()).toEqual([
      { key: '1', value: { customer: 'ada', amount: 250 } },
    ])
    expect(driver.output(small).readKeyValues()).toEqual([
      { key: '2', value: { customer: 'bob', amount: 10 } },
    ])
  })

  it('carries a regrouped record through its repartition topic and shows the store', () => {
    const driver = testDriver(counting)
    for (const customer of ['ada', 'bob', 'ada']) driver.input(orders).pipe('x', { customer, amount: 1 })
    expect(driver.output(counts).readTable()).toEqual(
      new Map([
        ['ada', 2],
        ['bob', 1],
      ]),
    )
    const store = driver.store<TimestampedKeyValueStore<string, number>>('orders-by-customer')
    expect(store.get('ada')?.value).toBe(2)
    expect(driver.topics()).toContain('counting-by-customer-repartition')
    expect(driver.topics()).toContain('counting-orders-by-customer-changelog')
  })

  it('lets repartition topics whose records have the same time take turns, as Kafka Streams does', () => {
    const words = topic('words', { value: string })
    const merged = topic('merged', { value: string })
    const driver = testDriver(
      topology('turns', (builder) => {
        const each = builder.stream(words).flatMapValues((value) => value.split(' '), { value: string })
        const [left, right] = ['left', 'right'].map((name) =>
          each.repartition({ name, key: string }).mapValues((value) => `${name} ${value}`, { value: string }),
        ) as [typeof each, typeof each]
        left.merge(right).to(merged)
      }),
    )
    driver.input(words).pipe('x', 'a b c', { timestamp: 1 })
    const order = driver
      .output(merged)
      .readKeyValues()
      .map(({ value }) => value)
    expect(order).toEqual(['left a', 'right a', 'left b', 'right b', 'left c', 'right c'])
  })

  it('spreads keys over partitions as Kafka does, and counts the same', () => {
    const driver = testDriver(counting, { partitions: 3 })
    const customers = ['ada', 'bob', 'cy', 'dee', 'ada']
    for (const customer of customers) driver.input(orders).pipe(customer, { customer, amount: 1 })
    expect(driver.output(counts).readTable()).toEqual(
      new Map([
        ['ada', 2],
        ['bob', 1],
        ['cy', 1],
        ['dee', 1],
      ]),
    )
  })

  it('runs several topologies over shared topics', () => {
    const follow = topology('follow', (builder) => {
      builder.stream(large).groupByKey().count({ store: 'large-orders' }).toStream().to(counts)
    })
    const driver = testDriver([branching, follow])
    driver.input(orders).pipe('1', { customer: 'ada', amount: 250 })
    expect(driver.output(counts).readKeyValues()).toEqual([{ key: '1', value: 1 }])
  })

  it('throws the failure of a record, naming topic, partition, offset and node', () => {
    const driver = testDriver(branching)
    expect(() => driver.input(orders).pipeBytes(null, new TextEncoder().encode('{'))).toThrow(/null key/)
    const withKey = new TextEncoder().encode('k')
    expect(() => driver.input(orders).pipeBytes(withKey, new TextEncoder().encode('{'))).toThrow(
      /not JSON.*topic orders, partition 0, offset 1, node split/,
    )
  })

  it('goes on after a failure where the policy says so', () => {
    const driver = testDriver(branching, { onFailure: () => 'continue' })
    driver.input(orders).pipeBytes(new TextEncoder().encode('k'), new TextEncoder().encode('[]'))
    driver.input(orders).pipe('2', { customer: 'bob', amount: 10 })
    expect(driver.output(small).readAll()).toHaveLength(1)
  })

  it('counts what is dropped on purpose', () => {
    const source = topic('source', { key: nullable(string), value: nullable(long) })
    const driver = testDriver(
      topology('drops', (builder) => {
        builder.stream(source).groupByKey().count({ store: 'count' })
      }),
    )
    driver.input(source).pipe(null, 1)
    driver.input(source).pipe('a', null)
    expect(driver.dropped()).toEqual({ nullKey: 1, nullValue: 1 })
  })

  it('names the stores there are when asked for another', () => {
    expect(() => testDriver(counting).store('nope')).toThrow(/orders-by-customer/)
  })
})

const perWindow = topic('per-window', { key: timeWindowed(string, 10), value: long })
const windows = (emit: 'onCommit' | 'onWindowClose') =>
  topology('windows', (builder) => {
    builder
      .stream(orders)
      .groupByKey()
      .windowedBy(tumbling({ size: 10, grace: 5 }))
      .count({ store: 'by-window', emit })
      .toStream()
      .to(perWindow)
  })
const order = { customer: 'ada', amount: 1 }

describe('emission as in production', () => {
  it('tells windows on commit once for all records before it', () => {
    const driver = testDriver(windows('onCommit'), { commit: 'manual' })
    for (const timestamp of [1, 2, 11]) driver.input(orders).pipe('a', order, { timestamp })
    driver.advanceWallClock(seconds(60))
    driver.advanceStreamTime(12)
    expect(driver.output(perWindow).readAll()).toEqual([])
    driver.commit()
    expect(driver.output(perWindow).readKeyValues()).toEqual([
      { key: { key: 'a', startMs: 0, endMs: 10 }, value: 2 },
      { key: { key: 'a', startMs: 10, endMs: 20 }, value: 1 },
    ])
  })

  it('tells windows when they have closed, whoever commits, at most once a second of the clock', () => {
    const driver = testDriver(windows('onWindowClose'), { commit: 'manual' })
    driver.input(orders).pipeAll([1, 2, 11].map((timestamp) => ({ key: 'a', value: order, timestamp })))
    driver.commit()
    expect(driver.output(perWindow).readAll()).toEqual([])
    driver.advanceWallClock(seconds(2))
    driver.input(orders).pipe('b', order, { timestamp: 15 })
    expect(driver.output(perWindow).readKeyValues()).toEqual([
      { key: { key: 'a', startMs: 0, endMs: 10 }, value: 2 },
    ])
  })

  it('takes records that wait by their times over partitions, with one commit after them', () => {
    const driver = testDriver(
      topology('merged', (builder) => {
        builder
          .stream([large, small])
          .groupByKey()
          .count({ store: 'seen', emit: 'onCommit' })
          .toStream()
          .to(counts)
        builder
          .stream([large, small])
          .mapValues(({ amount }) => amount)
          .to(amounts)
      }),
    )
    driver.input(large).pipeAll([
      { key: 'a', value: { customer: 'x', amount: 3 }, timestamp: 3 },
      { key: 'a', value: { customer: 'x', amount: 4 }, timestamp: 4 },
    ])
    expect(driver.output(counts).readKeyValues()).toEqual([{ key: 'a', value: 2 }])
    expect(driver.output(amounts).readAll()).toMatchObject([{ timestamp: 3 }, { timestamp: 4 }])
  })

  it('commits where a processor asks for it', () => {
    const driver = testDriver(
      topology('asking', (builder) => {
        builder.stream(orders).groupByKey().count({ store: 'held', emit: 'onCommit' }).toStream().to(counts)
        builder.stream(orders).process((context) => ({
          process: ({ value }) => {
            if (value.amount > 100) context.commit()
          },
        }))
      }),
      { commit: 'manual' },
    )
    driver.input(orders).pipe('a', order)
    expect(driver.output(counts).readAll()).toEqual([])
    driver.input(orders).pipe('a', { customer: 'ada', amount: 101 })
    expect(driver.output(counts).readKeyValues()).toEqual([{ key: 'a', value: 2 }])
  })
})

describe('stores', () => {
  const kept = topology('kept', (builder) => {
    builder.store(keyValueStore('own', { key: string, value: long }))
    builder.stream(orders).process(
      (context) => ({
        process: ({ key }) => context.store<KeyValueStore<string, number>>('own').put(key, key.length, 0),
      }),
      { stores: ['own'] },
    )
    const grouped = builder.stream(orders).groupByKey()
    grouped.count({ store: 'table', name: 'table' })
    grouped.count({ store: 'versions', versioned: { historyRetention: 100 }, name: 'versions' })
    grouped.windowedBy(tumbling({ size: 10 })).count({ store: 'windows', name: 'windows' })
    grouped.windowedBy(session({ gap: 5 })).count({ store: 'sessions', name: 'sessions' })
    builder.globalTable(counts, { store: 'global' })
  })

  it('are read as what they are', () => {
    using driver = testDriver(kept)
    driver.input(orders).pipe('ada', order, { timestamp: 7 })
    driver.input(counts).pipe('all', 3)
    expect(driver.keyValueStore<string, number>('own').get('ada')).toBe(3)
    expect(driver.tableStore<string, number>('table').get('ada')).toEqual({ value: 1, timestamp: 7 })
    expect(driver.tableStore<string, number>('global', 5).get('all')?.value).toBe(3)
    expect(driver.versionedStore<string, number>('versions').get('ada', 8)?.value).toBe(1)
    expect(driver.versionedStore<string, number>('versions').get('ada', 6)).toBeNull()
    expect(driver.windowStore<string, number>('windows').fetch('ada', 0)?.value).toBe(1)
    expect(driver.sessionStore<string, number>('sessions').fetch('ada', 7, 7)).toBe(1)
  })

  it('refuse to be read as what they are not', () => {
    expect(() => testDriver(kept).windowStore('sessions')).toThrow(/asked for as 'window'.*kind 'session'/)
  })

  it('show their rows over all partitions', () => {
    const driver = testDriver(kept, { partitions: 3 })
    for (const key of ['ada', 'bob', 'cy', 'dee']) driver.input(orders).pipe(key, order, { timestamp: 1 })
    const keys = ['ada', 'bob', 'cy', 'dee']
    expect(new Map(driver.rows<string, number>('table'))).toEqual(new Map(keys.map((key) => [key, 1])))
    expect(driver.rows('windows')).toContainEqual([{ key: 'cy', startMs: 0, endMs: 10 }, 1])
    expect(driver.rows('sessions')).toContainEqual([{ key: 'cy', startMs: 1, endMs: 1 }, 1])
    expect(() => driver.rows('nope')).toThrow(/no topology of this driver has a store 'nope'/)
  })
})

describe('a driver of several topologies', () => {
  it('refuses two of one name, which would share their internal topics', () => {
    expect(() => testDriver([counting, branching, counting])).toThrow(
      /several topologies of this driver are called 'counting'/,
    )
  })
})

describe('drops', () => {
  it('are told with the node that dropped the record', () => {
    const driver = testDriver(windows('onCommit'))
    driver.input(orders).pipe('a', order, { timestamp: 100 })
    driver.input(orders).pipe('a', order, { timestamp: 1 })
    expect(driver.drops()).toMatchObject([
      { reason: 'late', topology: 'windows', node: 'count-0001', record: { key: 'a', timestamp: 1 } },
    ])
  })
})
