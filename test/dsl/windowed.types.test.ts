import { describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import type { Stream, Table, Windowed } from '../../src/index.ts'
import {
  long,
  nullable,
  session,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'

const Order = z.object({ amount: z.number() })
type Order = z.infer<typeof Order>
const orders = topic('orders', { value: Order })
const lateOrders = topic('late-orders', { value: Order })
const nulls = topic('nulls', { value: nullable(string) })
const returns = topic('returns', { value: string })

describe('types follow windows', () => {
  it('results are by windowed key', () => {
    topology('counts', (builder) => {
      const windowed = builder
        .stream(orders)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
      const counts = windowed.count({
        store: 'counts',
        dropped: { late: (records) => expectTypeOf(records).toEqualTypeOf<Stream<string, Order>>() },
      })
      expectTypeOf(counts).toEqualTypeOf<Table<Windowed<string>, number>>()
      expectTypeOf(counts.toStream()).toEqualTypeOf<Stream<Windowed<string>, number | null>>()
    })
  })

  it('an adder of windows sees null where the stream may have it', () => {
    topology('nulls', (builder) => {
      builder
        .stream(nulls)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .aggregate({
          store: 'lengths',
          value: long,
          initial: 0,
          add: (sum, value) => {
            expectTypeOf(value).toEqualTypeOf<string | null>()
            return sum + (value ?? '').length
          },
        })
    })
  })

  it('sessions need to know how two become one', () => {
    topology('sessions', (builder) => {
      const sessions = builder
        .stream(orders)
        .groupByKey()
        .windowedBy(session({ gap: 10 }))
      expect(() =>
        // @ts-expect-error an aggregate of sessions has a `merge`
        sessions.aggregate({ store: 'a', value: long, initial: 0, add: (sum, { amount }) => sum + amount }),
      ).toThrow(/merge/)
      sessions.aggregate({
        store: 'b',
        value: long,
        initial: 0,
        add: (sum, { amount }) => sum + amount,
        merge: (left, right) => left + right,
      })
    })
  })

  it('only windowed results can wait for their window', () => {
    topology('suppress', (builder) => {
      const grouped = builder.stream(orders).groupByKey()
      const counts = grouped.count({ store: 'counts' })
      const windowed = grouped.windowedBy(tumbling({ size: 10 })).count({ store: 'windowed' })
      windowed.suppress(untilWindowCloses(), { store: 'final' })
      windowed.suppress(untilTimeLimit({ limit: 1 }), { store: 'calm-windows' })
      counts.suppress(untilTimeLimit({ limit: 1 }), { store: 'calm' })
    })
    const build = (): unknown =>
      topology('never', (builder) => {
        const counts = builder.stream(orders).groupByKey().count({ store: 'counts' })
        // @ts-expect-error a plain count has no window that could close
        counts.suppress(untilWindowCloses(), { store: 'never' })
      })
    expect(build).toThrow(/table it follows has no windows/)
  })

  it('only windowed aggregates tell their results when a window closes', () => {
    const build = (): unknown =>
      topology('emit', (builder) => {
        const grouped = builder.stream(orders).groupByKey()
        grouped.windowedBy(tumbling({ size: 10 })).count({ store: 'windowed', emit: 'onWindowClose' })
        // @ts-expect-error there is no window
        grouped.count({ store: 'plain', emit: 'onWindowClose' })
      })
    expect(build).toThrow(/may be onUpdate, onCommit/)
  })

  it('streams of one cogroup share their key, and each adder sees its own values', () => {
    topology('cogroup', (builder) => {
      const table = builder
        .stream(orders)
        .groupByKey()
        .cogroup<number>((sum, { amount }) => sum + amount)
        .cogroup(builder.stream(returns).groupByKey(), (sum, value) => {
          expectTypeOf(value).toEqualTypeOf<string>()
          return sum - 1
        })
        .aggregate({ store: 'balance', value: long, initial: 0 })
      expectTypeOf(table).toEqualTypeOf<Table<string, number>>()
      const byNumber = topic('by-number', { key: long, value: string })
      const orderGroups = builder
        .stream(orders)
        .groupByKey()
        .cogroup<number>((sum) => sum + 1)
      // @ts-expect-error the keys are of different types
      orderGroups.cogroup(builder.stream(byNumber).groupByKey(), (sum) => sum)
    })
  })

  it('late records go where records of the stream may go', () => {
    topology('late', (builder) => {
      builder
        .stream(orders)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .count({
          store: 'counts',
          dropped: {
            late: (records) => {
              records.to(lateOrders)
              // @ts-expect-error the topic takes text
              records.to(returns)
            },
          },
        })
    })
  })
})
