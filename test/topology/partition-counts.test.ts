import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { partitionCountsOf } from '../../src/topology/partition-counts.ts'

const orders = topic('orders', { value: string })
const customers = topic('customers', { value: string })
const out = topic('out', { value: string })
const counts = (of: Readonly<Record<string, number>>) => (name: string) => of[name] ?? 1

const joinAfterRekeying = topology('join', (builder) => {
  const table = builder.table(customers, { store: 'customers' })
  const byCustomer = builder.stream(orders).selectKey(({ value }) => value)
  byCustomer
    .join(table, (order, customer) => `${order} ${customer}`, { name: 'by-customer', left: string })
    .to(out)
})

describe('partition counts', () => {
  it('of a repartition are those of the largest input above it', () => {
    const counted = topology('count', (builder) => {
      const stream = builder.stream([orders, customers]).groupBy(({ value }) => value, { name: 'by-value' })
      stream.count({ store: 'counts' })
    })
    const { tasks, repartitions } = partitionCountsOf(counted, counts({ orders: 4, customers: 6 }))
    expect([...repartitions]).toEqual([['by-value-repartition', 6]])
    expect(tasks).toEqual([6, 6])
  })

  it('of a repartition that is joined with a topic of the world are those of that topic', () => {
    const { repartitions } = partitionCountsOf(joinAfterRekeying, counts({ orders: 8, customers: 3 }))
    expect([...repartitions.values()]).toEqual([3])
  })

  it('of the topics of a foreign-key join are those of the table they lead to', () => {
    const joined = topology('fk', (builder) => {
      const left = builder.table(orders, { store: 'orders' })
      const right = builder.table(customers, { store: 'customers' })
      left.joinForeignKey(right, { name: 'fk', foreignKey: (value) => value, join: (one, two) => one + two })
    })
    expect(
      Object.fromEntries(partitionCountsOf(joined, counts({ orders: 2, customers: 5 })).repartitions),
    ).toEqual({
      'fk-subscription-registration-topic': 5,
      'fk-subscription-response-topic': 2,
    })
  })

  it('of topics that are joined as they are must be equal', () => {
    const joined = topology('mismatch', (builder) => {
      const left = builder.table(orders, { store: 'orders' })
      left.join(builder.table(customers, { store: 'customers' }), (one, two) => one + two, { name: 'joined' })
    })
    expect(() => partitionCountsOf(joined, counts({ orders: 2, customers: 5 }))).toThrow(
      'orders has 2, customers has 5 (node joined)',
    )
    expect(partitionCountsOf(joined, counts({ orders: 5, customers: 5 })).tasks).toEqual([5])
  })
})
