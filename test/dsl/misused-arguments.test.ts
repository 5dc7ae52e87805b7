import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/base/fault.ts'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'
import {
  addSaga,
  extractedFrom,
  json,
  classifies,
  nullable,
  sessionWindowed,
  timeWindowed,
  keyValueStore,
  refuses,
  saga,
  sagaTopology,
  sessionStore,
  start,
  string,
  succeeds,
  topic,
  topology,
  tumbling,
  windowStore,
  within,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const others = topic('others', { value: string })
const plain = topology('plain', (builder) => builder.stream(words).to(others))

const stream = (builder: TopologyBuilder) => builder.stream(words)
const table = (builder: TopologyBuilder) => builder.table(words, { store: 'words' })
const grouped = (builder: TopologyBuilder) => stream(builder).groupByKey()
const first = <T>(value: T): T => value
const windows = within(1)

/** JavaScript takes it where no promise is expected. */
const asyncFunction: () => never = (async () => undefined) as never

/** What a user without types may give, by what it is. */
const values = {
  undefined: () => undefined,
  null: () => null,
  number: () => 5,
  text: () => 'some text',
  flag: () => true,
  array: () => [],
  object: () => ({}),
  date: () => new Date(0),
  promise: () => Promise.resolve({}),
  function: () => first,
  async: () => async () => null,
  serde: () => string,
  topic: () => words,
  windows: () => tumbling({ size: 1 }),
  stream: (builder: TopologyBuilder) => stream(builder),
  table: (builder: TopologyBuilder) => table(builder),
  grouped: (builder: TopologyBuilder) => grouped(builder),
}
type Kind = keyof typeof values

interface Slot {
  /** What the message begins with. */
  readonly verb: string
  /** What may stand there; everything else is refused. */
  readonly takes: readonly Kind[]
  readonly give: (builder: TopologyBuilder, given: never) => unknown
}

const slot = (verb: string, takes: readonly Kind[], give: Slot['give']): Slot => ({ verb, takes, give })
const callback = (verb: string, give: Slot['give']): Slot => slot(verb, ['function'], give)
/** Options of which all may be left out. */
const options = (verb: string, give: Slot['give']): Slot => slot(verb, ['undefined', 'object'], give)
const needed = (verb: string, give: Slot['give']): Slot => slot(verb, [], give)

const slots: Readonly<Record<string, Slot>> = {
  'the name of a topic': slot('topic', [], (_, given) =>
    topic(given === 'some text' ? (5 as never) : given, { value: string }),
  ),
  'the options of a topic': needed("topic 't'", (_, given) => topic('t', given)),
  'the value of a topic': slot("topic 't'", ['serde'], (_, given) => topic('t', { value: given })),
  'the key of a topic': slot("topic 't'", ['undefined', 'serde'], (_, given) =>
    topic('t', { value: string, key: given }),
  ),
  'the partitions of a topic': slot("topic 't'", ['undefined', 'number'], (_, given) =>
    topic('t', { value: string, partitions: given }),
  ),
  'the function of a topology': callback("topology 't'", (_, given) => topology('t', given)),
  'the options of a topology': options("topology 't'", (_, given) => topology('t', () => undefined, given)),
  'the topic of stream': slot('stream', ['topic'], (builder, given) => builder.stream(given)),
  'the topics of stream': slot('stream', ['topic'], (builder, given) => builder.stream([words, given])),
  'the options of stream': options('stream', (builder, given) => builder.stream(words, given)),
  'the pattern of streamMatching': needed('streamMatching', (builder, given) =>
    builder.streamMatching(given, words),
  ),
  'the serdes of streamMatching': slot('streamMatching', ['topic'], (builder, given) =>
    builder.streamMatching(/a/, given),
  ),
  'the topic of table': slot('table', ['topic'], (builder, given) => builder.table(given, { store: 's' })),
  'the options of table': needed('table', (builder, given) => builder.table(words, given)),
  'the topic of globalTable': slot('globalTable', ['topic'], (builder, given) =>
    builder.globalTable(given, { store: 's' }),
  ),
  'the definition of store': needed('store', (builder, given) => builder.store(given)),
  'the predicate of filter': callback('filter', (builder, given) => stream(builder).filter(given)),
  'the options of filter': options('filter', (builder, given) => stream(builder).filter(() => true, given)),
  'the mapper of map': callback('map', (builder, given) => stream(builder).map(given)),
  'the mapper of mapValues': callback('mapValues', (builder, given) => stream(builder).mapValues(given)),
  'the serde of mapValues': slot('mapValues', ['undefined', 'serde'], (builder, given) =>
    stream(builder).mapValues(first, { value: given }),
  ),
  'the selector of selectKey': callback('selectKey', (builder, given) => stream(builder).selectKey(given)),
  'the mapper of flatMap': callback('flatMap', (builder, given) => stream(builder).flatMap(given)),
  'the mapper of flatMapValues': callback('flatMapValues', (builder, given) =>
    stream(builder).flatMapValues(given),
  ),
  'the action of peek': callback('peek', (builder, given) => stream(builder).peek(given)),
  'the action of forEach': callback('forEach', (builder, given) => stream(builder).forEach(given)),
  'the name of peek': slot('peek', ['undefined', 'text'], (builder, given) =>
    stream(builder).peek(first, { name: given }),
  ),
  'the operator of pipe': callback('pipe', (builder, given) => stream(builder).pipe(given)),
  'the function of mapAsync': slot('mapAsync', ['function', 'async'], (builder, given) =>
    stream(builder).mapAsync(given),
  ),
  'the function of mapValuesAsync': slot('mapValuesAsync', ['function', 'async'], (builder, given) =>
    stream(builder).mapValuesAsync(given),
  ),
  'the concurrency of mapAsync': slot('mapAsync', ['undefined', 'number'], (builder, given) =>
    stream(builder).mapAsync(async (record) => record, { concurrency: given }),
  ),
  'the options of deduplicate': needed('deduplicate', (builder, given) => stream(builder).deduplicate(given)),
  'the id of deduplicate': slot('deduplicate', ['undefined', 'function'], (builder, given) =>
    stream(builder).deduplicate({ store: 's', retention: 1, id: given }),
  ),
  'the branches of split': needed('split', (builder, given) => stream(builder).split(given)),
  'a branch of split': callback("branch 'a' of split", (builder, given) =>
    stream(builder).split({ a: given }),
  ),
  'the function of split': slot('split', ['undefined', 'function'], (builder, given) =>
    stream(builder).split({ a: () => true }, given),
  ),
  'the stream of merge': slot('merge', ['stream'], (builder, given) => stream(builder).merge(given)),
  'the other side of join': slot('join', ['table'], (builder, given) => stream(builder).join(given, first)),
  'the stream of join': slot('join', ['stream'], (builder, given) =>
    stream(builder).join(given, first, { name: 'j', windows } as never),
  ),
  'the joiner of join': callback('join', (builder, given) => stream(builder).join(table(builder), given)),
  'the options of a stream join': needed('join', (builder, given) =>
    stream(builder).join(stream(builder), first, given),
  ),
  'the windows of a stream join': needed('join', (builder, given) =>
    stream(builder).join(stream(builder), first, { name: 'j', windows: given }),
  ),
  'the lookup of a global join': callback('join', (builder, given) =>
    stream(builder).join(builder.globalTable(others, { store: 'g' }), given, first),
  ),
  'the joiner of a global join': callback('join', (builder, given) =>
    stream(builder).join(builder.globalTable(others, { store: 'g' }), () => 'x', given),
  ),
  'the stream of outerJoin': slot('outerJoin', ['stream'], (builder, given) =>
    stream(builder).outerJoin(given, first, { name: 'j', windows }),
  ),
  'the supplier of process': callback('process', (builder, given) => stream(builder).process(given)),
  'the stores of process': slot('process', ['undefined', 'array'], (builder, given) =>
    stream(builder).process(() => ({ process: first }), { stores: given }),
  ),
  'the topic of to': slot('to', ['topic'], (builder, given) => stream(builder).to(given)),
  'the partitioner of to': slot('to', ['undefined', 'function'], (builder, given) =>
    stream(builder).to(others, { partitioner: given }),
  ),
  'the options of repartition': needed('repartition', (builder, given) => stream(builder).repartition(given)),
  'the selector of groupBy': callback('groupBy', (builder, given) =>
    stream(builder).groupBy(given, { name: 'g' }),
  ),
  'the options of groupBy': needed('groupBy', (builder, given) =>
    stream(builder).groupBy(({ value }) => value, given),
  ),
  'the options of toTable': needed('toTable', (builder, given) => stream(builder).toTable(given)),
  'the options of count': needed('count', (builder, given) => grouped(builder).count(given)),
  'the store of count': slot('count', ['text'], (builder, given) => grouped(builder).count({ store: given })),
  'the reducer of reduce': callback('reduce', (builder, given) =>
    grouped(builder).reduce(given, { store: 's' }),
  ),
  'the aggregator of aggregate': callback('aggregate', (builder, given) =>
    grouped(builder).aggregate({ store: 's', value: string, initial: '', add: given }),
  ),
  'the serde of aggregate': slot('aggregate', ['serde'], (builder, given) =>
    grouped(builder).aggregate({ store: 's', value: given, initial: '', add: (sum) => sum }),
  ),
  'the windows of windowedBy': slot('windowedBy', ['windows'], (builder, given) =>
    grouped(builder).windowedBy(given),
  ),
  'the reducer of windows': callback('reduce', (builder, given) =>
    grouped(builder)
      .windowedBy(tumbling({ size: 1 }))
      .reduce(given, { store: 's' }),
  ),
  'the stream of cogroup': slot('cogroup', ['grouped'], (builder, given) =>
    grouped(builder)
      .cogroup<string>((sum) => sum)
      .cogroup(given, first),
  ),
  'the aggregator of cogroup': callback('cogroup', (builder, given) => grouped(builder).cogroup(given)),
  'the predicate of a table': callback('filter', (builder, given) => table(builder).filter(given)),
  'the mapper of a table': callback('mapValues', (builder, given) => table(builder).mapValues(given)),
  'the function of transformValues': callback('transformValues', (builder, given) =>
    table(builder).transformValues(given),
  ),
  'the selector of toStream': slot('toStream', ['undefined', 'function'], (builder, given) =>
    table(builder).toStream({ select: given }),
  ),
  'the grouping of a table': callback('groupBy', (builder, given) =>
    table(builder).groupBy(given, { name: 'g' }),
  ),
  'the table of a table join': slot('join', ['table'], (builder, given) => table(builder).join(given, first)),
  'the joiner of a table join': callback('join', (builder, given) =>
    table(builder).join(builder.table(others, { store: 'o' }), given),
  ),
  'the table of a foreign-key join': slot('joinForeignKey', ['table'], (builder, given) =>
    table(builder).joinForeignKey(given, { name: 'j', foreignKey: () => 'x', join: first }),
  ),
  'the foreign key of a join': callback('joinForeignKey', (builder, given) =>
    table(builder).joinForeignKey(table(builder), { name: 'j', foreignKey: given, join: first }),
  ),
  'the suppression of suppress': needed('suppress', (builder, given) =>
    table(builder).suppress(given, { store: 's' }),
  ),
  'the size of windows': slot('tumbling', ['number'], (_, given) => tumbling({ size: given })),
  'the difference of within': slot('within', ['number'], (_, given) => within(given)),
  'the schema of json': needed('json', (_, given) => json(given)),
  'the serde of nullable': slot('nullable', ['serde'], (_, given) => nullable(given)),
  'the serde of timeWindowed': slot('timeWindowed', ['serde'], (_, given) => timeWindowed(given, 5)),
  'the size of timeWindowed': slot('timeWindowed', ['number'], (_, given) => timeWindowed(string, given)),
  'the serde of sessionWindowed': slot('sessionWindowed', ['serde'], (_, given) => sessionWindowed(given)),
  'the name of a store': slot('keyValueStore', ['text'], (_, given) =>
    keyValueStore(given, { value: string }),
  ),
  'the options of a store': needed("keyValueStore 's'", (_, given) => keyValueStore('s', given)),
  'the size of a window store': slot("windowStore 's'", ['number'], (_, given) =>
    windowStore('s', { value: string, size: given, retention: 10 }),
  ),
  'the serde of a store': slot("sessionStore 's'", ['serde'], (_, given) =>
    sessionStore('s', { value: given, retention: 10 }),
  ),
  'the function of extractedFrom': callback('extractedFrom', (_, given) => extractedFrom(given)),
  'the start of a saga': slot("saga 's'", [], (_, given) =>
    saga('s', { startedBy: given === words ? (5 as never) : given, steps: () => ({}) }),
  ),
  'the steps of a saga': needed("saga 's'", (_, given) =>
    saga('s', { startedBy: words, steps: given === first ? (5 as never) : given }),
  ),
  'what steps returns': needed("the function 'steps' of saga", (_, given) =>
    saga('s', {
      startedBy: words,
      steps: () =>
        Object.keys(given ?? {}).length === 0 && !Array.isArray(given) && typeof given === 'object'
          ? (5 as never)
          : given,
    }),
  ),
  'the topic of succeeds': slot('succeeds', ['topic'], (_, given) => succeeds(given)),
  'the topic of refuses': slot('refuses', ['topic'], (_, given) => refuses(given)),
  'the function of classifies': callback('classifies', (_, given) => classifies(words, given)),
  'the saga of sagaTopology': needed('sagaTopology', (_, given) => sagaTopology(given)),
  'the saga of addSaga': needed('addSaga', (builder, given) => addSaga(builder, given)),
  'the topology of testDriver': slot('testDriver', ['array'], (_, given) => testDriver(given)),
  'the options of testDriver': options('testDriver', (_, given) => testDriver(plain, given)),
  'the topic of input': slot('input', ['topic'], (_, given) => testDriver(plain).input(given)),
  'the topic of output': needed('output', (_, given) =>
    testDriver(plain).output(given === words ? (5 as never) : given),
  ),
  'the options of pipe': options('pipe', (_, given) => testDriver(plain).input(words).pipe('k', 'v', given)),
  'the time of advanceWallClock': slot('advanceWallClock', ['number'], (_, given) =>
    testDriver(plain).advanceWallClock(given),
  ),
  'the topology of start': needed('start', (_, given) => start(given, { bootstrapServers: 'localhost:1' })),
}

/** What a slot throws for a value; undefined where it takes it. */
const failureOf = async ({ give }: Slot, kind: Kind): Promise<unknown> => {
  try {
    const results: unknown[] = []
    topology('misused', (builder) => void results.push(give(builder, values[kind](builder) as never)))
    await Promise.all(results)
  } catch (error) {
    return error
  }
  return undefined
}

describe('what no compiler has checked is refused at', () => {
  it.each(Object.entries(slots))('%s', async (_name, each) => {
    for (const kind of Object.keys(values) as Kind[]) {
      const failure = await failureOf(each, kind)
      if (each.takes.includes(kind)) continue
      expect(isFault(failure), `${kind}: ${String(failure)}`).toBe(true)
      expect(String(failure), kind).toContain(each.verb)
    }
  })

  it('two arguments that are swapped', () => {
    const swapped = (define: (builder: TopologyBuilder) => unknown) => () =>
      topology('swapped', (builder) => void define(builder))
    expect(() => topology((() => undefined) as never, 'swapped' as never)).toThrow(/topology needs a text/)
    expect(
      swapped((builder) => stream(builder).filter({ name: 'a' } as never, (() => true) as never)),
    ).toThrow(/filter needs a function, and got an object \(name\)/)
    expect(swapped((builder) => stream(builder).join(first as never, table(builder) as never))).toThrow(
      /join needs a table or a global table or a stream, and got a function/,
    )
    expect(swapped((builder) => grouped(builder).reduce({ store: 's' } as never, first as never))).toThrow(
      /reduce needs a function, and got an object \(store\)/,
    )
  })

  it('a function whose call was forgotten', () => {
    expect(() => topic('t', { value: topic as never })).toThrow(
      /topic 't': value is a function; give a serde/,
    )
    expect(() => topology('t', (builder) => void grouped(builder).windowedBy(tumbling as never))).toThrow(
      /windowedBy got a function/,
    )
  })

  it('steps that come when the topology is defined already', async () => {
    expect(() => topology('late', asyncFunction)).toThrow(/async function/)
    expect(() => topology('late', () => Promise.resolve() as never)).toThrow(/returned a promise/)
    let kept: TopologyBuilder | undefined
    topology('kept', (builder) => {
      kept = builder
      builder.stream(words).to(others)
    })
    expect(() => kept?.stream(others)).toThrow(/comes too late: topology 'kept' is defined already/)
  })

  it('a stream or a table of another topology', () => {
    const streams: ReturnType<typeof stream>[] = []
    topology('first', (builder) => void streams.push(stream(builder)))
    expect(() =>
      topology('second', (builder) => void builder.stream(others).merge(streams[0] as never)),
    ).toThrow(/a stream of topology 'first'/)
  })

  it('an async function, which names mapAsync', () => {
    expect(() => topology('async', (builder) => builder.stream(words).forEach(asyncFunction))).toThrow(
      /forEach .* async function; use mapAsync/,
    )
  })
})
