import { expect, test } from 'vitest'
import { peerOptions } from '../../../bench/peers/peer-options.ts'
import { customerId, customers, orderAt, orderTimestamp } from '../../../bench/peers/workloads.ts'

const sample = Array.from({ length: 99_999 }, (_, index) => index)

test('an order is about 122 bytes of JSON, and its key 11', () => {
  const bytes = sample.reduce((sum, index) => sum + Buffer.byteLength(JSON.stringify(orderAt(index))), 0)
  expect(Math.abs(bytes / sample.length - 122)).toBeLessThan(3)
  expect(new Set(sample.map((index) => Buffer.byteLength(customerId(index))))).toEqual(new Set([11]))
})

test('nine orders in ten are of 100 and more, in whole cents', () => {
  const amounts = sample.map((index) => orderAt(index).amount)
  expect(amounts.filter((amount) => amount >= 100)).toHaveLength(90_000)
  expect(amounts.every((amount) => amount === Number(amount.toFixed(2)))).toBe(true)
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
  expect(() => peerOptions(['--workload', 'W9'])).toThrow(
    '--workload is W9, and must be one of W1, W2, W3, W4, W5',
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
