import { describe, expectTypeOf, it } from 'vitest'
import type { Stream } from '../../src/index.ts'
import { long, nullable, string, topic, topology, within } from '../../src/index.ts'

const orders = topic('orders', { value: string })
const payments = topic('payments', { value: long })
const customers = topic('customers', { value: long })
const numbered = topic('numbered', { key: long, value: string })
const maybe = topic('maybe', { key: nullable(string), value: nullable(string) })
const options = { name: 'pairs', windows: within(10) }

describe('types of joins', () => {
  it('give the joiner what each kind of join can find', () => {
    topology('joiners', (builder) => {
      const left = builder.stream(orders)
      const right = builder.stream(payments)
      const table = builder.table(customers, { store: 'customers' })
      const inner = left.join(
        right,
        (one, other, key) => {
          expectTypeOf([one, other, key] as const).toEqualTypeOf<readonly [string, number, string]>()
          return { one, other }
        },
        options,
      )
      expectTypeOf(inner).toEqualTypeOf<Stream<string, { one: string; other: number }>>()
      left.leftJoin(
        right,
        (one, other) => expectTypeOf([one, other] as const).toEqualTypeOf<readonly [string, number | null]>(),
        { ...options, name: 'left' },
      )
      left.outerJoin(
        right,
        (one, other) =>
          expectTypeOf([one, other] as const).toEqualTypeOf<readonly [string | null, number | null]>(),
        { ...options, name: 'outer' },
      )
      left.join(table, (one, row) =>
        expectTypeOf([one, row] as const).toEqualTypeOf<readonly [string, number]>(),
      )
      left.leftJoin(table, (one, row) =>
        expectTypeOf([one, row] as const).toEqualTypeOf<readonly [string, number | null]>(),
      )
    })
  })

  it('of null keys: an inner join has none left, a left join may', () => {
    topology('nulls', (builder) => {
      const stream = builder.stream(maybe)
      const table = builder.table(customers, { store: 'customers' })
      const inner = stream.join(table, (value) => value)
      const left = stream.leftJoin(table, (value) => value)
      expectTypeOf(inner).toEqualTypeOf<Stream<string, string>>()
      expectTypeOf(left).toEqualTypeOf<Stream<string | null, string>>()
    })
  })

  it('refuse two streams of different keys', () => {
    const refused = () =>
      topology('streams', (builder) => {
        // @ts-expect-error -- text keys never equal numbers
        builder.stream(orders).join(builder.stream(numbered), (one: string) => one, options)
        // @ts-expect-error -- text keys never equal numbers
        builder.stream(orders).leftJoin(builder.stream(numbered), (one: string) => one, options)
        // @ts-expect-error -- text keys never equal numbers
        builder.stream(orders).outerJoin(builder.stream(numbered), () => 1, options)
      })
    expectTypeOf(refused).toBeFunction()
  })

  it('refuse a stream and a table of different keys', () => {
    const refused = () =>
      topology('tables', (builder) => {
        const table = builder.table(numbered, { store: 'numbered' })
        // @ts-expect-error -- text keys never equal numbers
        builder.stream(orders).join(table, (one: string) => one)
        // @ts-expect-error -- text keys never equal numbers
        builder.stream(orders).leftJoin(table, (one: string) => one)
        builder
          .stream(orders)
          .selectKey(({ key }) => key.length, { key: long })
          .join(table, (one) => one, { name: 'n' })
      })
    expectTypeOf(refused).toBeFunction()
  })

  it('ask for a look-up of the key of a global table', () => {
    const said = () =>
      topology('globals', (builder) => {
        const table = builder.globalTable(numbered, { store: 'numbered' })
        const joined = builder.stream(orders).join(
          table,
          ({ value }) => value.length,
          (one, row) => one + row,
        )
        expectTypeOf(joined).toEqualTypeOf<Stream<string, string>>()
        const byText = ({ value }: { value: string }): string => value
        // @ts-expect-error -- the table's keys are numbers
        builder.stream(orders).join(table, byText, (one: string) => one)
        // @ts-expect-error -- a global table needs a look-up
        builder.stream(orders).join(table, (one: string) => one)
      })
    expectTypeOf(said).toBeFunction()
  })

  it('ask for windows and a name where two streams are joined', () => {
    const refused = () =>
      topology('unnamed', (builder) => {
        // @ts-expect-error -- stores need a name
        builder.stream(orders).join(builder.stream(payments), (one: string) => one, { windows: within(1) })
        // @ts-expect-error -- streams are joined within a window
        builder.stream(orders).join(builder.stream(payments), (one: string) => one, { name: 'n' })
      })
    expectTypeOf(refused).toBeFunction()
  })
})
