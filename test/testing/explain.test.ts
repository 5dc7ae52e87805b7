import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { hours, long, otherwise, string, topic, topology, tumbling } from '../../src/index.ts'
import { sagaTopology } from '../../src/saga/saga-topology.ts'
import { hotelBooked, trip, tripRequested } from '../saga/trip.ts'
import { testDriver } from '../../src/testing/index.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })
const orders = topic('orders', { value: Order })
const large = topic('large', { value: Order })
const counts = topic('counts', { value: long })
const customers = topic('customers', { value: string })
const lateOrders = topic('late-orders', { value: Order })

const branching = topology('branching', (builder) => {
  builder
    .stream(orders, { name: 'orders' })
    .filter(({ value }) => value.amount > 0, { name: 'real' })
    .split(
      { large: ({ value }) => value.amount >= 100, small: otherwise },
      (branches) => {
        branches.large.to(large, { name: 'to-large' })
        branches.small
          .groupBy(({ value }) => value.customer, { name: 'by-customer' })
          .count({ store: 'small-orders', name: 'count' })
          .toStream({ name: 'as-stream' })
          .to(counts, { name: 'to-counts' })
      },
      { name: 'size' },
    )
})

const order = (amount: number, customer = 'ada') => ({ customer, amount })

describe('explain', () => {
  it('follows a record through branches, stores and repartition topics', () => {
    using driver = testDriver(branching, { partitions: 2 })
    const explanation = driver.explain(() => {
      driver.input(orders).pipe('1', order(7))
      driver.input(orders).pipe('2', order(250), { timestamp: 5 })
    })
    expect(String(explanation)).toBe(
      [
        'orders-1@0  "1": {"customer":"ada","amount":7}  at 0',
        '└─ orders  [branching 0_1]',
        '   └─ real',
        '      └─ size',
        '         └─ size-small',
        '            └─ selectKey-0006',
        '               └─ → "ada": {"customer":"ada","amount":7}  at 0',
        '                  └─ by-customer-repartition',
        '                     └─ ⇒ branching-by-customer-repartition-1@0  "ada": {"customer":"ada","amount":7}  at 0',
        '                        └─ by-customer-repartition  [branching 1_1]',
        '                           └─ count',
        '                              ├─ store small-orders: "ada" = 1',
        '                              └─ → "ada": 1  at 0',
        '                                 └─ as-stream',
        '                                    └─ to-counts',
        '                                       └─ ⇒ counts-1@0  "ada": 1  at 0',
        'orders-0@0  "2": {"customer":"ada","amount":250}  at 5',
        '└─ orders  [branching 0_0]',
        '   └─ real',
        '      └─ size',
        '         └─ size-large',
        '            └─ to-large',
        '               └─ ⇒ large-0@0  "2": {"customer":"ada","amount":250}  at 5',
      ].join('\n'),
    )
  })

  it('shows the commands of a saga as the serde of their topic reads them', () => {
    const driver = testDriver(sagaTopology(trip))
    const explanation = driver.explain(() => driver.input(tripRequested).pipe('trip-1', { guest: 'Ada' }))
    expect(explanation.at('trip-book-hotel')).not.toEqual([])
    expect(String(explanation)).toMatch(/book-hotel.*guest.*Ada/)
    const reply = driver.explain(() => driver.input(hotelBooked).pipe('trip-1', { note: 'room 7' }))
    expect(String(reply)).toMatch(/book-flight.*guest.*Ada/)
  })

  it('goes on into the topologies that read what the first has written', () => {
    const follow = topology('follow', (builder) => {
      builder.stream(large).groupByKey().count({ store: 'large-orders', name: 'large-count' })
    })
    const driver = testDriver([branching, follow])
    const explanation = driver.explain(() => driver.input(orders).pipe('1', order(250)))
    expect(explanation.at('large-count')).toMatchObject([
      { topology: 'follow', task: '0_0', events: [{ kind: 'stored', store: 'large-orders', value: 1 }, {}] },
    ])
  })

  it('says why a node keeps a record to itself', () => {
    const driver = testDriver(
      topology('silent', (builder) => {
        const source = builder.stream(orders)
        source.filter(() => false, { name: 'none' })
        source.split({ huge: ({ value }) => value.amount > 1_000 }, undefined, { name: 'size' })
        source.join(builder.table(customers, { store: 'customers' }), (left) => left, {
          name: 'with-customer',
        })
        source.groupByKey().count({ store: 'held', emit: 'onCommit' })
      }),
      { commit: 'manual' },
    )
    const text = String(driver.explain(() => driver.input(orders).pipe('1', order(1))))
    expect(text).toContain('├─ none\n   │  └─ ✗ filter does not let it pass')
    expect(text).toContain('✗ no branch takes it')
    expect(text).toContain('✗ joins nothing')
    expect(text).toContain('… buffered until the next commit')
  })

  it('shows what was held back when it is told, as a later turn', () => {
    const driver = testDriver(
      topology('held', (builder) => {
        builder.stream(orders).groupByKey().count({ store: 'held', emit: 'onCommit' }).toStream().to(counts)
      }),
      { commit: 'manual' },
    )
    driver.input(orders).pipe('1', order(1))
    expect(String(driver.explain(() => driver.commit()))).toMatch(
      /^count-0001, in a later turn {2}\[held 0_0\]\n└─ → "1": 1 {2}at 0\n/,
    )
  })

  it('names the reason of a drop and follows the record into its side output', () => {
    const driver = testDriver(
      topology('windows', (builder) => {
        builder
          .stream(orders)
          .groupByKey()
          .windowedBy(tumbling({ size: hours(1) }))
          .count({ store: 'hourly', name: 'hourly', dropped: { late: (records) => records.to(lateOrders) } })
      }),
    )
    driver.input(orders).pipe('1', order(1), { timestamp: hours(2) })
    const explanation = driver.explain(() => driver.input(orders).pipe('1', order(1), { timestamp: 1 }))
    expect(String(explanation)).toContain('✗ dropped, late: its windows had closed when it came')
    expect(explanation.at('hourly-late')).toHaveLength(1)
    expect(String(explanation)).toContain('⇒ late-orders-0@0')
  })

  it('holds a failure at the node where it happened, instead of throwing it', () => {
    const driver = testDriver(branching)
    const explanation = driver.explain(() =>
      driver.input(orders).pipeBytes(new Uint8Array([49]), new Uint8Array([1])),
    )
    expect(explanation.failure).toMatchObject({ code: 'JSON_INVALID' })
    expect(explanation.at('real')).toMatchObject([{ events: [{ kind: 'failed' }] }])
    expect(String(explanation)).toContain('0x31: 0x01')
  })

  it('throws what is not the fault of a record', () => {
    const driver = testDriver(branching)
    expect(() =>
      driver.explain(() => {
        throw new RangeError('mine')
      }),
    ).toThrow('mine')
    expect(driver.explain(() => {}).steps).toEqual([])
  })

  it('waits for asynchronous work and puts its result under the record it came from', async () => {
    const driver = testDriver(
      topology('async', (builder) => {
        builder
          .stream(orders)
          .mapValuesAsync(async ({ amount }) => Promise.resolve(amount), { name: 'price', value: long })
          .to(counts)
      }),
    )
    const explanation = await driver.explain(async () => {
      driver.input(orders).pipe('1', order(3))
      await driver.settled()
    })
    const text = String(explanation)
    expect(text).toContain('… its result comes in a later turn')
    expect(text).toMatch(/\n└─ price, in a later turn {2}\[async 0_0\]\n {3}└─ → "1": 3/)
  })

  it('shows a named child that a processor forwards to', () => {
    const driver = testDriver(
      topology('named-child', (builder) => {
        const forked = builder
          .stream(orders)
          .process<string, { customer: string; amount: number }>(
            (context) => ({ process: (record) => context.forward(record, 'left') }),
            { name: 'fork', value: Order },
          )
        forked.peek(() => {}, { name: 'left' })
        forked.peek(() => {}, { name: 'right' })
      }),
    )
    const explanation = driver.explain(() => driver.input(orders).pipe('1', order(1)))
    expect(explanation.at('left')).toHaveLength(1)
    expect(explanation.at('right')).toEqual([])
  })

  it('costs nothing outside: the next record is not part of it', () => {
    const driver = testDriver(branching)
    const explanation = driver.explain(() => driver.input(orders).pipe('1', order(1)))
    const before = explanation.steps.length
    driver.input(orders).pipe('2', order(2))
    expect(explanation.steps).toHaveLength(before)
    expect(driver.output(counts).readKeyValues()).toEqual([
      { key: 'ada', value: 1 },
      { key: 'ada', value: 2 },
    ])
  })
})

it('explains work that returns a value which is no promise', () => {
  const texts = topic('texts', { value: string })
  const plan = topology('texts', (builder) => void builder.stream(texts))
  using driver = testDriver(plan)
  const work: () => void = () => 5
  expect(String(driver.explain(work))).toBeTypeOf('string')
})
