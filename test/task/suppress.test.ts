import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  headerText,
  long,
  nullable,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  withHeader,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const events = topic('events', { value: string })
const rows = topic('rows', { value: nullable(string) })
const out = topic('out', { value: nullable(string) })
const final = topic('final', { key: timeWindowed(string, 10), value: nullable(long) })

const finalCounts = (bounds: { maxRecords?: number } = {}) =>
  topology('final', (builder) => {
    builder
      .stream(events)
      .groupByKey()
      .windowedBy(tumbling({ size: 10, grace: 5 }))
      .count({ store: 'counts' })
      .suppress(untilWindowCloses(bounds), { store: 'waiting' })
      .toStream()
      .to(final)
  })

const calmRows = (options: Parameters<typeof untilTimeLimit>[0]) =>
  topology('calm', (builder) => {
    builder
      .table(rows, { store: 'rows' })
      .suppress(untilTimeLimit(options), { store: 'waiting' })
      .toStream()
      .to(out)
  })

describe('a suppression until windows close', () => {
  it('tells each window once, with what its last update said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.constantFrom('a', 'b'), step: fc.nat(6), late: fc.nat(20) }), {
          maxLength: 50,
        }),
        (steps) => {
          const all = topic('all', { key: timeWindowed(string, 10), value: nullable(long) })
          const driver = testDriver(
            topology('both', (builder) => {
              const counts = builder
                .stream(events)
                .groupByKey()
                .windowedBy(tumbling({ size: 10, grace: 5 }))
                .count({ store: 'counts' })
              counts.toStream().to(all)
              counts.suppress(untilWindowCloses(), { store: 'waiting' }).toStream().to(final)
            }),
          )
          let now = 0
          for (const { key, step, late } of steps) {
            now += step
            driver.input(events).pipe(key, 'x', { timestamp: Math.max(0, now - late) })
          }
          driver.input(events).pipe('end', 'x', { timestamp: now + 1000 })
          const nameOf = ({ key, startMs }: { key: string; startMs: number }): string => `${key}@${startMs}`
          const told = driver.output(final).readAll()
          const last = new Map(
            driver
              .output(all)
              .readAll()
              .map(({ key, value }) => [nameOf(key), value]),
          )
          last.delete(`end@${Math.floor((now + 1000) / 10) * 10}`)
          expect(told.length).toBe(last.size)
          expect(new Map(told.map(({ key, value }) => [nameOf(key), value]))).toEqual(last)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('stops the application rather than telling a window early, where too many wait', () => {
    const driver = testDriver(finalCounts({ maxRecords: 1 }))
    driver.input(events).pipe('a', 'x', { timestamp: 1 })
    expect(() => driver.input(events).pipe('b', 'x', { timestamp: 2 })).toThrow(
      expect.objectContaining({ code: 'SUPPRESSION_FULL' }),
    )
  })

  it('lets go of closed windows when stream time moves on without a record', () => {
    const driver = testDriver(finalCounts())
    driver.input(events).pipe('a', 'x', { timestamp: 1 })
    driver.advanceStreamTime(14)
    expect(driver.output(final).readAll()).toEqual([])
    driver.advanceStreamTime(15)
    expect(driver.output(final).readAll()).toMatchObject([{ key: { key: 'a' }, value: 1, timestamp: 1 }])
  })
})

describe('a suppression by time', () => {
  it('tells the last update of a key once the first has waited for the limit', () => {
    const driver = testDriver(calmRows({ limit: 10 }))
    const input = driver.input(rows)
    input.pipe('a', 'one', { timestamp: 0 })
    input.pipe('a', 'two', { timestamp: 9 })
    expect(driver.output(out).readAll()).toEqual([])
    input.pipe('b', 'other', { timestamp: 10 })
    expect(driver.output(out).readAll()).toMatchObject([{ key: 'a', value: 'two', timestamp: 9 }])
  })

  it('tells a deletion too, and keeps the headers of the update it tells', () => {
    const driver = testDriver(calmRows({ limit: 10 }))
    driver.input(rows).pipe('a', 'one', { timestamp: 0 })
    driver.input(rows).pipe('a', null, { timestamp: 1, headers: withHeader([], 'why', 'gone') })
    driver.input(rows).pipe('b', 'other', { timestamp: 10 })
    const told = driver.output(out).readAll()
    expect(told).toMatchObject([{ key: 'a', value: null }])
    expect(headerText(told[0]?.headers ?? [], 'why')).toBe('gone')
  })

  it('lets the oldest go early where as many wait as may', () => {
    const driver = testDriver(calmRows({ limit: 1000, maxRecords: 2 }))
    for (const [index, key] of ['c', 'b', 'a'].entries())
      driver.input(rows).pipe(key, 'x', { timestamp: index })
    expect(driver.output(out).readKeyValues()).toEqual([{ key: 'c', value: 'x' }])
  })

  it('counts bytes too', () => {
    const driver = testDriver(calmRows({ limit: 1000, maxBytes: 200 }))
    driver.input(rows).pipe('a', 'short', { timestamp: 0 })
    expect(driver.output(out).readAll()).toEqual([])
    driver.input(rows).pipe('b', 'x'.repeat(200), { timestamp: 1 })
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'a', value: 'short' },
      { key: 'b', value: 'x'.repeat(200) },
    ])
  })

  it('shows those who look a waiting row up what it was before', () => {
    const questions = topic('questions', { value: string })
    const driver = testDriver(
      topology('look', (builder) => {
        const calm = builder
          .table(rows, { store: 'rows' })
          .suppress(untilTimeLimit({ limit: 10 }), { store: 'waiting' })
        builder
          .stream(questions)
          .leftJoin(calm, (_question, row) => row ?? 'nothing', { value: string })
          .to(out)
      }),
    )
    const ask = (timestamp: number): unknown => {
      driver.input(questions).pipe('a', '?', { timestamp })
      return driver.output(out).read()?.value
    }
    driver.input(rows).pipe('a', 'one', { timestamp: 0 })
    expect(ask(1)).toBe('nothing')
    driver.input(rows).pipe('b', 'x', { timestamp: 10 })
    expect(ask(11)).toBe('one')
    driver.input(rows).pipe('a', 'two', { timestamp: 12 })
    expect(ask(13)).toBe('one')
  })
})

describe('what waits in a suppression', () => {
  it('outlives a restart, in its order', () => {
    const task = new LoneTask(calmRows({ limit: 10 }))
    task.pipe(rows, 'b', 'first', { timestamp: 0 })
    task.pipe(rows, 'a', 'second', { timestamp: 1 })
    task.pipe(rows, 'b', 'first again', { timestamp: 2 })
    task.restart()
    task.pipe(rows, 'c', 'third', { timestamp: 11 })
    expect(task.sent.map(({ record }) => [record.key, record.value, record.timestamp])).toEqual([
      ['b', 'first again', 2],
      ['a', 'second', 1],
    ])
  })
})
