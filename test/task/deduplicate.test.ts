import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { long, nullable, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const payments = topic('payments', { key: nullable(string), value: string })
const out = topic('out', { key: nullable(string), value: string })

const byKey = (retention: number) =>
  topology('by-key', (builder) => {
    builder.stream(payments).deduplicate({ store: 'seen', retention }).to(out)
  })

const byId = topology('by-id', (builder) => {
  builder
    .stream(payments)
    .deduplicate({ store: 'seen', retention: 100, id: ({ value }) => value.split(':')[0] ?? null })
    .to(out)
})

describe('deduplicate', () => {
  it('lets the first record of each key through and counts the others', () => {
    const driver = testDriver(byKey(100))
    const input = driver.input(payments)
    input.pipe('a', 'first', { timestamp: 10 })
    input.pipe('a', 'second', { timestamp: 11 })
    input.pipe('b', 'other', { timestamp: 12 })
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'a', value: 'first' },
      { key: 'b', value: 'other' },
    ])
    expect(driver.dropped()).toEqual({ duplicate: 1 })
  })

  it('tells records apart by an id of their own', () => {
    const driver = testDriver(byId)
    for (const value of ['1:x', '2:y', '1:z']) driver.input(payments).pipe('a', value)
    expect(
      driver
        .output(out)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['1:x', '2:y'])
  })

  it('forgets an id after the retention, in the time of the records', () => {
    const driver = testDriver(byKey(100))
    for (const timestamp of [0, 99, 100, 199, 200]) driver.input(payments).pipe('a', 'x', { timestamp })
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ timestamp }) => timestamp),
    ).toEqual([0, 100, 200])
  })

  it('knows a late twin of a record as well as an early one', () => {
    const driver = testDriver(byKey(100))
    for (const timestamp of [150, 60]) driver.input(payments).pipe('a', 'x', { timestamp })
    expect(driver.output(out).readAll()).toHaveLength(1)
    expect(driver.dropped()).toEqual({ duplicate: 1 })
  })

  it('drops what is too late to be judged, and what has no id', () => {
    const driver = testDriver(byKey(100))
    driver.input(payments).pipe('a', 'x', { timestamp: 200 })
    driver.input(payments).pipe('b', 'y', { timestamp: 100 })
    driver.input(payments).pipe(null, 'z', { timestamp: 200 })
    expect(driver.output(out).readAll()).toHaveLength(1)
    expect(driver.dropped()).toEqual({ late: 1, nullKey: 1 })
  })

  it('remembers ids through a restart', () => {
    const lone = new LoneTask(byKey(100))
    lone.pipe(payments, 'a', 'x', { timestamp: 10 })
    lone.restart()
    lone.pipe(payments, 'a', 'x', { timestamp: 10 })
    lone.pipe(payments, 'b', 'y', { timestamp: 10 })
    expect(lone.values()).toEqual(['x', 'y'])
  })

  it('never lets two records of one id through that lie within the retention, and loses none without a twin', () => {
    const arrivals = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), timestamp: fc.nat(200) }), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 80 }), (all, retention) => {
        const driver = testDriver(byKey(retention))
        let streamTime = -1
        const passed: { key: string; timestamp: number }[] = []
        for (const { key, timestamp } of all) {
          driver.input(payments).pipe(key, 'x', { timestamp })
          streamTime = Math.max(streamTime, timestamp)
          const late = timestamp <= streamTime - retention
          const twin = passed.some(
            (each) => each.key === key && Math.abs(each.timestamp - timestamp) < retention,
          )
          if (!late && !twin) passed.push({ key, timestamp })
        }
        const found = driver
          .output(out)
          .readAll()
          .map(({ key, timestamp }) => ({ key, timestamp }))
        expect(found).toEqual(passed)
      }),
    )
  })

  it('hands on what it drops where somebody takes it up', () => {
    const twins = topic('twins', { key: nullable(string), value: string })
    const driver = testDriver(
      topology('twins-kept', (builder) => {
        builder
          .stream(payments)
          .deduplicate({
            store: 'seen',
            retention: 100,
            dropped: { duplicate: (records) => records.to(twins) },
          })
          .to(out)
      }),
    )
    for (const value of ['first', 'second']) driver.input(payments).pipe('a', value, { timestamp: 0 })
    expect(driver.output(out).readKeyValues()).toEqual([{ key: 'a', value: 'first' }])
    expect(driver.output(twins).readKeyValues()).toEqual([{ key: 'a', value: 'second' }])
    expect(driver.dropped()).toEqual({ duplicate: 1 })
  })

  it('brings records of one new key together before it compares them', () => {
    const driver = testDriver(
      topology('rekeyed', (builder) => {
        builder
          .stream(payments)
          .selectKey(({ value }) => value)
          .deduplicate({ store: 'seen', retention: 100 })
          .to(out)
      }),
      { partitions: 4 },
    )
    for (const partition of [0, 1, 2, 3])
      driver.input(payments).pipe('k', 'same', { partition, timestamp: 0 })
    expect(driver.output(out).readAll()).toHaveLength(1)
    expect(driver.topics()).toContain('rekeyed-seen-repartition')
  })

  it('asks for the serde of an id that is no text, and for a retention', () => {
    topology('typed', (builder) => {
      const stream = builder.stream(payments)
      stream.deduplicate({ store: 'numbers', retention: 1, id: ({ value }) => value.length, idSerde: long })
      // @ts-expect-error -- a number is not written as text
      stream.deduplicate({ store: 'unwritten', retention: 1, id: ({ value }) => value.length })
    })
    expect(() => byKey(0)).toThrow(/at least one millisecond/)
  })
})
