import { expect, test } from 'vitest'
import { peerOptions } from '../../../bench/peers/peer-options.ts'
import {
  customerId,
  customers,
  inputRecords,
  joinWithinMs,
  keptFrom,
  orderAt,
  orderTimestamp,
  paymentAt,
  paymentTimestamp,
  topicsOf,
} from '../../../bench/peers/workloads.ts'

const sample = Array.from({ length: 99_999 }, (_, index) => index)

test('an order is about 122 bytes of JSON, and its key 11', () => {
  const bytes = sample.reduce((sum, index) => sum + Buffer.byteLength(JSON.stringify(orderAt(index))), 0)
  expect(Math.abs(bytes / sample.length - 122)).toBeLessThan(3)
  expect(new Set(sample.map((index) => Buffer.byteLength(customerId(index))))).toEqual(new Set([11]))
})

test('half of the orders are kept, and amounts are whole cents', () => {
  const amounts = sample.map((index) => orderAt(index).amount)
  expect(amounts.filter((amount) => amount >= keptFrom)).toHaveLength(50_000)
  expect(amounts.every((amount) => amount === Number(amount.toFixed(2)))).toBe(true)
})

test('every other order is paid in time, under the key of the order', () => {
  const payment = paymentAt(617)
  const order = orderAt(1234)
  expect(payment).toEqual({ paymentId: 'payment-00000617', orderId: order.orderId, amount: order.amount })
  expect(paymentTimestamp(617) - orderTimestamp(1234)).toBeLessThan(joinWithinMs)
  expect(inputRecords('W5', 1001)).toBe(1501)
})

test('inputs that are only read are shared between runs, those that are written are not', () => {
  expect(topicsOf('W1', 10, 'a').orders).toBe(topicsOf('W3', 10, 'b').orders)
  expect(topicsOf('W7', 10, 'a').orders).not.toBe(topicsOf('W7', 10, 'b').orders)
})

test('every customer orders before one orders again, and time never goes back', () => {
  expect(new Set(Array.from({ length: customers }, (_, index) => customerId(index))).size).toBe(customers)
  expect(customerId(customers)).toBe(customerId(0))
  expect(orderTimestamp(1) - orderTimestamp(0)).toBe(1)
})

test('the order and the customer of an index agree', () => {
  expect(orderAt(123_456).customerId).toBe(customerId(123_456))
})

test('a peer refuses a workload or a guarantee that does not exist', () => {
  expect(() => peerOptions(['--workload', 'W10'])).toThrow(
    '--workload is W10, and must be one of W1, W2, W3, W4, W5, W6, W7, W8, W9',
  )
  expect(() => peerOptions(['--guarantee', 'once'])).toThrow('at-least-once, exactly-once')
  expect(() => peerOptions(['--records', '1e-3'])).toThrow('must be a whole number above 0')
})

test('a peer takes its command line as said', () => {
  const line = '--brokers b:1 --workload W3 --records 5 --application-id a --guarantee exactly-once --tuned'
  expect(peerOptions(line.split(' '))).toEqual({
    brokers: 'b:1',
    workload: 'W3',
    records: 5,
    applicationId: 'a',
    guarantee: 'exactly-once',
    commitIntervalMs: 100,
    tuned: true,
  })
})
