import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { KeyValueStore } from 'millrace'
import type { TestDriver } from 'millrace/testing'
import { testDriver } from 'millrace/testing'
import {
  inventoryRestored,
  inventoryUpdated,
  orderPlaced,
  orderRejected,
  orderShipped,
  orderStatus,
  paymentCompleted,
  paymentFailed,
} from '../../topologies/contracts.ts'
import { inventory } from '../../topologies/inventory.ts'
import { order } from '../../topologies/order.ts'
import { payment } from '../../topologies/payment.ts'
import { shipping } from '../../topologies/shipping.ts'
import { anOrder, stock } from './support.ts'

const services = [order, inventory, payment, shipping]
const withLamps = (lamps: number, options: Parameters<typeof testDriver>[1] = {}): TestDriver => {
  const driver = testDriver(services, options)
  stock(driver, 'north', 'lamp', lamps)
  return driver
}
const onHand = (driver: TestDriver, product = 'lamp'): number | null =>
  driver.store<KeyValueStore<string, number>>('on-hand').get(product)
const place = (driver: TestDriver, ...args: Parameters<typeof anOrder>): void =>
  driver.input(orderPlaced).pipe(args[0], anOrder(...args))

describe('the choreographed order system', () => {
  it('leads an order from order-placed over payment-completed to shipping, without a controller (F1, F4)', () => {
    const driver = withLamps(5)
    place(driver, 'order-1', { quantity: 2 })
    const told = anOrder('order-1', { quantity: 2 })
    expect(driver.output(inventoryUpdated).readKeyValues()).toEqual([
      { key: 'order-1', value: { ...told, left: 3 } },
    ])
    expect(driver.output(paymentCompleted).readKeyValues()).toEqual([
      { key: 'order-1', value: { ...told, paymentId: 'payment-of-order-1' } },
    ])
    expect(driver.output(orderShipped).readKeyValues()).toEqual([
      { key: 'order-1', value: { ...told, trackingId: 'parcel-of-order-1' } },
    ])
    expect(onHand(driver)).toBe(3)
    expect(driver.output(orderStatus).readTable().get('order-1')?.state).toBe('shipped')
  })

  it('gives the stock back when a charge fails (F6, X11)', () => {
    const driver = withLamps(5)
    place(driver, 'order-1', { quantity: 2, card: 'visa-declined' })
    expect(driver.output(inventoryUpdated).readAll()).toHaveLength(1)
    expect(driver.output(paymentFailed).readKeyValues()).toEqual([
      {
        key: 'order-1',
        value: { ...anOrder('order-1', { quantity: 2, card: 'visa-declined' }), reason: 'card declined' },
      },
    ])
    expect(
      driver
        .output(inventoryRestored)
        .readAll()
        .map(({ value }) => value?.left),
    ).toEqual([5])
    expect(onHand(driver)).toBe(5)
    expect(driver.output(orderShipped).readAll()).toEqual([])
    expect(driver.output(orderStatus).readTable().get('order-1')?.state).toBe('cancelled')
  })

  it('rejects an order that is out of stock, and one for a product nobody knows', () => {
    const driver = withLamps(1)
    place(driver, 'order-1', { quantity: 2 })
    place(driver, 'order-2', { product: 'unicorn' })
    expect(
      driver
        .output(orderRejected)
        .readAll()
        .map(({ key, value }) => [key, value?.reason]),
    ).toEqual([
      ['order-1', 'out of stock: 1 left, 2 wanted'],
      ['order-2', 'unknown product'],
    ])
    expect(driver.output(paymentCompleted).readAll()).toEqual([])
    expect(driver.output(orderStatus).readTable().get('order-2')?.state).toBe('rejected')
    expect(onHand(driver)).toBe(1)
  })

  it('has one effect for an order that is placed twice, and for every event that is told twice (X12)', () => {
    const driver = withLamps(5)
    place(driver, 'order-1')
    place(driver, 'order-1')
    const told = anOrder('order-1')
    driver.input(inventoryUpdated).pipe('order-1', { ...told, left: 4 })
    driver.input(paymentCompleted).pipe('order-1', { ...told, paymentId: 'payment-of-order-1' })
    expect(onHand(driver)).toBe(4)
    expect(driver.output(orderShipped).readAll()).toHaveLength(1)
  })

  it('gives stock back once where a failed payment is told twice (X12)', () => {
    const driver = withLamps(5)
    place(driver, 'order-1', { card: 'visa-declined' })
    driver.input(paymentFailed).pipe('order-1', { ...anOrder('order-1'), reason: 'card declined' })
    expect(onHand(driver)).toBe(5)
    expect(driver.output(inventoryRestored).readAll()).toHaveLength(1)
  })

  it('never ships what could not be reserved, also where the failure overtakes the order', () => {
    const driver = withLamps(5)
    driver.input(paymentFailed).pipe('order-1', { ...anOrder('order-1'), reason: 'card declined' })
    place(driver, 'order-1')
    expect(
      driver
        .output(orderRejected)
        .readAll()
        .map(({ value }) => value?.reason),
    ).toEqual(['cancelled before it was reserved'])
    expect(onHand(driver)).toBe(5)
  })

  it.each([
    ['no JSON', '{"orderId": "order-9"'],
    ['a missing field', '{"orderId": "order-9"}'],
    ['a quantity of no goods', JSON.stringify(anOrder('order-9', { quantity: 0 }))],
    ['another version', JSON.stringify({ ...anOrder('order-9'), version: 2 })],
  ])(
    'keeps what breaks the contract (%s) for the dead letter topic, and goes on with the next order (X6)',
    (_what, text) => {
      const driver = withLamps(5, { policies: { deserializationFailure: 'deadLetter' } })
      driver.input(orderPlaced).pipeBytes(utf8Encode('order-9'), utf8Encode(text))
      place(driver, 'order-1')
      expect(driver.topics()).toContain('dead-letters')
      expect(
        driver
          .output(orderShipped)
          .readAll()
          .map(({ key }) => key),
      ).toEqual(['order-1'])
      expect(onHand(driver)).toBe(4)
    },
  )

  it('works the same over several partitions', () => {
    const driver = testDriver(services, {
      partitions: {
        ...Object.fromEntries(flowTopics.map(({ name }) => [name, 3])),
        'inventory-by-product-repartition': 3,
      },
    })
    stock(driver, 'north', 'lamp', 3)
    for (let number = 1; number <= 5; number++) place(driver, `order-${number}`)
    expect(driver.output(orderShipped).readAll()).toHaveLength(3)
    expect(driver.output(orderRejected).readAll()).toHaveLength(2)
  })
})

const flowTopics = [
  orderPlaced,
  inventoryUpdated,
  orderRejected,
  inventoryRestored,
  paymentCompleted,
  paymentFailed,
  orderShipped,
]
