import { describe, expect, it } from 'vitest'
import type { TopologyBuilder } from '../../src/index.ts'
import {
  hopping,
  long,
  nullable,
  session,
  sessionWindowed,
  sliding,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import { recording, replayed, rowsOn } from './recording.ts'

const input = topic('in', { key: nullable(string), value: nullable(string) })
const out = topic('out', { key: nullable(string), value: string })
const counts = topic('out', { value: long })
const windowCounts = topic('out', { key: timeWindowed(string, 1000), value: long })

const concatenated = (all: string, value: string): string | null => (value === 'del' ? null : all + value)
/** A generated name is a name like any other: an application that has one keeps it by saying it. */
const generated = 'KSTREAM-AGGREGATE-STATE-STORE-0000000002'

/** The topologies of the recordings, in Millrace's words. */
const topologies: Readonly<Record<string, (builder: TopologyBuilder) => void>> = {
  'kv-count': (builder) =>
    builder.stream(input).groupByKey().count({ store: 'counts' }).toStream().to(counts),
  'kv-count-groupby': (builder) =>
    builder
      .stream(input)
      .groupBy(({ value }) => value, { name: 'byvalue' })
      .count({ store: 'counts' })
      .toStream()
      .to(counts),
  'kv-default-names': (builder) =>
    builder
      .stream(input)
      .selectKey(({ value }) => value)
      .groupByKey({ name: generated, key: string })
      .count({ store: generated })
      .toStream()
      .to(counts),
  'reduce-tombstone': (builder) =>
    builder
      .stream(topic('in', { value: string }))
      .groupByKey()
      .reduce(concatenated, { store: 'red', emit: 'onCommit' })
      .toStream()
      .to(out),
  'window-tumbling': (builder) =>
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(tumbling({ size: 1000, grace: 500 }))
      .count({ store: 'win' })
      .toStream()
      .to(windowCounts),
  'window-hopping': (builder) =>
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(hopping({ size: 1000, advance: 400 }))
      .count({ store: 'hop' })
      .toStream()
      .to(windowCounts),
  'window-sliding': (builder) =>
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(sliding({ difference: 1000, grace: 2000 }))
      .count({ store: 'slide' })
      .toStream()
      .to(windowCounts),
  'window-reduce-tombstone': (builder) =>
    builder
      .stream(topic('in', { value: string }))
      .groupByKey()
      .windowedBy(tumbling({ size: 1000 }))
      .reduce(concatenated, { store: 'wred' })
      .toStream()
      .to(topic('out', { key: timeWindowed(string, 1000), value: string })),
  session: (builder) =>
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(session({ gap: 500, grace: 1000 }))
      .count({ store: 'sess' })
      .toStream()
      .to(topic('out', { key: sessionWindowed(string), value: long })),
  'repartition-explicit': (builder) => builder.stream(input).repartition({ name: 'rp' }).to(out),
  'global-table': (builder) => {
    const table = builder.globalTable(topic('global', { value: string }), { store: 'gst' })
    builder
      .stream(topic('in', { value: string }))
      .join(
        table,
        ({ value }) => value,
        (value, row) => `${value}+${row}`,
      )
      .to(out)
  },
}

describe.each(Object.keys(topologies))('the bytes of %s', (name) => {
  it('are those of Kafka Streams on every topic', () => {
    const { topics } = recording(name)
    const driver = replayed(name, topology('app', topologies[name] as (builder: TopologyBuilder) => void))
    for (const [topicName, expected] of Object.entries(topics))
      expect(rowsOn(driver, topicName), topicName).toEqual(
        expected,
      )
    expect(driver.topics().filter((each) => each.startsWith('app-'))).toEqual(
      Object.keys(topics)
        .filter((each) => each !== 'out')
        .toSorted((one, two) => (one < two ? -1 : 1)),
    )
  })
})
