import { describe, expect, test } from 'vitest'
import { topology } from '../../src/dsl/builder.ts'
import { testDriver } from '../../src/testing/index.ts'
import { wallClock } from '../../src/dsl/timestamp-extractors.ts'
import { string } from '../../src/topic/serdes.ts'
import { topic } from '../../src/topic/topic.ts'

const orders = topic('orders', { key: string, value: string })
const invoices = topic('invoices', { key: string, value: string })
const misspelt = topic('order', { key: string, value: string })

const relay = () => topology('relay', (t) => t.stream(orders).to(invoices))

describe('a test driver', () => {
  test('refuses to write a topic that no topology reads, and names the nearest', () => {
    expect(() => testDriver(relay()).input(misspelt)).toThrow(/did you mean 'orders'/)
    expect(() => testDriver(relay()).input(invoices)).toThrow(/reads topic 'invoices'/)
  })

  test('refuses to read a topic that no topology writes', () => {
    expect(() => testDriver(relay()).output({ ...invoices, name: 'invoice' })).toThrow(
      /did you mean 'invoices'/,
    )
    expect(() => testDriver(relay()).output(orders)).toThrow(/writes topic 'orders'/)
  })

  test('reads the dead letter topic, internal topics, and any topic where records choose', () => {
    const driver = testDriver(
      topology('counts', (t) =>
        t
          .stream(orders)
          .groupBy((record) => record.value, { name: 'g', key: string })
          .count({ store: 'n' }),
      ),
      { deadLetterTopic: 'dead' },
    )
    for (const name of ['dead', 'counts-n-changelog'])
      expect(driver.output({ ...invoices, name }).readAll()).toEqual([])
    const dynamic = topology('d', (t) =>
      t.stream(orders).to({ name: ({ value }) => value, key: string, value: string }),
    )
    expect(testDriver(dynamic).output(invoices).readAll()).toEqual([])
  })

  test('takes a record without a time where an extractor decides about it, and nowhere else', () => {
    const timed = topology('timed', (t) => t.stream(orders, { timestampExtractor: wallClock }).to(invoices))
    const driver = testDriver(timed)
    driver.input(orders).pipe('a', 'b', { timestamp: -1 })
    expect(driver.output(invoices).readAll()).toHaveLength(1)
    expect(() => testDriver([timed, relay()]).input(orders).pipe('a', 'b', { timestamp: -1 })).toThrow(
      /-1 needs a source with a timestampExtractor/,
    )
  })

  test('takes the topics that a pattern matches by their whole name', () => {
    const matching = topology('m', (t) => t.streamMatching(/orders-.+/, orders).to(invoices))
    const driver = testDriver(matching)
    driver.input({ ...orders, name: 'orders-europe' }).pipe('a', 'b')
    expect(driver.output(invoices).readAll()).toHaveLength(1)
    expect(() => driver.input(orders)).toThrow(/'orders', and its name does not match .*orders-/)
  })

  test.each([
    { partition: 2 },
    { partition: -1 },
    { partition: 0.5 },
    { timestamp: NaN },
    { timestamp: 1.5 },
    { timestamp: -2 },
    { timestamp: -1 },
  ])('refuses %o of a record', (options) => {
    const input = testDriver(relay(), { partitions: 2 }).input(orders)
    expect(() => input.pipe('a', 'b', options)).toThrow(
      expect.objectContaining({ code: 'PIPE_OPTION_INVALID' }),
    )
  })
})
