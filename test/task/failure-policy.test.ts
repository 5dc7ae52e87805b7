import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { bytes, headerText, nullable, string, topic, topology, within } from '../../src/index.ts'
import type { FailedRecord, FailureHandler } from '../../src/index.ts'
import type { TestDriver } from '../../src/testing/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const Order = z.object({ amount: z.number() })
const orders = topic('orders', { value: Order })
const large = topic('large', { value: Order })
const deadLetters = topic('dead-letters', { key: nullable(string), value: bytes })
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const program = topology('policies', (builder) => {
  builder
    .stream(orders)
    .filter(({ value }) => value.amount > 0)
    .mapValues((order) => {
      if (order.amount === 13) throw new RangeError('unlucky')
      return order.amount === 7 ? ({ amount: 'seven' } as unknown as { amount: number }) : order
    })
    .to(large)
})

const pipeAll = (driver: TestDriver): void => {
  const input = driver.input(orders)
  input.pipeBytes(text('a'), text('{"amount":'))
  input.pipeBytes(text('b'), text('{"amount":"1"}'))
  input.pipe('c', { amount: 13 }, { timestamp: 5, headers: [['trace', text('t')]] })
  input.pipe('d', { amount: 7 })
  input.pipe('e', { amount: 1 })
}

describe('failure policies', () => {
  it('keep a failed record as it was read in the dead letter topic, and go on', () => {
    const driver = testDriver(program, {
      policies: {
        deserializationFailure: 'deadLetter',
        processingFailure: 'deadLetter',
        productionFailure: 'deadLetter',
      },
    })
    pipeAll(driver)
    const letters = driver.output(deadLetters).readAll()
    expect(letters.map(({ key, value }) => [key, new TextDecoder().decode(value as Uint8Array)])).toEqual([
      ['a', '{"amount":'],
      ['b', '{"amount":"1"}'],
      ['c', '{"amount":13}'],
      ['d', '{"amount":7}'],
    ])
    expect(driver.output(large).readKeyValues()).toEqual([{ key: 'e', value: { amount: 1 } }])
    expect(driver.dropped()).toEqual({ failed: 4 })
  })

  it('stop where a dead letter that the application reads fails again, as it would come round without end', () => {
    const loop = topology('loop', (builder) => {
      builder.stream(orders).peek(() => {
        throw new Error('never')
      })
      builder.stream(topic('dead', { value: Order })).peek(({ value }) => {
        if (value.amount > 1) throw new Error('still too much')
      })
    })
    const driver = testDriver(loop, {
      policies: { processingFailure: 'deadLetter' },
      deadLetterTopic: 'dead',
    })
    driver.input(orders).pipe('a', { amount: 1 })
    expect(driver.dropped()).toEqual({ failed: 1 })
    expect(() => driver.input(orders).pipe('b', { amount: 2 })).toThrow(
      expect.objectContaining({
        code: 'DEAD_LETTER_LOOP',
        message: expect.stringMatching(/still too much .*topic dead, partition 0, offset 1/),
      }),
    )
  })

  it('say in the headers of KIP-1034 what happened and where, after the headers of the record', () => {
    const driver = testDriver(program, { policies: { processingFailure: 'deadLetter' } })
    driver.input(orders).pipe('x', { amount: 1 })
    driver.input(orders).pipe('c', { amount: 13 }, { timestamp: 5, headers: [['trace', text('t')]] })
    const [letter] = driver.output(deadLetters).readAll()
    expect(letter).toMatchObject({ key: 'c', timestamp: 5 })
    expect(letter?.headers.map(([name]) => name)).toEqual([
      'trace',
      '__streams.errors.exception',
      '__streams.errors.message',
      '__streams.errors.stacktrace',
      '__streams.errors.topic',
      '__streams.errors.partition',
      '__streams.errors.offset',
    ])
    const header = (name: string): string | undefined =>
      headerText(letter?.headers ?? [], `__streams.errors.${name}`)
    expect(header('exception')).toBe('RangeError')
    expect(header('message')).toContain('unlucky')
    expect([header('topic'), header('partition'), header('offset')]).toEqual(['orders', '0', '1'])
  })

  it.each([
    ['deserializationFailure', '{"amount":', /not JSON/],
    ['deserializationFailure', '{"amount":"1"}', /breaks the topic's schema: amount/],
    ['processingFailure', '{"amount":13}', /unlucky/],
    ['productionFailure', '{"amount":7}', /written breaks the topic's schema/],
  ] as const)('are asked by stage: %s of %s', (policy, value, message) => {
    const strict = testDriver(program)
    expect(() => strict.input(orders).pipeBytes(text('k'), text(value))).toThrow(message)
    const lenient = testDriver(program, { policies: { [policy]: 'skip' } })
    lenient.input(orders).pipeBytes(text('k'), text(value))
    expect(lenient.dropped()).toEqual({ failed: 1 })
  })

  it('blame for a joined value that cannot be read the record it came with, once, and not its partners', () => {
    const payments = topic('payments', { value: string })
    const paid = topology('undecodable-partner', (builder) => {
      builder
        .stream(orders)
        .join(builder.stream(payments), ({ amount }, payment) => `${amount} by ${payment}`, {
          name: 'paid',
          windows: within(10),
        })
        .to(topic('paid', { value: string }))
    })
    const driver = testDriver(paid, { policies: { deserializationFailure: 'deadLetter' } })
    driver.input(orders).pipe('a', { amount: 1 }, { timestamp: 1 })
    driver.input(orders).pipeBytes(text('a'), text('{"amount":'), { timestamp: 2 })
    driver.input(payments).pipe('a', 'card', { timestamp: 3 })
    driver.input(payments).pipe('a', 'cash', { timestamp: 4 })
    const letters = driver.output(deadLetters).readAll()
    expect(letters.map(({ value }) => new TextDecoder().decode(value as Uint8Array))).toEqual(['{"amount":'])
    expect(headerText(letters[0]?.headers ?? [], '__streams.errors.offset')).toBe('1')
    expect(driver.output(topic('paid', { value: string })).readKeyValues()).toEqual([
      { key: 'a', value: '1 by card' },
      { key: 'a', value: '1 by cash' },
    ])
  })
})

describe('a handler of failed records', () => {
  const heard: FailedRecord[] = []
  const driverWith = (onFailedRecord: FailureHandler): TestDriver =>
    testDriver(program, { onFailedRecord, policies: { processingFailure: 'skip' } })

  it('hears what happened to which record, and its word goes before the settings', () => {
    const driver = driverWith((failed) => {
      heard.push(failed)
      return 'deadLetter'
    })
    driver.input(orders).pipe('c', { amount: 13 }, { timestamp: 5, headers: [['trace', text('t')]] })
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({
      fault: { cause: new RangeError('unlucky') },
      stage: 'processing',
      origin: { topic: 'orders', partition: 0, offset: 0 },
      record: { key: text('c'), value: text('{"amount":13}'), timestamp: 5, headers: [['trace', text('t')]] },
    })
    expect(driver.output(deadLetters).readAll()).toHaveLength(1)
  })

  it('leaves to the settings what it does not decide', () => {
    const driver = driverWith(({ stage }) => (stage === 'production' ? 'skip' : undefined))
    driver.input(orders).pipe('c', { amount: 13 })
    driver.input(orders).pipe('d', { amount: 7 })
    expect(driver.dropped()).toEqual({ failed: 2 })
    expect(() => driver.input(orders).pipeBytes(text('a'), text('{'))).toThrow(/not JSON/)
  })

  it.each<readonly [string, FailureHandler, RegExp]>([
    [
      'fails',
      () => {
        throw new Error('no idea')
      },
      /onFailedRecord has failed: no idea, of a record that failed: unlucky/,
    ],
    [
      'says what there is not',
      () => 'ignore' as 'skip',
      /onFailedRecord has answered the text 'ignore', of a record that failed/,
    ],
  ])("is the author's mistake where it %s", (_, handler, message) => {
    expect(() => driverWith(handler).input(orders).pipe('c', { amount: 13 })).toThrow(message)
  })
})
