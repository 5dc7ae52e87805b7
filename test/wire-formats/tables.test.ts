import { describe, expect, it } from 'vitest'
import type { TopologyBuilder } from '../../src/index.ts'
import { long, seconds, string, topic, topology } from '../../src/index.ts'
import type { TestDriver } from '../../src/testing/index.ts'
import { recording, replayed, rowsOn } from './recording.ts'

const input = topic('in', { value: string })
const left = topic('left', { value: string })
const right = topic('right', { value: string })
const out = topic('out', { value: string })
const counts = topic('out', { value: long })

const join = (one: string, other: string | null): string => `${one}+${other}`
const foreignKey = (value: string): string | null => value.split('|')[0] || null
const joined = { name: 'fkj', foreignKey, join, store: 'fkres', value: string }
const [grouped, byValue] = [(value: string) => value.split(':') as [string, string], (value: string) => value]

/** The topologies of the recordings, in Millrace's words. */
const topologies: Readonly<Record<string, (builder: TopologyBuilder) => void>> = {
  'foreign-key-join-inner': (builder) => {
    const rights = builder.table(right, { store: 'rst' })
    builder.table(left, { store: 'lst' }).joinForeignKey(rights, joined).toStream().to(out)
  },
  'foreign-key-join-left': (builder) => {
    const rights = builder.table(right, { store: 'rst' })
    builder.table(left, { store: 'lst' }).leftJoinForeignKey(rights, joined).toStream().to(out)
  },
  'table-groupby': (builder) => {
    const place = (value: string) => ({ key: grouped(value)[0], value: grouped(value)[1] })
    builder
      .table(input, { store: 'src' })
      .groupBy(place, { name: 'regroup' })
      .aggregate({
        store: 'agg',
        value: string,
        initial: '',
        add: (all, value) => `${all}+${value}`,
        subtract: (all, value) => `${all}-${value}`,
      })
      .toStream()
      .to(out)
  },
  'table-groupby-count': (builder) => {
    builder
      .table(input, { store: 'in-STATE-STORE-0000000000' })
      .groupBy((value, key) => ({ key: byValue(value), value: key }), { name: 'regroup', value: string })
      .count({ store: 'cnt' })
      .toStream()
      .to(counts)
  },
  'table-source': (builder) => builder.table(input, { store: 'src' }).toStream().to(out),
  'table-source-optimized': (builder) => builder.table(input, { store: 'src' }).toStream().to(out),
  'table-table-join': (builder) => {
    const rights = builder.table(right, { store: 'rst' })
    const options = { store: 'joined', value: string }
    builder.table(left, { store: 'lst' }).join(rights, join, options).toStream().to(out)
  },
  'versioned-table': (builder) => {
    const versioned = { historyRetention: seconds(10) }
    builder.table(input, { store: 'ver', versioned }).toStream().to(out)
  },
  'versioned-reduce': (builder) => {
    const versioned = { historyRetention: seconds(10) }
    const reducer = (all: string, value: string): string | null => (value === 'del' ? null : all + value)
    builder.stream(input).groupByKey().reduce(reducer, { store: 'ver', versioned }).toStream().to(out)
  },
}

const run = (name: string): TestDriver => {
  const optimise = name.endsWith('optimized')
  return replayed(name, topology('app', topologies[name] as (builder: TopologyBuilder) => void, { optimise }))
}

describe.each(Object.keys(topologies))('the bytes of %s', (name) => {
  it('are those of Kafka Streams on every topic', () => {
    const driver = run(name)
    const { topics } = recording(name)
    for (const [topicName, expected] of Object.entries(topics))
      expect(rowsOn(driver, topicName), topicName).toEqual(
        expected.map((row) => ({ ...row, afterInput: undefined })),
      )
    expect(driver.topics().filter((each) => each.startsWith('app-'))).toEqual(
      Object.keys(topics)
        .filter((each) => each !== 'out')
        .toSorted((one, two) => (one < two ? -1 : 1)),
    )
  })
})
