import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { long, nullable, otherwise, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { TimestampedKeyValueStore } from '../../src/state/store.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })
const orders = topic('orders', { value: Order })
const large = topic('large', { value: Order })
const small = topic('small', { value: Order })
const counts = topic('counts', { value: long })

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
