import { describe, expect, it } from 'vitest'
import { hours, minutes, seconds } from 'millrace'
import type { TestDriver } from 'millrace/testing'
import { matchers, testDriver } from 'millrace/testing'
import type { Order } from '../../topologies/contracts.ts'
import { orderPlaced } from '../../topologies/contracts.ts'
import {
  customers,
  fraudAlerts,
  lateOrders,
  promotions,
  revenueByRegion,
  shelves,
  shortages,
} from '../../topologies/order-analytics-contracts.ts'
import { orderAnalytics } from '../../topologies/order-analytics.ts'
import { anOrder } from './support.ts'

expect.extend(matchers)

const analysing = (): TestDriver => {
  const driver = testDriver(orderAnalytics, { partitions: { 'order-placed': 3, customers: 3, shelves: 2 } })
  driver.input(customers).pipe('Ada', { version: 1, region: 'north', tier: 'standard' })
  driver.input(customers).pipe('Bob', { version: 1, region: 'south', tier: 'gold' })
  driver.input(shelves).pipe('lamp', { version: 1, category: 'lights', onHand: 5 })
  return driver
}

const place = (
  driver: TestDriver,
  timestamp: number,
  orderId: string,
  changes: Partial<Order> = {},
): void => {
  driver.input(orderPlaced).pipe(orderId, anOrder(orderId, changes), { timestamp })
  // Closed windows are told at most once a second of the clock.
  driver.advanceWallClock(seconds(1))
}

describe('revenue', () => {
  it('is told by region and hour, once, when the hour and its grace are over', () => {
    using driver = analysing()
    place(driver, minutes(5), 'order-1', { amount: 2_000 })
    place(driver, minutes(50), 'order-2', { amount: 3_000 })
    place(driver, hours(1) + minutes(4), 'order-3', { amount: 1 })
    expect(driver.output(revenueByRegion)).toHaveEmitted([])
    place(driver, hours(1) + minutes(5), 'order-4')
    expect(driver.output(revenueByRegion)).toHaveEmitted([
      {
        key: 'north',
        value: { version: 1, region: 'north', orders: 2, amount: 5_000, from: 0, until: hours(1) },
      },
    ])
  })

  it('counts an order within the grace, and tells one after it as late', () => {
    using driver = analysing()
    place(driver, hours(1) + minutes(4), 'order-1')
    place(driver, minutes(59), 'in-grace', { amount: 70 })
    place(driver, hours(1) + minutes(5), 'order-2')
    expect(driver.output(revenueByRegion)).toHaveEmitted([{ value: expect.objectContaining({ amount: 70 }) }])
    place(driver, minutes(59), 'too-late')
    expect(driver.output(lateOrders)).toHaveEmitted([
      { key: 'north', value: { ...anOrder('too-late'), region: 'north' }, timestamp: minutes(59) },
    ])
    expect(driver.output(revenueByRegion)).toHaveEmitted([])
  })

  it('of a customer nobody knows counts for the region unknown', () => {
    using driver = analysing()
    place(driver, 0, 'order-1', { customer: 'Eve', amount: 9 })
    expect(driver).toHaveStored('revenue', [
      [
        { key: 'unknown', startMs: 0, endMs: hours(1) },
        { orders: 1, amount: 9 },
      ],
    ])
  })
})

describe('fraud', () => {
  it('is a burst of orders on three cards, also where a late order joins two bursts', () => {
    using driver = analysing()
    const secondBurst = minutes(10) + seconds(30)
    place(driver, 0, 'order-1', { card: 'a' })
    place(driver, secondBurst, 'order-2', { card: 'b' })
    place(driver, secondBurst, 'order-3', { card: 'b' })
    expect(driver.output(fraudAlerts)).toHaveEmitted([])
    place(driver, minutes(5), 'between', { card: 'c' })
    expect(driver.output(fraudAlerts)).toHaveEmitted([
      {
        key: 'Ada',
        value: { version: 1, customer: 'Ada', orders: 4, cards: 3, from: 0, until: secondBurst },
      },
    ])
  })

  it('is not what one customer orders over a day', () => {
    using driver = analysing()
    for (const [index, card] of ['a', 'b', 'c'].entries())
      place(driver, hours(index), `order-${index}`, { card })
    expect(driver.output(fraudAlerts)).toHaveEmitted([])
  })
})

describe('a promotion', () => {
  it('is for standard customers who have spent enough, and is withdrawn when they have it', () => {
    using driver = analysing()
    place(driver, 0, 'order-1', { amount: 60_000 })
    place(driver, 1, 'order-2', { amount: 60_000, customer: 'Bob' })
    place(driver, 2, 'order-3', { amount: 60_000, customer: 'Bob' })
    expect([...driver.output(promotions).readTable()]).toEqual([])
    place(driver, 3, 'order-4', { amount: 40_000 })
    expect([...driver.output(promotions).readTable()]).toEqual([
      ['Ada', { version: 1, customer: 'Ada', spent: 100_000 }],
    ])
    driver.input(customers).pipe('Ada', { version: 1, region: 'north', tier: 'gold' })
    expect(driver.output(promotions)).toHaveEmitted([{ key: 'Ada', value: null }])
  })
})

describe('a shortage', () => {
  it('is told while the shelf cannot serve the order, and deleted when goods arrive', () => {
    using driver = analysing()
    place(driver, 0, 'small', { quantity: 5 })
    place(driver, 1, 'large', { quantity: 8 })
    expect([...driver.output(shortages).readTable()]).toEqual([
      ['large', { version: 1, orderId: 'large', category: 'lights', missing: 3 }],
    ])
    driver.input(shelves).pipe('lamp', { version: 1, category: 'lights', onHand: 8 })
    expect(
      new Map(
        driver
          .output(shortages)
          .readAll()
          .map(({ key, value }) => [key, value]),
      ).get('large'),
    ).toBeNull()
  })

  it('is found also where the product reaches the shelf after the order', () => {
    using driver = analysing()
    place(driver, 0, 'early', { product: 'chair', quantity: 2 })
    driver.input(shelves).pipe('chair', { version: 1, category: 'seats', onHand: 1 })
    expect(driver.output(shortages)).toHaveEmitted([
      { key: 'early', value: { version: 1, orderId: 'early', category: 'seats', missing: 1 } },
    ])
  })
})

it('drops no record but those it tells', () => {
  using driver = analysing()
  place(driver, 0, 'order-1')
  expect(driver).toHaveDropped({})
})
