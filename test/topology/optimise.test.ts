import { describe, expect, it } from 'vitest'
import type { Stream, Topology } from '../../src/index.ts'
import { long, string, topic, topology, within } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const customers = topic('customers', { value: string })
const prices = topic('prices', { value: string })
const orders = topic('orders', { value: string })
const byLength = topic('by-length', { value: long })
const byValue = topic('by-value', { value: string })

const build = (optimise: boolean): Topology =>
  topology(
    'app',
    (builder) => {
      builder.table(customers, { store: 'customers' }).toStream().to(byValue)
      builder.table(prices, { store: 'prices', versioned: { historyRetention: 10 } })
      const rekeyed = builder.stream(orders).selectKey(({ value }) => value)
      rekeyed.groupByKey({ name: 'counted' }).count({ store: 'counts' }).toStream().to(byLength)
      const grouped = rekeyed.groupByKey({ name: 'reduced' })
      grouped
        .reduce((one, two) => one + two, { store: 'joined' })
        .toStream()
        .to(byValue)
    },
    { optimise },
  )

const run = (app: Topology): { readonly topics: readonly string[]; readonly outputs: unknown } => {
  const driver = testDriver(app)
  for (const value of ['x', 'y', 'x'])
    for (const input of [customers, orders]) driver.input(input).pipe('k', value, { timestamp: 1 })
  const outputs = [driver.output(byLength).readAll(), driver.output(byValue).readAll()]
  return { topics: driver.topics().filter((name) => name.startsWith('app-')), outputs }
}

describe('an optimised topology', () => {
  it('has the outputs of the plain one', () => {
    expect(run(build(true)).outputs).toEqual(run(build(false)).outputs)
  })

  it('uses a table’s source as its changelog, and one repartition where two are equal', () => {
    expect(run(build(false)).topics).toEqual([
      'app-counted-repartition',
      'app-counts-changelog',
      'app-customers-changelog',
      'app-joined-changelog',
      'app-reduced-repartition',
    ])
    expect(run(build(true)).topics).toEqual([
      'app-counted-repartition',
      'app-counts-changelog',
      'app-joined-changelog',
    ])
  })

  it('uses the source topic of a versioned table as its changelog too, as Kafka Streams does', () => {
    const changelogs = Object.fromEntries(
      build(true).stores.map(({ name, changelogTopic }) => [name, changelogTopic]),
    )
    expect(changelogs).toMatchObject({ customers: 'customers', prices: 'prices' })
  })
})

describe('repartitions behind one change of the key', () => {
  const behind = (between: (rekeyed: Stream<string, string>) => Stream<string, string>): Topology =>
    topology(
      'app',
      (builder) => {
        const rekeyed = builder.stream(orders).selectKey(({ value }) => value, { key: string })
        rekeyed.groupByKey({ name: 'first' }).count({ store: 'counts' })
        between(rekeyed).groupByKey({ name: 'second' }).count({ store: 'others' })
      },
      { optimise: true },
    )
  const repartitionsOf = ({ nodes }: Topology): readonly string[] =>
    nodes.filter(({ kind }) => kind === 'repartition').map(({ name }) => name)
  const one = repartitionsOf(behind((rekeyed) => rekeyed))
  const two = ['first-repartition', 'second-repartition']

  it('are one where both stand directly behind it', () => {
    expect(one).toEqual(two.slice(0, 1))
  })

  it.each<[string, Parameters<typeof behind>[0]]>([
    ['filter, which Kafka Streams moves them above', (rekeyed) => rekeyed.filter(() => true)],
    ['peek, which Kafka Streams moves them above', (rekeyed) => rekeyed.peek(() => {})],
    ['mapValues, as in Kafka Streams', (rekeyed) => rekeyed.mapValues((text) => text, { value: string })],
  ])('are two where a further step stands between: %s', (_step, between) => {
    expect(repartitionsOf(behind(between))).toEqual(two)
  })
})

describe('a stream that is joined with itself', () => {
  const joined = (optimise: boolean): Topology =>
    topology(
      'self',
      (builder) => {
        const stream = builder.stream(orders)
        stream
          .join(stream, (left, right) => left + right, { name: 'j', windows: within(5), value: string })
          .to(byValue)
      },
      { optimise },
    )

  it('is refused under optimise, where Kafka Streams has other results', () => {
    expect(() => joined(true)).toThrow(/'j' joins a stream with itself/)
    expect(joined(false).stores).toHaveLength(2)
  })

  it('is refused after a change of its key, too', () => {
    const rekeyed = (): Topology =>
      topology(
        'self',
        (builder) => {
          const stream = builder.stream(orders).selectKey(({ value }) => value, { key: string })
          stream
            .join(stream, (left, right) => left + right, { name: 'j', windows: within(5), value: string })
            .to(byValue)
        },
        { optimise: true },
      )
    expect(rekeyed).toThrow(/'j' joins a stream with itself/)
  })
})
