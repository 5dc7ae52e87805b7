import { describe, expect, it } from 'vitest'
import type { Stream } from '../../src/index.ts'
import { long, nullable, string, topic, topology, tumbling } from '../../src/index.ts'
import type { TimestampedKeyValueStore, WindowStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'
import { subTopologiesOf } from '../../src/topology/sub-topologies.ts'

const deposits = topic('deposits', { key: nullable(string), value: nullable(long) })
const withdrawals = topic('withdrawals', { key: nullable(string), value: nullable(long) })
const unknown = topic('unknown', { key: nullable(string), value: nullable(long) })

const balances = topology('balances', (builder) => {
  const dropped = { nullKey: (records: Stream<string | null, number | null>) => records.to(unknown) }
  builder
    .stream(deposits)
    .groupByKey()
    .cogroup<number>((sum, amount) => sum + amount, { dropped })
    .cogroup(builder.stream(withdrawals).groupByKey(), (sum, amount) => sum - amount, { dropped })
    .aggregate({ store: 'balances', value: long, initial: 0 })
})

describe('a cogroup', () => {
  it('folds several streams into one aggregate, each by its own function, in one task', () => {
    const driver = testDriver(balances)
    driver.input(deposits).pipe('ann', 10)
    driver.input(withdrawals).pipe('ann', 3)
    driver.input(withdrawals).pipe('bob', 1)
    const store = driver.store<TimestampedKeyValueStore<string, number>>('balances')
    expect([...store.all()].map(([key, { value }]) => [key, value])).toEqual([
      ['ann', 7],
      ['bob', -1],
    ])
    expect(subTopologiesOf(balances)).toHaveLength(1)
  })

  it('hands what any of its streams cannot place to the side output', () => {
    const driver = testDriver(balances)
    driver.input(deposits).pipe(null, 1)
    driver.input(withdrawals).pipe(null, 2)
    driver.input(withdrawals).pipe('ann', null)
    expect(driver.output(unknown).readKeyValues()).toEqual([
      { key: null, value: 1 },
      { key: null, value: 2 },
    ])
    expect(driver.dropped()).toEqual({ nullKey: 2, nullValue: 1 })
  })

  it('within windows each stream has a time of its own: one does not make the other late', () => {
    const driver = testDriver(
      topology('windowed', (builder) => {
        builder
          .stream(deposits)
          .groupByKey()
          .cogroup<number>((sum, amount) => sum + amount)
          .cogroup(builder.stream(withdrawals).groupByKey(), (sum, amount) => sum - amount)
          .windowedBy(tumbling({ size: 10, grace: 5 }))
          .aggregate({ store: 'sums', value: long, initial: 0, retention: 1000 })
      }),
    )
    driver.input(deposits).pipe('ann', 10, { timestamp: 100 })
    driver.input(withdrawals).pipe('ann', 3, { timestamp: 1 })
    driver.input(deposits).pipe('ann', 5, { timestamp: 2 })
    expect(driver.dropped()).toEqual({ late: 1 })
    const store = driver.store<WindowStore<string, number>>('sums')
    expect([...store.all()].map(([{ startMs }, { value }]) => [startMs, value])).toEqual([
      [0, -3],
      [100, 10],
    ])
  })
})
