import { describe, expect, it } from 'vitest'
import {
  joinWindows,
  keyValueStore,
  saga,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  within,
} from '../../src/index.ts'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'

const words = topic('words', { value: string })

/** What JavaScript lets through, and the compiler does not. */
const misuses: Readonly<Record<string, readonly [(builder: TopologyBuilder) => unknown, RegExp]>> = {
  "topic('x')": [() => topic('x', undefined as never), /needs an object of options/],
  'a topic without value': [() => topic('x', {} as never), /neither a serde nor a zod schema/],
  'an unknown option of a topic': [
    () => topic('x', { value: string, partition: 3 } as never),
    /no option 'partition'.*'partitions'/,
  ],
  "stream('a')": [(builder) => builder.stream('a' as never), /stream needs a topic, and got the text 'a'/],
  'stream([])': [(builder) => builder.stream([] as never), /stream needs a topic/],
  "table('a')": [(builder) => builder.table('a' as never, { store: 's' }), /table needs a topic/],
  'an unknown option of a stream': [
    (builder) => builder.stream(words, { timestampExtracter: () => 1 } as never),
    /did you mean 'timestampExtractor'/,
  ],
  'count({})': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .count({} as never),
    /a store has no name/,
  ],
  "emit: 'onClose'": [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .count({ store: 's', emit: 'onClose' as never }),
    /emit is the text 'onClose'/,
  ],
  "emit: 'onClose' of windows": [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .windowedBy(tumbling({ size: 1_000 }))
        .count({ store: 's', emit: 'onClose' as never }),
    /may be onUpdate, onCommit, onWindowClose/,
  ],
  'windowedBy(5000)': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .windowedBy(5_000 as never),
    /windowedBy got 5000/,
  ],
  'an unknown option of a table': [
    (builder) => builder.table(words, { store: 's', storag: 'disk' } as never),
    /did you mean 'storage'/,
  ],
  'an unknown offsetReset': [
    (builder) => builder.stream(words, { offsetReset: 'first' as never }),
    /offsetReset is the text 'first'/,
  ],
  'an unknown option of a count': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .count({ store: 's', emmit: 'onCommit' } as never),
    /did you mean 'emit'/,
  ],
  'an unknown option of deduplicate': [
    (builder) => builder.stream(words).deduplicate({ store: 's', retention: 1, changlog: false } as never),
    /did you mean 'changelog'/,
  ],
  'an unknown option of mapValuesAsync': [
    (builder) => builder.stream(words).mapValuesAsync(async (value) => value, { concurency: 2 } as never),
    /did you mean 'concurrency'/,
  ],
  'an unknown orderedBy': [
    (builder) => builder.stream(words).mapValuesAsync(async (value) => value, { orderedBy: 'time' as never }),
    /orderedBy is time/,
  ],
  'an unknown option of to': [
    (builder) => builder.stream(words).to(words, { partitoner: () => 0 } as never),
    /did you mean 'partitioner'/,
  ],
  'an unknown option of windows': [() => tumbling({ size: 10, grce: 1 } as never), /did you mean 'grace'/],
  'an unknown option of join windows': [
    () => joinWindows({ before: 1, after: 1, gracce: 1 } as never),
    /did you mean 'grace'/,
  ],
  'an unknown option of within': [() => within(1, { grase: 1 } as never), /did you mean 'grace'/],
  'an unknown option of a suppression': [
    () => untilTimeLimit({ limit: 1, maxRecord: 5 } as never),
    /did you mean 'maxRecords'/,
  ],
  'an unknown option of a stream join': [
    (builder) => {
      const stream = builder.stream(words)
      stream.join(stream, (left) => left, { name: 'j', windows: within(1), valeu: string } as never)
    },
    /did you mean 'value'/,
  ],
  'an unknown option of a windowed aggregate': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .count({ store: 's', retenton: 10 } as never),
    /did you mean 'retention'/,
  ],
  'an unknown option of groupBy': [
    (builder) => builder.stream(words).groupBy(({ value }) => value, { name: 'n', partition: 3 } as never),
    /did you mean 'partitions'/,
  ],
  'an unknown option of process': [
    (builder) =>
      builder.stream(words).process(() => ({ process: () => undefined }), { store: ['s'] } as never),
    /did you mean 'stores'/,
  ],
  'an unknown option of a store': [
    () => keyValueStore('s', { value: string, timestamp: true } as never),
    /did you mean 'timestamped'/,
  ],
  'an unknown storage': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .count({ store: 's', storage: 'ram' as never }),
    /has the storage ram/,
  ],
  'an unknown option of a saga': [
    () => saga('s', { startedBy: words, steps: () => ({}), timout: 1 } as never),
    /did you mean 'timeout'/,
  ],
  'filter()': [(builder) => builder.stream(words).filter(undefined as never), /filter needs a function/],
  "mapValues('x')": [
    (builder) => builder.stream(words).mapValues('x' as never),
    /mapValues needs a function/,
  ],
  'pipe(7)': [(builder) => builder.stream(words).pipe(7 as never), /pipe needs a function/],
  'a branch that is no function': [
    (builder) => builder.stream(words).split({ a: true as never }),
    /branch 'a' of split needs a function/,
  ],
  'an aggregator that is missing': [
    (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .aggregate({ store: 's', value: string, initial: '' } as never),
    /needs a function \(add\)/,
  ],
}

describe('a topology is refused when it is defined with', () => {
  it.each(Object.entries(misuses))('%s', (_what, [define, message]) => {
    expect(() => topology('misused', (builder) => void define(builder))).toThrow(message)
  })
})
