import { describe, expect, expectTypeOf, it } from 'vitest'
import { long, string, topic, topology, tumbling } from '../../src/index.ts'
import { matchers, testDriver } from '../../src/testing/index.ts'
import type { MillraceMatchers, TestDriver } from '../../src/testing/index.ts'

expect.extend(matchers)

const words = topic('words', { value: string })
const counts = topic('counts', { value: long })

const counted = topology('counted', (builder) => {
  builder
    .stream(words)
    .groupBy(({ value }) => value, { name: 'by-word' })
    .count({ store: 'counts' })
    .toStream()
    .to(counts)
  builder
    .stream(words)
    .groupByKey()
    .windowedBy(tumbling({ size: 10 }))
    .count({ store: 'counts-by-window', name: 'by-window' })
})

const driverWith = (...spoken: readonly string[]): TestDriver => {
  const driver = testDriver(counted, { partitions: 3 })
  spoken.forEach((word, index) => driver.input(words).pipe('speaker', word, { timestamp: index * 10 }))
  return driver
}

describe('toHaveEmitted', () => {
  it('holds the unread records against what is expected of them, in order', () => {
    const driver = driverWith('a', 'b', 'a')
    expect(driver.output(counts)).toHaveEmitted([
      { key: 'a', value: 1, timestamp: 0 },
      { key: 'b', value: 1 },
      { key: 'a', value: expect.any(Number) },
    ])
    expect(driver.output(counts)).toHaveEmitted([])
  })

  it('fails with a line for each record, and with why records were left out', () => {
    const driver = driverWith('a', 'b', 'c')
    driver.input(words).pipe('speaker', 'd', { timestamp: 1 })
    expect(() =>
      expect(driver.output(counts)).toHaveEmitted([
        { key: 'a', value: 1 },
        { key: 'c', value: 7 },
        { key: 'd', value: 1 },
      ]),
    ).toThrow(
      [
        'topic counts has not emitted what was expected (- expected, + emitted):',
        '    "a": 1',
        '  - "c": 7',
        '  + "b": 1',
        '  + "c": 1',
        '    "d": 1',
        '  dropped, late: "speaker": "d"  at by-window [counted]',
      ].join('\n'),
    )
  })

  it('shows the fields that were asked about', () => {
    expect(() => expect(driverWith('a').output(counts)).toHaveEmitted([{ key: 'a', timestamp: 5 }])).toThrow(
      '- "a": undefined  timestamp 5\n  + "a": 1  timestamp 0',
    )
  })

  it('fails with its negation where the records are the same', () => {
    expect(() => expect(driverWith('a').output(counts)).not.toHaveEmitted([{ key: 'a' }])).toThrow(
      'just what it should not',
    )
    expect(driverWith('a').output(counts)).not.toHaveEmitted([])
  })

  it('knows the types of the topic', () => {
    const output = testDriver(counted).output(counts)
    expectTypeOf<MillraceMatchers<void, typeof output>['toHaveEmitted']>()
      .parameter(0)
      .items.toEqualTypeOf<Partial<ReturnType<typeof output.readAll>[number]>>()
  })

  it('refuses what is no output', () => {
    expect(() => expect([]).toHaveEmitted([])).toThrow(/expect\(driver\.output/)
  })
})

describe('toHaveDropped', () => {
  it('compares counts by reason', () => {
    const driver = driverWith('a', 'b')
    expect(driver).toHaveDropped({})
    driver.input(words).pipe('speaker', 'late', { timestamp: 1 })
    expect(driver).toHaveDropped({ late: 1 })
  })

  it('fails with the records that were left out', () => {
    const driver = driverWith('a', 'b')
    driver.input(words).pipe('speaker', 'c', { timestamp: 1 })
    expect(() => expect(driver).toHaveDropped({ nullKey: 1 })).toThrow(
      /- nullKey: 1\n {2}\+ late: 1\n {2}dropped, late: "speaker": "c" {2}at by-window \[counted\]/,
    )
  })
})

describe('toHaveStored', () => {
  it('compares the rows of all partitions in any order', () => {
    const driver = driverWith('a', 'b', 'c', 'a')
    expect(driver).toHaveStored('counts', [
      ['c', 1],
      ['b', 1],
      ['a', 2],
    ])
    expect(driver).toHaveStored('counts', new Map(Object.entries({ a: 2, b: 1, c: 1 })))
    expect(driverWith('a')).toHaveStored('counts-by-window', [[{ key: 'speaker', startMs: 0, endMs: 10 }, 1]])
  })

  it('fails with a line for each row', () => {
    expect(() => expect(driverWith('a', 'b')).toHaveStored('counts', [['a', 2]])).toThrow(
      'store counts has not held what was expected (- expected, + held):\n  - "a": 2\n  + "a": 1\n  + "b": 1',
    )
  })

  it('names the stores there are when asked for another', () => {
    expect(() => expect(driverWith()).toHaveStored('nope', [])).toThrow(/counts, counts-by-window/)
  })
})
