import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { KeyValueStore, SagaState } from 'millrace'
import { headerText, seconds } from 'millrace'
import type { TestDriver } from 'millrace/testing'
import { testDriver } from 'millrace/testing'
import {
  deliveryStarted,
  orderFulfilled,
  orderRequested,
  paymentDone,
  paymentRefunded,
  paymentRefused,
  processPayment,
  refundPayment,
  releaseStock,
  reserveStock,
  startDelivery,
  stockRefused,
  stockReleased,
  stockReserved,
} from '../../topologies/contracts.ts'
import { deliveryService } from '../../topologies/delivery-service.ts'
import { fulfilment, orderFulfilment } from '../../topologies/order-fulfilment.ts'
import { paymentService } from '../../topologies/payment-service.ts'
import { stockService } from '../../topologies/stock-service.ts'
import { anOrder, stock } from './support.ts'

const participants = [stockService, paymentService, deliveryService]
const withLamps = (lamps: number, topologies = [orderFulfilment, ...participants]): TestDriver => {
  const driver = testDriver(topologies)
  stock(driver, 'south', 'lamp', lamps)
  return driver
}
const request = (driver: TestDriver, ...args: Parameters<typeof anOrder>): void =>
  driver.input(orderRequested).pipe(args[0], anOrder(...args))
const onHand = (driver: TestDriver): number | null =>
  driver.store<KeyValueStore<string, number>>('on-hand').get('lamp')
const stateOf = (driver: TestDriver, orderId: string): SagaState | null =>
  driver.store<KeyValueStore<string, SagaState>>('sagas').get(orderId)
const keysOn = (driver: TestDriver, topic: typeof reserveStock): string[] =>
  driver
    .output(topic)
    .readAll()
    .map(({ key }) => key)
const outcomes = (driver: TestDriver): unknown[] =>
  driver
    .output(orderFulfilled)
    .readAll()
    .map(({ key, value }) => [key, value?.outcome, value?.reason])

describe('the orchestrated order system', () => {
  it('is written down in one place: its steps, in order, and what each can be undone by (F3, F5)', () => {
    expect(
      fulfilment.steps.map(({ name, kind, command, undo }) => [
        name,
        kind,
        command.topic.name,
        undo?.topic.name,
      ]),
    ).toEqual([
      ['reserve', 'compensable', 'reserve-stock', 'release-stock'],
      ['charge', 'compensable', 'process-payment', 'refund-payment'],
      ['deliver', 'retriable', 'start-delivery', undefined],
    ])
  })

  it('takes an order from request over reservation and payment to delivery (F2, F5)', () => {
    const driver = withLamps(5)
    request(driver, 'order-1', { quantity: 2 })
    expect(
      driver
        .output(paymentDone)
        .readAll()
        .map(({ value }) => value?.paymentId),
    ).toEqual(['payment-of-order-1'])
    expect(
      driver
        .output(startDelivery)
        .readAll()
        .map(({ value }) => value?.paymentId),
    ).toEqual(['payment-of-order-1'])
    expect(outcomes(driver)).toEqual([['order-1', 'COMPLETED', null]])
    expect(onHand(driver)).toBe(3)
  })

  it('tells A, waits for A, tells B, waits for B, tells C (F2, F3)', () => {
    const driver = testDriver(orderFulfilment)
    const told = anOrder('order-1')
    request(driver, 'order-1')
    expect(keysOn(driver, reserveStock)).toEqual(['order-1'])
    expect(keysOn(driver, processPayment)).toEqual([])

    driver.input(stockReserved).pipe('order-1', { ...told, left: 4 })
    expect(keysOn(driver, processPayment)).toEqual(['order-1'])
    expect(driver.output(startDelivery).readAll()).toEqual([])

    driver.input(paymentDone).pipe('order-1', { ...told, paymentId: 'p' })
    expect(driver.output(startDelivery).readAll()).toHaveLength(1)
    expect(outcomes(driver)).toEqual([])

    driver.input(deliveryStarted).pipe('order-1', { ...told, trackingId: 't' })
    expect(outcomes(driver)).toEqual([['order-1', 'COMPLETED', null]])
  })

  it('commands the release of the items where the charge is refused, and keeps the whole story (F7)', () => {
    const driver = withLamps(5)
    request(driver, 'order-1', { quantity: 2, card: 'visa-declined' })
    expect(driver.output(paymentRefused).readAll()).toHaveLength(1)
    expect(keysOn(driver, releaseStock)).toEqual(['order-1'])
    expect(
      driver
        .output(stockReleased)
        .readAll()
        .map(({ value }) => value?.left),
    ).toEqual([5])
    expect(outcomes(driver)).toEqual([['order-1', 'COMPENSATED', 'card declined']])
    expect(onHand(driver)).toBe(5)
    expect(stateOf(driver, 'order-1')).toMatchObject({
      status: 'COMPENSATED',
      failure: { step: 'charge', reason: 'refused' },
      steps: [
        { name: 'reserve', status: 'undone' },
        { name: 'charge', status: 'refused' },
      ],
    })
  })

  it('undoes in reverse order: the payment in doubt first, then the stock; stuck on the way, a late reply moves it on (F7)', () => {
    const driver = withLamps(5, [orderFulfilment, stockService])
    request(driver, 'order-1')
    for (let pause = 0; pause < 200; pause++) driver.advanceWallClock(seconds(1))
    expect(driver.output(processPayment).readAll()).toHaveLength(3)
    expect(driver.output(refundPayment).readAll().length).toBeGreaterThan(0)
    expect(keysOn(driver, releaseStock)).toEqual([])

    driver.input(paymentRefunded).pipe('order-1', anOrder('order-1'))
    expect(keysOn(driver, releaseStock)).toEqual(['order-1'])
    expect(outcomes(driver)).toEqual([
      ['order-1', 'STUCK', 'charge: no reply in time'],
      ['order-1', 'COMPENSATED', 'charge: no reply in time'],
    ])
  })

  it('rejects an order without stock, and nothing has to be undone', () => {
    const driver = withLamps(1)
    request(driver, 'order-1', { quantity: 2 })
    request(driver, 'order-2', { product: 'unicorn' })
    expect(outcomes(driver)).toEqual([
      ['order-1', 'REJECTED', 'out of stock: 1 left, 2 wanted'],
      ['order-2', 'REJECTED', 'unknown product'],
    ])
    expect(driver.output(stockRefused).readAll()).toHaveLength(2)
    expect(keysOn(driver, releaseStock)).toEqual([])
  })

  it('has one effect for an order that is requested twice, and for replies that come twice (X12)', () => {
    const driver = withLamps(5)
    request(driver, 'order-1')
    request(driver, 'order-1')
    driver.input(stockReserved).pipe('order-1', { ...anOrder('order-1'), left: 4 })
    driver.input(paymentDone).pipe('order-1', { ...anOrder('order-1'), paymentId: 'p' })
    expect(keysOn(driver, reserveStock)).toEqual(['order-1'])
    expect(outcomes(driver)).toEqual([['order-1', 'COMPLETED', null]])
    expect(onHand(driver)).toBe(4)
  })

  it('participants do a command that comes twice once, and answer it twice (X12)', () => {
    const driver = withLamps(5, participants)
    const told = anOrder('order-1')
    for (let time = 0; time < 2; time++) {
      driver.input(reserveStock).pipe('order-1', told)
      driver.input(processPayment).pipe('order-1', told)
      driver.input(startDelivery).pipe('order-1', { ...told, paymentId: 'p' })
    }
    const [first, second] = driver.output(stockReserved).readKeyValues()
    expect(second).toEqual(first)
    expect(driver.output(paymentDone).readAll()).toHaveLength(2)
    expect(driver.output(deliveryStarted).readAll()).toHaveLength(2)
    expect(onHand(driver)).toBe(4)

    driver.input(releaseStock).pipe('order-1', told)
    driver.input(releaseStock).pipe('order-1', told)
    driver.input(refundPayment).pipe('order-1', told)
    expect(driver.output(stockReleased).readAll()).toHaveLength(2)
    expect(driver.output(paymentRefunded).readAll()).toHaveLength(1)
    expect(onHand(driver)).toBe(5)
  })

  it('participants let a command come to nothing that is overtaken by its undo', () => {
    const driver = withLamps(5, participants)
    const told = anOrder('order-1')
    driver.input(releaseStock).pipe('order-1', told)
    driver.input(reserveStock).pipe('order-1', told)
    driver.input(refundPayment).pipe('order-1', told)
    driver.input(processPayment).pipe('order-1', told)
    expect(
      driver
        .output(stockRefused)
        .readAll()
        .map(({ value }) => value?.reason),
    ).toEqual(['cancelled before it was reserved'])
    expect(
      driver
        .output(paymentRefused)
        .readAll()
        .map(({ value }) => value?.reason),
    ).toEqual(['cancelled before it was charged'])
    expect(onHand(driver)).toBe(5)
  })

  it('sends the command again to a service that was away, and completes when it is back (P3, P4)', () => {
    const driver = testDriver(orderFulfilment)
    request(driver, 'order-1')
    driver.advanceWallClock(seconds(31))
    driver.advanceWallClock(seconds(2))
    const commands = driver.output(reserveStock).readAll()
    expect(commands.map(({ headers }) => headerText(headers, 'idempotency-key'))).toEqual([
      'order-1/reserve/do',
      'order-1/reserve/do',
    ])
  })

  it('commands carry the idempotency key and the correlation of their flow', () => {
    const driver = withLamps(5)
    request(driver, 'order-1', { card: 'visa-declined' })
    const released = driver.output(releaseStock).readAll()[0]
    const text = (name: string): string | undefined => headerText(released?.headers ?? [], name)
    expect(text('idempotency-key')).toBe('order-1/reserve/undo')
    expect(text('ce_correlationid')).toBe('order-1')
    expect(text('ce_source')).toBe('/sagas/order-fulfilment')
    expect(text('ce_causationid')).toBe('order-1/charge/do')
  })

  it('keeps a request that breaks the contract for the dead letter topic (X6)', () => {
    const driver = testDriver([orderFulfilment, ...participants], {
      policies: { deserializationFailure: 'deadLetter' },
    })
    driver.input(orderRequested).pipeBytes(utf8Encode('order-9'), utf8Encode('{"orderId": 9}'))
    expect(driver.topics()).toContain('dead-letters')
    expect(keysOn(driver, reserveStock)).toEqual([])
  })

  it('refuses a reply to an order it does not know, so that the policy decides what becomes of it', () => {
    const driver = testDriver(orderFulfilment)
    expect(() =>
      driver.input(paymentDone).pipe('order-7', { ...anOrder('order-7'), paymentId: 'p' }),
    ).toThrow(/there is no saga of 'order-fulfilment'/)
  })
})
