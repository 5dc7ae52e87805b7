import { describe, expect, it } from 'vitest'
import type { TestDriver } from 'millrace/testing'
import { matchers, testDriver } from 'millrace/testing'
import { choreography, hybrid, orchestration } from '../../topologies/all.ts'
import {
  auditLog,
  customerNotified,
  orderFulfilled,
  orderPlaced,
  orderRequested,
  orderShipped,
  salesByProduct,
} from '../../topologies/contracts.ts'
import { notifications } from '../../topologies/notifications.ts'
import { ignoredFailures } from '../../topologies/oversight.ts'
import { anOrder, stock } from './support.ts'

expect.extend(matchers)

const everything = (): TestDriver => {
  const driver = testDriver([...choreography, ...orchestration, ...hybrid])
  for (const warehouse of ['north', 'south'] as const) stock(driver, warehouse, 'lamp', 5)
  return driver
}

describe('the hybrid', () => {
  it('orchestrates the fulfilment and choreographs what is beside it, in one run (F9)', () => {
    const driver = everything()
    driver.input(orderRequested).pipe('order-1', anOrder('order-1', { quantity: 2, amount: 4_000 }))
    driver.input(orderRequested).pipe('order-2', anOrder('order-2', { card: 'visa-declined' }))
    expect(
      driver
        .output(customerNotified)
        .readAll()
        .map(({ value }) => value?.text),
    ).toEqual(['your order is on its way', 'we could not fulfil your order: card declined'])
    expect(driver.output(salesByProduct).readTable()).toEqual(
      new Map([['lamp', { version: 1, product: 'lamp', orders: 1, amount: 4_000 }]]),
    )
    const audited = driver
      .output(auditLog)
      .readAll()
      .filter(({ key }) => key === 'order-2')
    expect(new Set(audited.map(({ value }) => value?.topic))).toEqual(
      new Set([
        'order-requested',
        'reserve-stock',
        'stock-reserved',
        'process-payment',
        'payment-refused',
        'release-stock',
        'stock-released',
        'order-fulfilled',
      ]),
    )
    expect(audited).toHaveLength(8)
  })

  it('tells a customer once, at the time of the order’s end, however often that end is told', () => {
    const driver = testDriver(notifications)
    const ended = (orderId: string) => ({
      key: orderId,
      value: { ...anOrder(orderId), outcome: 'COMPLETED' as const, reason: null },
    })
    driver.input(orderFulfilled).marbles('a-a-b-a', { a: ended('order-1'), b: ended('order-2') })
    expect(driver.output(customerNotified)).toBeMarbles('a---b--', {
      a: { key: 'order-1', value: expect.objectContaining({ text: 'your order is on its way' }) },
      b: { key: 'order-2' },
    })
  })

  it('runs both flows on one broker without one seeing the orders of the other (F9)', () => {
    const driver = everything()
    driver.input(orderPlaced).pipe('order-1', anOrder('order-1'))
    driver.input(orderRequested).pipe('order-2', anOrder('order-2'))
    expect(
      driver
        .output(orderShipped)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['order-1'])
    expect(
      driver
        .output(orderFulfilled)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['order-2'])
  })

  it('tells a customer and counts a sale once, however often the outcome is told (X12)', () => {
    const driver = testDriver(hybrid)
    const outcome = { ...anOrder('order-1'), outcome: 'COMPLETED' as const, reason: null }
    driver.input(orderFulfilled).pipe('order-1', outcome)
    driver.input(orderFulfilled).pipe('order-1', outcome)
    expect(driver.output(customerNotified).readAll()).toHaveLength(1)
    expect(driver.output(salesByProduct).readTable().get('lamp')?.orders).toBe(1)
  })

  it('a saga that is stuck is not yet told to the customer', () => {
    const driver = testDriver(hybrid)
    driver
      .input(orderFulfilled)
      .pipe('order-1', { ...anOrder('order-1'), outcome: 'STUCK', reason: 'deliver' })
    expect(driver.output(customerNotified).readAll()).toEqual([])
  })
})

describe('oversight of the choreography', () => {
  it('finds nothing to complain of in the order system (X11)', () => {
    expect(ignoredFailures(choreography)).toEqual([])
  })

  it('reports a service that ignores a failure it must react to (X11)', () => {
    const deaf = choreography.map((topology) =>
      topology.name === 'inventory'
        ? {
            ...topology,
            nodes: topology.nodes.filter(
              (node) => !(node.kind === 'source' && JSON.stringify(node.topics).includes('"payment-failed"')),
            ),
          }
        : topology,
    )
    expect(ignoredFailures(deaf)).toEqual(['inventory must react to payment-failed, but does not read it'])
  })
})
