import { minutes, seconds } from '../../src/base/duration.ts'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'
import { topology } from '../../src/dsl/builder.ts'
import { within } from '../../src/dsl/join-windows.ts'
import { session, sliding, tumbling } from '../../src/dsl/windows.ts'
import { string } from '../../src/topic/serdes.ts'
import { topic } from '../../src/topic/topic.ts'
import type { Topology } from '../../src/topology/topology.ts'

/**
 * The operators that are measured in process: each as the smallest topology that has it, with the input that makes it
 * work. Keys and values are text, values of 100 bytes; a record follows the other a millisecond later.
 */
export interface Operator {
  readonly name: string
  /** How many distinct keys its stores end up with; undefined where it keeps nothing. */
  readonly keys: number | undefined
  /** Records that fill a table before the measurement begins. */
  readonly preload?: { readonly count: number; readonly recordAt: (index: number) => InputRecord }
  readonly recordAt: (index: number) => InputRecord
  readonly topology: Topology
  /** Records per second of Kafka Streams 4.3.1 in process, measured once on an idle machine of the same kind. */
  readonly kafkaStreams: { readonly memory?: number; readonly disk?: number }
}

export interface InputRecord {
  readonly topic: 'left' | 'right'
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

const left = topic('left', { value: string })
const right = topic('right', { value: string })
const output = topic('output', { value: string })

const startMs = 1_767_225_600_000
const padding = 'x'.repeat(82)

/** A hundred bytes; the first eleven name a row of the right side. */
const valueOf = (index: number, foreignKey = 0): string =>
  `${keyOf(foreignKey)}${String(index).padStart(7, '0')}${padding}`
const keyOf = (index: number): string => `cust-${String(index).padStart(6, '0')}`

const record = (topicName: 'left' | 'right', key: number, index: number, foreignKey = 0): InputRecord => ({
  topic: topicName,
  key: keyOf(key),
  value: valueOf(index, foreignKey),
  timestamp: startMs + index,
})

/** Keys take turns. */
const cycling =
  (keys: number) =>
  (index: number): InputRecord =>
    record('left', index % keys, index)
/** Each key has three records in a row, and comes back when all others have had theirs. */
const bursts =
  (keys: number) =>
  (index: number): InputRecord =>
    record('left', Math.floor(index / 3) % keys, index)
/** A record of the left side, then its partner; every fourth partner has a key of its own. */
const pairs =
  (keys: number, lonely: boolean) =>
  (index: number): InputRecord => {
    const pair = index >> 1
    const alone = lonely && pair % 4 === 3 && index % 2 === 1
    return record(index % 2 === 0 ? 'left' : 'right', (alone ? pair + (keys >> 1) : pair) % keys, index)
  }

const preloaded = (count: number): NonNullable<Operator['preload']> => ({
  count,
  recordAt: (index) => ({ ...record('right', index, index), timestamp: startMs - 1 }),
})

const said = (name: string, define: (builder: TopologyBuilder) => void): Topology =>
  topology(`bench-${name.replaceAll(/[^a-z]+/g, '-')}`, define)

const both = (ours: string, theirs: string): string => `${ours.slice(0, 50)}${theirs.slice(0, 50)}`
const text = (count: number | null): string => String(count)

export const operators: readonly Operator[] = [
  {
    name: 'filter + mapValues + to',
    keys: undefined,
    recordAt: cycling(100_000),
    kafkaStreams: { memory: 1_140_000 },
    topology: said('stateless', (builder) =>
      builder
        .stream(left)
        .filter(({ value }) => value.length === 100)
        .mapValues((value) => `${value}!`)
        .to(output),
    ),
  },
  {
    name: 'count, 100k keys',
    keys: 100_000,
    recordAt: cycling(100_000),
    kafkaStreams: { memory: 399_000, disk: 154_000 },
    topology: said('count', (builder) =>
      builder.stream(left).groupByKey().count({ store: 'counts' }).toStream().mapValues(text).to(output),
    ),
  },
  {
    name: 'tumbling count, 10k keys',
    keys: 10_000,
    recordAt: cycling(10_000),
    kafkaStreams: { memory: 610_000, disk: 193_000 },
    topology: said('tumbling', (builder) =>
      builder
        .stream(left)
        .groupByKey()
        .windowedBy(tumbling({ size: minutes(1) }))
        .count({ store: 'counts' })
        .toStream({ select: ({ key }) => key, key: string })
        .mapValues(text)
        .to(output),
    ),
  },
  {
    name: 'stream-table join',
    keys: 100_000,
    preload: preloaded(100_000),
    recordAt: cycling(100_000),
    kafkaStreams: { memory: 536_000, disk: 163_000 },
    topology: said('stream-table', (builder) =>
      builder
        .stream(left)
        .join(builder.table(right, { store: 'table' }), both)
        .to(output),
    ),
  },
  {
    name: 'table-table join',
    keys: 100_000,
    recordAt: pairs(100_000, false),
    kafkaStreams: { memory: 262_000, disk: 89_000 },
    topology: said('table-table', (builder) =>
      builder
        .table(left, { store: 'left-table' })
        .join(builder.table(right, { store: 'right-table' }), both)
        .toStream()
        .to(output),
    ),
  },
  {
    name: 'stream-stream inner join, ±1 s',
    keys: 10_000,
    recordAt: pairs(10_000, false),
    kafkaStreams: { memory: 14_000, disk: 96_000 },
    topology: said('stream-stream-inner', (builder) =>
      builder
        .stream(left)
        .join(builder.stream(right), both, { name: 'pairs', windows: within(seconds(1)) })
        .to(output),
    ),
  },
  {
    name: 'stream-stream left join, ±1 s',
    keys: 10_000,
    recordAt: pairs(10_000, true),
    kafkaStreams: { memory: 11_000, disk: 66_000 },
    topology: said('stream-stream-left', (builder) =>
      builder
        .stream(left)
        .leftJoin(builder.stream(right), (ours, theirs) => both(ours, theirs ?? ''), {
          name: 'pairs',
          windows: within(seconds(1)),
        })
        .to(output),
    ),
  },
  {
    name: 'session count, 10k keys',
    keys: 10_000,
    recordAt: bursts(10_000),
    kafkaStreams: {},
    topology: said('session', (builder) =>
      builder
        .stream(left)
        .groupByKey()
        .windowedBy(session({ gap: seconds(1) }))
        .count({ store: 'counts' })
        .toStream({ select: ({ key }) => key, key: string })
        .mapValues(text)
        .to(output),
    ),
  },
  {
    name: 'sliding count, 10k keys',
    keys: 10_000,
    recordAt: bursts(10_000),
    kafkaStreams: {},
    topology: said('sliding', (builder) =>
      builder
        .stream(left)
        .groupByKey()
        .windowedBy(sliding({ difference: seconds(1) }))
        .count({ store: 'counts' })
        .toStream({ select: ({ key }) => key, key: string })
        .mapValues(text)
        .to(output),
    ),
  },
  {
    name: 'foreign-key join',
    keys: 100_000,
    preload: preloaded(10_000),
    recordAt: (index) => record('left', index % 100_000, index, index % 10_000),
    kafkaStreams: {},
    topology: said('foreign-key', (builder) =>
      builder
        .table(left, { store: 'left-table' })
        .joinForeignKey(builder.table(right, { store: 'right-table' }), {
          name: 'joined',
          foreignKey: (value) => value.slice(0, 11),
          join: both,
        })
        .toStream()
        .to(output),
    ),
  },
]
