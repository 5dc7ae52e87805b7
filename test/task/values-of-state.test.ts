import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { KeyValueStore } from '../../src/index.ts'
import { keyValueStore, long, minutes, string, topic, topology, tumbling } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const sales = topic('sales', { value: long })
const grand = topic('grand', { value: long })
const Total = z.object({ n: z.number().max(100) })
const Items = z.object({ items: z.array(z.number()) })

describe('the values of state', () => {
  it('give an aggregator that adds in place its own copy, and old values stay what they were', () => {
    using driver = testDriver(
      topology('totals', (builder) =>
        builder
          .stream(sales)
          .groupByKey()
          .aggregate({
            store: 'totals',
            value: Total,
            initial: { n: 0 },
            add: (total, value) => {
              total.n += value
              return total
            },
          })
          .groupBy(({ n }) => ({ key: 'all', value: n }), { name: 'all', value: long })
          .reduce({ store: 'grand', add: (sum, n) => sum + n, subtract: (sum, n) => sum - n })
          .toStream()
          .to(grand),
      ),
    )
    for (const [key, value] of [
      ['x', 5],
      ['x', 7],
      ['y', 1],
    ] as const)
      driver.input(sales).pipe(key, value)
    expect(driver.output(grand).readKeyValues().at(-1)?.value).toBe(13)
  })

  it.each(['aggregate', 'windows'])(
    'keep nothing of a record that failed half-way and was skipped: %s',
    (kind) => {
      const options = {
        store: 'boxes',
        value: Items,
        initial: { items: [] as number[] },
        add: (box: z.infer<typeof Items>, value: number) => {
          box.items.push(value)
          if (value === 13) throw new Error('unlucky')
          return box
        },
      }
      using driver = testDriver(
        topology('boxes', (builder) => {
          const grouped = builder.stream(sales).groupByKey()
          if (kind === 'aggregate') grouped.aggregate(options)
          else grouped.windowedBy(tumbling({ size: minutes(1) })).aggregate(options)
        }),
        { policies: { processingFailure: 'skip' } },
      )
      for (const value of [1, 13, 2]) driver.input(sales).pipe('k', value)
      driver.input(sales).pipe('l', 3)
      expect(driver.rows('boxes').map(([, value]) => value)).toEqual([{ items: [1, 2] }, { items: [3] }])
      expect(driver.dropped()).toEqual({ failed: 1 })
    },
  )

  it('that cannot be written are the failure of their record, and the row keeps its last good value', () => {
    using driver = testDriver(
      topology(
        'capped',
        (builder) =>
          void builder
            .stream(sales)
            .groupByKey()
            .aggregate({
              store: 'capped',
              value: Total,
              initial: { n: 0 },
              add: ({ n }, value) => ({ n: n + value }),
            }),
      ),
      { policies: { processingFailure: 'deadLetter' } },
    )
    for (const value of [90, 50, 1]) driver.input(sales).pipe('k', value)
    expect(driver.rows('capped')).toEqual([['k', { n: 91 }]])
    const dead = driver.output(topic('dead-letters', { value: long })).readAll()
    expect(dead.map(({ key, value }) => [key, value])).toEqual([['k', 50]])
  })

  it('are frozen where a processor reads them', () => {
    const boxes = keyValueStore('boxes', { key: string, value: Items })
    using driver = testDriver(
      topology('reader', (builder) => {
        builder.store(boxes)
        builder.stream(sales).process(
          (context) => ({
            process: ({ key, value, timestamp }) => {
              const store = context.store<KeyValueStore<string, z.infer<typeof Items>>>('boxes')
              const box = store.get(key)
              if (box === null) store.put(key, { items: [value] }, timestamp)
              else box.items.push(value)
            },
          }),
          { stores: ['boxes'] },
        )
      }),
      { policies: { processingFailure: 'skip' } },
    )
    for (const value of [1, 2]) driver.input(sales).pipe('k', value)
    expect(driver.rows('boxes')).toEqual([['k', { items: [1] }]])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })
})
