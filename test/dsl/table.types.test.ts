import { describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import type { Table } from '../../src/index.ts'
import { integer, long, string, topic, topology } from '../../src/index.ts'
import type { GroupedTable } from '../../src/dsl/grouped-table.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })
type Order = z.infer<typeof Order>

const orders = topic('orders', { value: Order })
const customers = topic('customers', { value: string })
const byNumber = topic('by-number', { key: integer, value: string })
const amounts = topic('amounts', { value: long })

describe('types follow a chain of tables', () => {
  it('a join gives the joiner both values, with null for a side that may be missing', () => {
    topology('join', (builder) => {
      const left = builder.table(orders, { store: 'orders' })
      const right = builder.table(customers, { store: 'customers' })
      const inner = left.join(right, (order, customer, key) => {
        expectTypeOf(order).toEqualTypeOf<Order>()
        expectTypeOf(customer).toEqualTypeOf<string>()
        expectTypeOf(key).toEqualTypeOf<string>()
        return order.amount
      })
      expectTypeOf(inner).toEqualTypeOf<Table<string, number>>()
      left.leftJoin(right, (order, customer) => {
        expectTypeOf(order).toEqualTypeOf<Order>()
        expectTypeOf(customer).toEqualTypeOf<string | null>()
        return 1
      })
      left.outerJoin(right, (order, customer) => {
        expectTypeOf(order).toEqualTypeOf<Order | null>()
        expectTypeOf(customer).toEqualTypeOf<string | null>()
        return 1
      })
    })
  })

  it('a joiner may give null, which is a deleted row', () => {
    topology('null', (builder) => {
      const table = builder.table(orders, { store: 'orders' })
      const joined = table.join(builder.table(customers, { store: 'customers' }), (_, name) => name || null)
      expectTypeOf(joined).toEqualTypeOf<Table<string, string>>()
    })
  })

  it('refuses to join tables whose keys differ in type', () => {
    topology('refused', (builder) => {
      const left = builder.table(orders, { store: 'orders' })
      const right = builder.table(byNumber, { store: 'by-number' })
      // @ts-expect-error -- one is keyed by text, the other by numbers
      left.join(right, () => 1)
      // @ts-expect-error -- one is keyed by text, the other by numbers
      left.outerJoin(right, () => 1)
    })
  })

  it('a foreign key is of the type of the other table’s keys', () => {
    topology('foreign', (builder) => {
      const left = builder.table(orders, { store: 'orders' })
      const right = builder.table(customers, { store: 'customers' })
      const joined = left.leftJoinForeignKey(right, {
        name: 'with-customer',
        foreignKey: ({ customer }) => customer,
        join: (order, customer) => {
          expectTypeOf(customer).toEqualTypeOf<string | null>()
          return `${order.amount} ${customer}`
        },
      })
      expectTypeOf(joined).toEqualTypeOf<Table<string, string>>()
      left.joinForeignKey(right, {
        name: 'wrong',
        // @ts-expect-error -- customers are keyed by text
        foreignKey: ({ amount }) => amount,
        join: () => 'x',
      })
    })
  })

  it('a group has the new key and the grouped value; a key that is no text needs its serde', () => {
    topology('group', (builder) => {
      const table = builder.table(orders, { store: 'orders' })
      const grouped = table.groupBy(({ customer, amount }) => ({ key: customer, value: amount }), {
        name: 'by-customer',
        value: long,
      })
      expectTypeOf(grouped).toEqualTypeOf<GroupedTable<string, number>>()
      const sum = (aggregate: number, value: number): number => aggregate + value
      const total = grouped.reduce({
        store: 'total',
        add: sum,
        subtract: (aggregate, value) => aggregate - value,
      })
      total.toStream().to(amounts)
      // @ts-expect-error -- a reduce without subtractor forgets nothing
      expect(() => grouped.reduce({ store: 'forgets-nothing', add: sum })).toThrow(/subtract/)
      // @ts-expect-error -- numbers are no text
      table.groupBy(({ amount }) => ({ key: amount, value: 'x' }), { name: 'by-amount', value: string })
      table.groupBy(({ amount }) => ({ key: amount, value: 'x' }), {
        name: 'amounts',
        key: long,
        value: string,
      })
    })
  })

  it('a store needs its name', () => {
    topology('names', (builder) => {
      // @ts-expect-error -- a table is kept, so its store has a name
      const unnamed = () => builder.table(orders, {})
      expectTypeOf(unnamed).toBeFunction()
    })
  })
})
