import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Windowed } from '../../src/index.ts'
import { hopping, long, nullable, string, timeWindowed, topic, topology, tumbling } from '../../src/index.ts'
import type { WindowStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { TimeWindows } from '../../src/topology/windows.ts'

const events = topic('events', { key: nullable(string), value: nullable(string) })
const late = topic('late', { key: nullable(string), value: nullable(string) })

const countsOf = (windows: TimeWindows) =>
  topology('counts', (builder) => {
    builder
      .stream(events)
      .groupByKey()
      .windowedBy(windows)
      .count({ store: 'counts', dropped: { late: (records) => records.to(late) } })
      .toStream()
      .to(topic('counts', { key: timeWindowed(string, windows.sizeMs), value: nullable(long) }))
  })

interface Arrival {
  readonly key: string
  readonly timestamp: number
}

const arrivals = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), timestamp: fc.nat(200) }), {
  maxLength: 60,
})
const windows = fc
  .record({
    size: fc.integer({ min: 1, max: 40 }),
    advance: fc.integer({ min: 1, max: 40 }),
    grace: fc.nat(60),
  })
  .map(({ size, advance, grace }) => hopping({ size, advance: Math.min(size, advance), grace }))

/** Every window of every record that had not closed when the record came, with how many records it took. */
const naive = ({ sizeMs, advanceMs, graceMs }: TimeWindows, all: readonly Arrival[]) => {
  const counts = new Map<string, number>()
  let dropped = 0
  let streamTime = -1
  for (const { key, timestamp } of all) {
    streamTime = Math.max(streamTime, timestamp)
    for (let start = 0; start <= timestamp; start += advanceMs) {
      if (start + sizeMs <= timestamp) continue
      if (start + sizeMs + graceMs <= streamTime) dropped++
      else counts.set(`${key}@${start}`, (counts.get(`${key}@${start}`) ?? 0) + 1)
    }
  }
  return { counts, dropped }
}

describe('a count within tumbling or hopping windows', () => {
  it('counts what a naive model counts, and drops what it drops, in any order of arrival', () => {
    fc.assert(
      fc.property(windows, arrivals, (each, all) => {
        const driver = testDriver(countsOf(each))
        for (const { key, timestamp } of all) driver.input(events).pipe(key, 'x', { timestamp })
        const told = new Map<string, number>()
        const output = topic('counts', { key: timeWindowed(string, each.sizeMs), value: long })
        for (const { key, value } of driver.output(output).readAll())
          told.set(`${key.key}@${key.startMs}`, value as number)
        const model = naive(each, all)
        expect(told).toEqual(model.counts)
        expect(driver.dropped().late ?? 0).toBe(model.dropped)
      }),
      { numRuns: 150 },
    )
  })

  it('gives a result the time of the latest record in the window', () => {
    const driver = testDriver(countsOf(tumbling({ size: 10, grace: 10 })))
    for (const timestamp of [7, 3, 5]) driver.input(events).pipe('a', 'x', { timestamp })
    const store = driver.store<WindowStore<string, number>>('counts')
    expect(store.fetch('a', 0)).toMatchObject({ value: 3, timestamp: 7 })
  })

  it('hands a record that came after its window to the late stream, as it was, and counts it', () => {
    const driver = testDriver(countsOf(tumbling({ size: 10, grace: 5 })))
    driver.input(events).pipe('a', 'on time', { timestamp: 15 })
    driver.input(events).pipe('a', 'just late', { timestamp: 9 })
    expect(driver.output(late).readAll()).toMatchObject([{ key: 'a', value: 'just late', timestamp: 9 }])
    expect(driver.dropped()).toEqual({ late: 1 })
  })

  it('does not call a record late that one of its windows still took, but counts the windows it missed', () => {
    const driver = testDriver(countsOf(hopping({ size: 20, advance: 10 })))
    driver.input(events).pipe('a', 'ahead', { timestamp: 28 })
    driver.input(events).pipe('a', 'between', { timestamp: 25 })
    driver.input(events).pipe('a', 'half late', { timestamp: 19 })
    expect(driver.output(late).readAll()).toEqual([])
    expect(driver.dropped()).toEqual({ late: 1 })
  })

  it('counts records without value, and drops those without key', () => {
    const driver = testDriver(countsOf(tumbling({ size: 10 })))
    driver.input(events).pipe('a', null, { timestamp: 1 })
    driver.input(events).pipe(null, 'x', { timestamp: 100 })
    driver.input(events).pipe('a', null, { timestamp: 2 })
    expect([...driver.store<WindowStore<string, number>>('counts').all()]).toMatchObject([
      [{ key: 'a', startMs: 0, endMs: 10 } satisfies Windowed<string>, { value: 2, timestamp: 2 }],
    ])
    expect(driver.dropped()).toEqual({ nullKey: 1 })
  })
})

describe('windowed results on a topic', () => {
  it('lie in the partition of the key inside, whatever the window', () => {
    const driver = testDriver(countsOf(tumbling({ size: 10 })), { partitions: 8 })
    for (const key of ['a', 'b', 'c', 'd'])
      for (let timestamp = 0; timestamp < 100; timestamp += 10)
        driver.input(events).pipe(key, 'x', { timestamp })
    const output = topic('counts', { key: timeWindowed(string, 10), value: long })
    const partitions = new Map<string, Set<number>>()
    for (const { key, partition } of driver.output(output).readAll())
      partitions.set(key.key, (partitions.get(key.key) ?? new Set()).add(partition))
    expect([...partitions.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1])
    expect(new Set([...partitions.values()].flatMap((each) => [...each])).size).toBeGreaterThan(1)
  })
})
