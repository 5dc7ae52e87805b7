import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sliding, string, topic, topology } from '../../src/index.ts'
import type { WindowStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'

const events = topic('events', { value: string })

const collected = (difference: number) =>
  topology('sliding', (builder) => {
    builder
      .stream(events)
      .groupByKey()
      .windowedBy(sliding({ difference, grace: 10_000 }))
      .aggregate({
        store: 'windows',
        value: string,
        initial: '',
        add: (all, value) => [...all.split(' ').filter((each) => each !== ''), value].toSorted().join(' '),
      })
  })

/**
 * KIP-450 said directly: a window ends with every record, one begins just after every record that another follows, and
 * each holds all records between its bounds. Windows that would begin below zero are the one that begins there.
 */
const defined = (difference: number, times: readonly number[]): Map<number, string> => {
  const starts = new Set<number>()
  for (const time of times) {
    starts.add(Math.max(0, time - difference))
    if (times.some((other) => other > time && other <= time + 1 + difference)) starts.add(time + 1)
  }
  const contents = (start: number): string =>
    times
      .filter((time) => time >= start && time <= start + difference)
      .map(String)
      .toSorted()
      .join(' ')
  return new Map([...starts].map((start) => [start, contents(start)]))
}

describe('sliding windows', () => {
  it('are all windows that distinct sets of records make, in any order of arrival', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 25 }),
        fc.uniqueArray(fc.nat(100), { maxLength: 25 }),
        (difference, times) => {
          const driver = testDriver(collected(difference))
          for (const timestamp of times) driver.input(events).pipe('k', String(timestamp), { timestamp })
          const store = driver.store<WindowStore<string, string>>('windows')
          const found = new Map([...store.all()].map(([{ startMs }, { value }]) => [startMs, value]))
          expect(found).toEqual(defined(difference, times))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('keep the records of one key from those of another', () => {
    const driver = testDriver(collected(10))
    driver.input(events).pipe('a', '20', { timestamp: 20 })
    driver.input(events).pipe('b', '22', { timestamp: 22 })
    const store = driver.store<WindowStore<string, string>>('windows')
    expect([...store.fetchRange('a', 0, 100)].map(({ value }) => value)).toEqual(['20'])
    expect([...store.fetchRange('b', 0, 100)].map(({ value }) => value)).toEqual(['22'])
  })
})
