import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyValueStore } from 'millrace'
import type { TestDriver } from 'millrace/testing'
import { testDriver } from 'millrace/testing'
import { choreography, orchestration } from '../../topologies/all.ts'
import type { Order } from '../../topologies/contracts.ts'
import { orderFulfilled, orderPlaced, orderRequested, orderStatus } from '../../topologies/contracts.ts'
import { anOrder, stock } from './support.ts'

/** A few orders for few goods, so that they get in each other's way; numbers repeat, so some come twice. */
const someOrders = fc.array(
  fc.record({
    number: fc.nat(12),
    product: fc.constantFrom('lamp', 'chair', 'unicorn'),
    quantity: fc.integer({ min: 1, max: 4 }),
    card: fc.constantFrom('visa', 'visa', 'visa-declined'),
  }),
  { maxLength: 25 },
)
const products = ['lamp', 'chair']

const left = (driver: TestDriver): (number | null)[] =>
  products.map((product) => driver.store<KeyValueStore<string, number>>('on-hand').get(product))

const byChoreography = (orders: readonly Order[]): unknown => {
  const driver = testDriver(choreography)
  for (const product of products) stock(driver, 'north', product, 6)
  for (const order of orders) driver.input(orderPlaced).pipe(order.orderId, order)
  const states = [...driver.output(orderStatus).readTable()].map(([id, { state }]) => [id, meaning[state]])
  return { left: left(driver), ends: new Map(states as [string, unknown][]) }
}

const byOrchestration = (orders: readonly Order[]): unknown => {
  const driver = testDriver(orchestration)
  for (const product of products) stock(driver, 'south', product, 6)
  for (const order of orders) driver.input(orderRequested).pipe(order.orderId, order)
  const outcomes = [...driver.output(orderFulfilled).readTable()].map(([id, { outcome }]) => [id, outcome])
  return { left: left(driver), ends: new Map(outcomes as [string, unknown][]) }
}

const meaning = {
  shipped: 'COMPLETED',
  cancelled: 'COMPENSATED',
  rejected: 'REJECTED',
  placed: 'open',
  reserved: 'open',
  paid: 'open',
  'payment-failed': 'open',
} as const

describe('the two forms of the order system', () => {
  it('bring every order to the same end, and leave the same goods on the shelves', () => {
    fc.assert(
      fc.property(someOrders, (drawn) => {
        const orders = drawn.map(({ number, ...details }) => anOrder(`order-${number}`, details))
        expect(byChoreography(orders)).toEqual(byOrchestration(orders))
      }),
      { numRuns: 60 },
    )
  })
})
