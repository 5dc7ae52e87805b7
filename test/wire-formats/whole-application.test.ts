import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import type { TopologyBuilder } from '../../src/index.ts'
import {
  days,
  hours,
  long,
  nullable,
  seconds,
  session,
  sliding,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
  untilWindowCloses,
  within,
} from '../../src/index.ts'
import { planApplication } from '../../src/runtime/application-plan.ts'
import { decodeOffsetMetadata, encodeOffsetMetadata } from '../../src/runtime/offset-metadata.ts'
import { testDriver } from '../../src/testing/index.ts'
import { partitionForKey } from '../../src/topic/murmur2.ts'

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(`${import.meta.dirname}/data/${name}.json`, 'utf8')) as T

const input = topic('in', { value: string })
const joined = (one: string, other: string | null): string => `${one}+${other}`

/** The application of the recordings that were made on a broker: its inputs have three partitions. */
const application = topology('app', (builder: TopologyBuilder) => {
  const stream = builder.stream(input)
  const grouped = stream.groupByKey()
  stream.groupBy(({ value }) => value, { name: 'byvalue' }).count({ store: 'counts' })
  grouped
    .windowedBy(tumbling({ size: seconds(60), grace: seconds(30) }))
    .count({ store: 'win' })
    .suppress(untilWindowCloses(), { store: 'sup-store' })
  grouped.windowedBy(tumbling({ size: hours(2) })).count({ store: 'winlong', retention: days(3) })
  grouped.windowedBy(tumbling({ size: seconds(1) })).count({ store: 'final', emit: 'onWindowClose' })
  grouped.windowedBy(sliding({ difference: seconds(1), grace: seconds(2) })).count({ store: 'slide' })
  grouped.windowedBy(session({ gap: 500, grace: seconds(1) })).count({ store: 'sess' })
  grouped.reduce((_, value) => value, { store: 'ver', versioned: { historyRetention: hours(1) } })
  stream.repartition({ name: 'rp', partitions: 5 })
  stream.leftJoin(builder.stream(topic('right', { value: string })), joined, {
    name: 'ljs',
    windows: within(seconds(1), { grace: 500 }),
  })
  const rights = builder.table(topic('table', { value: string }), { store: 'rst' })
  const lefts = builder.table(topic('left', { value: string }), { store: 'lst' })
  const foreignKey = (value: string): string => value.split('|')[0] as string
  lefts.joinForeignKey(rights, { name: 'fkj', foreignKey, join: joined, store: 'fkres', value: string })
  lefts
    .groupBy((value) => ({ key: foreignKey(value), value }), { name: 'regroup', value: string })
    .count({ store: 'tgc' })
})

describe('the internal topics of an application', () => {
  const plan = planApplication(application, 'app', () => 3)
  const recorded = read<Record<string, { partitions: number; configs: Record<string, string> }>>('topic-configs')

  it('are those that Kafka Streams makes, no more and no less', () => {
    expect(plan.internalTopics.map(({ name }) => name).toSorted()).toEqual(Object.keys(recorded).toSorted())
  })

  it.each(Object.keys(recorded))('%s is made as Kafka Streams makes it', (name) => {
    const { partitions, configs } = plan.internalTopics.find((each) => each.name === name) ?? {}
    expect({ partitions, configs }).toEqual(recorded[name])
  })
})

describe('what Kafka Streams wrote to topics of several partitions', () => {
  const recorded = read<Record<string, readonly (readonly [partition: number, key: string])[]>>(
    'broker-internal-topics',
  )
  /** Windowed keys lie where the key inside them does: 8 bytes of window start behind it, or 16 of a session. */
  const partitionedBy: Record<string, number> = { 'out-win': 8, 'out-sup': 8, 'out-sess': 16 }

  it.each(Object.keys(recorded))('%s has each key on the partition that it would have here', (name) => {
    const count = name === 'app-rp-repartition' ? 5 : 3
    for (const [partition, hex] of recorded[name] ?? []) {
      const key = hexDecode(hex)
      expect(partitionForKey(key.subarray(0, key.length - (partitionedBy[name] ?? 0)), count), hex).toBe(partition)
    }
  })

  it('includes windowed keys, which a sink partitions by the key inside', () => {
    const keys = recorded['out-win'] ?? []
    const driver = testDriver(
      topology('app', (builder) =>
        builder
          .stream(input)
          .groupByKey()
          .windowedBy(tumbling({ size: seconds(60), grace: days(1) }))
          .count({ store: 'win' })
          .toStream()
          .to(topic('out-win', { key: timeWindowed(string, 60_000), value: long })),
      ),
      { partitions: 3 },
    )
    for (const [, hex] of keys) {
      const bytes = hexDecode(hex)
      const timestamp = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(bytes.length - 8))
      driver.input(input).pipe(new TextDecoder().decode(bytes.subarray(0, -8)), 'v', { timestamp })
    }
    const written = driver.output(topic('out-win', { key: timeWindowed(string, 60_000), value: long })).readAll()
    const expected = new Map(keys.map(([partition, hex]) => [hex, partition]))
    expect(written.length).toBe(keys.length)
    for (const { key, partition } of written)
      expect(partition).toBe(expected.get(hexEncode(timeWindowed(string, 60_000).serialize(key))))
  })
})

interface Committed {
  readonly metadata: string
  readonly partitionTimeMs: number
  readonly processors: readonly { readonly key: string; readonly value: number }[]
}

it.each(read<readonly Committed[]>('offset-metadata'))(
  'the offset metadata $metadata is read and written as Kafka Streams does',
  ({ metadata, partitionTimeMs, processors }) => {
    const meant = { partitionTimeMs, processors: new Map(processors.map(({ key, value }) => [key, value])) }
    expect(decodeOffsetMetadata(metadata)).toEqual(meant)
    expect(encodeOffsetMetadata(meant)).toBe(metadata)
  },
)

describe('a dead letter', () => {
  interface Run {
    readonly inputs: readonly {
      readonly key: string | null
      readonly value: string
      readonly timestamp: number
      readonly headers: readonly (readonly [string, string])[]
    }[]
    readonly letters: readonly {
      readonly key: string | null
      readonly value: string | null
      readonly timestamp: number
      readonly headers: readonly (readonly [string, string | null])[]
    }[]
  }
  const runs = read<Record<string, Run>>('dead-letter')
  const text = topic('in', { key: nullable(string), value: string })
  const boom = ({ value }: { readonly value: string }): boolean => {
    if (value.startsWith('bad') || value.startsWith('x')) throw new TypeError('refused')
    if (value.startsWith('npe')) throw new Error()
    return true
  }
  const refusing = {
    ...string,
    serialize: (value: string) => {
      if (value.startsWith('bad')) throw new TypeError('refused')
      return string.serialize(value)
    },
  }
  const topologies: Record<string, (builder: TopologyBuilder) => void> = {
    'deserialization-continue': (builder) =>
      builder
        .stream(topic('in', { key: nullable(string), value: long }))
        .to(topic('out', { key: nullable(string), value: long })),
    'processing-continue': (builder) =>
      builder
        .stream(text)
        .mapValues((value) => `${value}!`)
        .filter(boom)
        .to(topic('out', { key: nullable(string), value: string })),
    'production-serialization-continue': (builder) =>
      builder
        .stream(text)
        .mapValues((value) => `${value}!`)
        .to(topic('out', { key: nullable(string), value: refusing })),
    'processing-after-repartition-continue': (builder) =>
      builder
        .stream(text)
        .selectKey(({ value }) => `new-${value}`)
        .repartition({ name: 'rp', key: string })
        .mapValues((value) => `${value}!`)
        .filter(boom)
        .to(topic('out', { value: string })),
  }

  it.each(Object.keys(runs))('is what Kafka Streams writes, but for what the language calls its errors: %s', (name) => {
    const { inputs, letters } = runs[name] as Run
    const driver = testDriver(topology('app', topologies[name] as (builder: TopologyBuilder) => void), {
      policies: {
        deserializationFailure: 'deadLetter',
        processingFailure: 'deadLetter',
        productionFailure: 'deadLetter',
      },
    })
    for (const { key, value, timestamp, headers } of inputs)
      driver.input(text).pipeBytes(key === null ? null : string.serialize(key), hexDecode(value), {
        timestamp,
        headers: headers.map(([header, hex]) => [header, hexDecode(hex)] as const),
      })
    const written = driver.output({ name: 'dead-letters', key: nullable(hex), value: nullable(hex) }).readAll()
    expect(
      written.map(({ key, value, timestamp, headers }) => ({
        key,
        value,
        timestamp,
        headers: headers.map(([header, content]) => [
          header,
          /\.(?:exception|message|stacktrace)$/.test(header)
            ? 'any'
            : content === null
              ? null
              : hexEncode(content),
        ]),
      })),
    ).toEqual(letters)
  })
})

const hex = { ...string, serialize: hexDecode, deserialize: (buffer: Uint8Array, start = 0, end = buffer.length) => hexEncode(buffer.subarray(start, end)) }
