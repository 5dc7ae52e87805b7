import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  hopping,
  long,
  session,
  sliding,
  string,
  topic,
  topology,
  tumbling,
  within,
} from '../../src/index.ts'
import type { TestDriver } from '../../src/testing/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const numbers = topic('numbers', { value: long })
const List = z.array(z.number()).max(3)

const windows = {
  tumbling: tumbling({ size: 10, grace: 100 }),
  hopping: hopping({ size: 10, advance: 3, grace: 100 }),
  sliding: sliding({ difference: 10, grace: 100 }),
  session: session({ gap: 4, grace: 100 }),
} as const
const kinds = Object.keys(windows) as (keyof typeof windows)[]

/** Lists of numbers; `failsAt` is the call of the aggregator for a negative number that throws. */
const lists = (kind: keyof typeof windows, failsAt: number, emitted: (value: unknown) => void = () => {}) => {
  let calls = 0
  return topology('lists', (builder) => {
    const options = {
      store: 'lists',
      value: List,
      initial: [],
      add: (list: readonly number[], number: number) => {
        if (number < 0 && calls++ === failsAt) throw new Error('negative')
        return [...list, number]
      },
    }
    const grouped = builder.stream(numbers).groupByKey()
    const merge = (left: readonly number[], right: readonly number[]): number[] => [...left, ...right]
    if (kind === 'session') {
      const table = grouped.windowedBy(windows.session).aggregate({ ...options, merge })
      table.toStream().forEach(({ value }) => emitted(value))
    } else {
      const windowed =
        kind === 'sliding' ? grouped.windowedBy(windows.sliding) : grouped.windowedBy(windows[kind])
      const table = windowed.aggregate(options)
      table.toStream().forEach(({ value }) => emitted(value))
    }
  })
}

const input = [
  [1, 0],
  [2, 6],
  [3, 13],
  [4, 20],
] as const

const write = (driver: TestDriver, records: readonly (readonly [number, number])[]): void => {
  for (const [value, timestamp] of records) driver.input(numbers).pipe('k', value, { timestamp })
}

/** The rows, and what the changelog holds of them at last. */
const stateOf = (driver: TestDriver): unknown => driver.rows('lists')

describe('a record that fails at one of its windows and is skipped leaves all of them as they were', () => {
  const policies = { processingFailure: 'skip' } as const

  it.each(kinds.flatMap((kind) => [0, 1, 2, 3].map((failsAt) => [kind, failsAt] as const)))(
    '%s windows, where the aggregator throws at call %i',
    (kind, failsAt) => {
      for (const timestamp of [2, 7, 10, 14, 17]) {
        using without = testDriver(lists(kind, -1))
        using driver = testDriver(lists(kind, failsAt), { policies })
        write(without, input)
        write(driver, [...input, [-1, timestamp]])
        if (driver.dropped().failed === undefined) continue
        expect(stateOf(driver)).toEqual(stateOf(without))
        write(without, [[5, 12]])
        write(driver, [[5, 12]])
        expect(stateOf(driver)).toEqual(stateOf(without))
      }
    },
  )

  it.each(kinds)('%s windows, where the store refuses the aggregate of one of them', (kind) => {
    let refusedSome = false
    for (let timestamp = 0; timestamp <= 16; timestamp++) {
      using without = testDriver(lists(kind, -1), { policies })
      using driver = testDriver(lists(kind, -1), { policies })
      const records = [...input, [6, 15], [7, 16]] as const
      write(without, records)
      const before = without.dropped().failed ?? 0
      write(driver, [...records, [-1, timestamp]])
      if ((driver.dropped().failed ?? 0) === before) continue
      refusedSome = true
      expect(stateOf(driver)).toEqual(stateOf(without))
    }
    expect(refusedSome).toBe(true)
  })

  it.each(kinds)('%s windows, and emits nothing', (kind) => {
    const emitted: unknown[] = []
    using driver = testDriver(
      lists(kind, 0, (value) => emitted.push(value)),
      { policies },
    )
    write(driver, input)
    const before = emitted.length
    write(driver, [[-1, 7]])
    expect(driver.dropped()).toEqual({ failed: 1 })
    expect(emitted).toHaveLength(before)
  })
})

it('a record whose joiner throws takes no partner from those that wait', () => {
  const left = topic('left', { value: long })
  const right = topic('right', { value: long })
  const joined = topic('joined', { value: string })
  using driver = testDriver(
    topology('waiting', (builder) => {
      builder
        .stream(left)
        .leftJoin(
          builder.stream(right),
          (one, other) => {
            if (other === 13) throw new Error('unlucky')
            return `${one} ${other}`
          },
          { name: 'pairs', windows: within(10) },
        )
        .to(joined)
    }),
    { policies: { processingFailure: 'skip' } },
  )
  driver.input(left).pipe('k', 1, { timestamp: 0 })
  driver.input(right).pipe('k', 13, { timestamp: 1 })
  driver.input(left).pipe('l', 2, { timestamp: 100 })
  expect(
    driver
      .output(joined)
      .readAll()
      .map(({ value }) => value),
  ).toEqual(['1 null'])
})

it('a joiner that throws where a record leaves without partner fails that record, and only once', () => {
  const left = topic('left', { value: string })
  const right = topic('right', { value: string })
  const out = topic('out', { value: string })
  using driver = testDriver(
    topology('leaving', (builder) => {
      const joined = builder.stream(left).leftJoin(
        builder.stream(right),
        (ours, theirs) => {
          if (ours === 'poison') throw new Error('poison')
          return `${ours}+${theirs}`
        },
        { name: 'join', windows: within(10) },
      )
      joined.to(out)
    }),
    { policies: { processingFailure: 'skip' } },
  )
  driver.input(left).pipe('k', 'poison', { timestamp: 0 })
  for (const timestamp of [100, 200, 300]) driver.input(left).pipe('k', `v${timestamp}`, { timestamp })
  expect(driver.output(out).readKeyValues()).toEqual([
    { key: 'k', value: 'v100+null' },
    { key: 'k', value: 'v200+null' },
  ])
  expect(driver.dropped()).toEqual({ failed: 1 })
})

it('a joiner that throws where a record leaves the grace of a table join fails that record, and only once', () => {
  const orders = topic('orders', { value: string })
  const prices = topic('prices', { value: string })
  const out = topic('out', { value: string })
  using driver = testDriver(
    topology('released', (builder) => {
      const table = builder.table(prices, { store: 'prices', versioned: { historyRetention: 1_000 } })
      const joined = builder.stream(orders).leftJoin(
        table,
        (order, price) => {
          if (order === 'poison') throw new Error('poison')
          return `${order}+${price}`
        },
        { name: 'join', grace: 10 },
      )
      joined.to(out)
    }),
    { policies: { processingFailure: 'skip' } },
  )
  driver.input(orders).pipe('k', 'poison', { timestamp: 0 })
  for (const timestamp of [100, 200, 300]) driver.input(orders).pipe('k', `v${timestamp}`, { timestamp })
  expect(driver.output(out).readKeyValues()).toEqual([
    { key: 'k', value: 'v100+null' },
    { key: 'k', value: 'v200+null' },
  ])
  expect(driver.dropped()).toEqual({ failed: 1 })
})
