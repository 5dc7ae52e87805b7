import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OptionShape } from '../../src/base/options.ts'
import { checkOptions } from '../../src/base/options.ts'
import { flag, required, text } from '../../src/base/value-kinds.ts'
import { createBrokerCore, startBroker } from '../../src/broker/index.ts'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'
import {
  addSaga,
  connect,
  hopping,
  joinWindows,
  keyValueStore,
  replay,
  reset,
  saga,
  sagaTopology,
  session,
  sessionStore,
  sliding,
  standardErrorLogger,
  start,
  startThreads,
  string,
  succeeds,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  versionedStore,
  windowStore,
  within,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const others = topic('others', { value: string })
const plain = topology('plain', (builder) => builder.stream(words).to(others))
const settings = { bootstrapServers: 'localhost:1' }

const stream = (builder: TopologyBuilder) => builder.stream(words)
const table = (builder: TopologyBuilder) => builder.table(words, { store: 'words' })
const grouped = (builder: TopologyBuilder) => stream(builder).groupByKey()
const windowed = (builder: TopologyBuilder) => grouped(builder).windowedBy(tumbling({ size: 10 }))
const sessions = (builder: TopologyBuilder) => grouped(builder).windowedBy(session({ gap: 10 }))
const rows = (builder: TopologyBuilder) =>
  table(builder).groupBy((value) => ({ key: value, value }), { name: 'by-value' })
const cogrouped = (builder: TopologyBuilder) => grouped(builder).cogroup<string>((sum) => sum)
const nothing = (): undefined => undefined
const first = <T>(value: T): T => value
const stepOf = (options: object) =>
  saga('s', { startedBy: words, steps: (step) => ({ a: step(options as never) }) })
const command = { to: words, value: () => 'x' }
const replies = { done: succeeds(others) }

/** Everything that takes options, called with them; what is nested has a line of its own. */
const takers: Readonly<Record<string, (options: never, builder: TopologyBuilder) => unknown>> = {
  topic: (options) => topic('t', options),
  topology: (options) => topology('t', nothing, options),
  stream: (options, builder) => builder.stream(words, options),
  streamMatching: (options, builder) => builder.streamMatching(/a/, words, options),
  table: (options, builder) => builder.table(words, options),
  'table: versioned': (options, builder) => builder.table(words, { store: 's', versioned: options }),
  globalTable: (options, builder) => builder.globalTable(words, options),
  filter: (options, builder) => stream(builder).filter(() => true, options),
  filterNot: (options, builder) => stream(builder).filterNot(() => true, options),
  map: (options, builder) => stream(builder).map(first, options),
  mapValues: (options, builder) => stream(builder).mapValues(first, options),
  selectKey: (options, builder) => stream(builder).selectKey(({ value }) => value, options),
  flatMap: (options, builder) => stream(builder).flatMap(() => [], options),
  flatMapValues: (options, builder) => stream(builder).flatMapValues(() => [], options),
  peek: (options, builder) => stream(builder).peek(nothing, options),
  forEach: (options, builder) => stream(builder).forEach(nothing, options),
  print: (options, builder) => stream(builder).print(options),
  mapAsync: (options, builder) => stream(builder).mapAsync(async (record) => record, options),
  mapValuesAsync: (options, builder) => stream(builder).mapValuesAsync(async (value) => value, options),
  'mapValuesAsync: retry': (options, builder) =>
    stream(builder).mapValuesAsync(async (value) => value, { retry: options }),
  deduplicate: (options, builder) => stream(builder).deduplicate(options),
  'deduplicate: dropped': (options, builder) =>
    stream(builder).deduplicate({ store: 's', retention: 1, dropped: options }),
  split: (options, builder) => stream(builder).split({ a: () => true }, nothing, options),
  merge: (options, builder) => stream(builder).merge(builder.stream(others), options),
  'join with a stream': (options, builder) => stream(builder).join(builder.stream(others), first, options),
  'join with a table': (options, builder) => stream(builder).join(table(builder), first, options),
  'join with a table: dropped': (options, builder) =>
    stream(builder).join(table(builder), first, { dropped: options }),
  'join with a global table': (options, builder) =>
    stream(builder).join(builder.globalTable(others, { store: 'g' }), ({ value }) => value, first, options),
  'leftJoin with a stream': (options, builder) => stream(builder).leftJoin(stream(builder), first, options),
  'leftJoin with a table': (options, builder) => stream(builder).leftJoin(table(builder), first, options),
  outerJoin: (options, builder) => stream(builder).outerJoin(builder.stream(others), first, options),
  process: (options, builder) => stream(builder).process(() => ({ process: nothing }), options),
  processValues: (options, builder) => stream(builder).processValues(() => ({ process: nothing }), options),
  to: (options, builder) => stream(builder).to(others, options),
  'to a topic of each record': (options, builder) =>
    stream(builder).to({ name: () => 'x', ...(options as object) } as never),
  repartition: (options, builder) => stream(builder).repartition(options),
  groupByKey: (options, builder) => stream(builder).groupByKey(options),
  groupBy: (options, builder) => stream(builder).groupBy(({ value }) => value, options),
  toTable: (options, builder) => stream(builder).toTable(options),
  count: (options, builder) => grouped(builder).count(options),
  'count: dropped': (options, builder) => grouped(builder).count({ store: 's', dropped: options }),
  reduce: (options, builder) => grouped(builder).reduce(first, options),
  aggregate: (options, builder) => grouped(builder).aggregate(options),
  cogroup: (options, builder) => grouped(builder).cogroup<string>((sum) => sum, options),
  'cogroup of another': (options, builder) =>
    cogrouped(builder).cogroup(builder.stream(others).groupByKey(), (sum) => sum, options),
  'cogroup aggregate': (options, builder) => cogrouped(builder).aggregate(options),
  'windowed cogroup': (options, builder) =>
    cogrouped(builder)
      .windowedBy(tumbling({ size: 10 }))
      .aggregate(options),
  'session cogroup': (options, builder) =>
    cogrouped(builder)
      .windowedBy(session({ gap: 1 }))
      .aggregate(options),
  'windowed count': (options, builder) => windowed(builder).count(options),
  'windowed count: dropped': (options, builder) => windowed(builder).count({ store: 's', dropped: options }),
  'windowed reduce': (options, builder) => windowed(builder).reduce(first, options),
  'windowed aggregate': (options, builder) => windowed(builder).aggregate(options),
  'session count': (options, builder) => sessions(builder).count(options),
  'session reduce': (options, builder) => sessions(builder).reduce(first, options),
  'session aggregate': (options, builder) => sessions(builder).aggregate(options),
  'table filter': (options, builder) => table(builder).filter(() => true, options),
  'table filterNot': (options, builder) => table(builder).filterNot(() => true, options),
  'table mapValues': (options, builder) => table(builder).mapValues(first, options),
  transformValues: (options, builder) => table(builder).transformValues(() => first, options),
  toStream: (options, builder) => table(builder).toStream(options),
  'table groupBy': (options, builder) => table(builder).groupBy((value) => ({ key: value, value }), options),
  'table join': (options, builder) =>
    table(builder).join(builder.table(others, { store: 'o' }), first, options),
  'table leftJoin': (options, builder) => table(builder).leftJoin(table(builder), first, options),
  'table outerJoin': (options, builder) => table(builder).outerJoin(table(builder), first, options),
  joinForeignKey: (options, builder) => table(builder).joinForeignKey(table(builder), options),
  leftJoinForeignKey: (options, builder) => table(builder).leftJoinForeignKey(table(builder), options),
  suppress: (options, builder) => table(builder).suppress(untilTimeLimit({ limit: 1 }), options),
  'grouped table count': (options, builder) => rows(builder).count(options),
  'grouped table reduce': (options, builder) => rows(builder).reduce(options),
  'grouped table aggregate': (options, builder) => rows(builder).aggregate(options),
  tumbling: (options) => tumbling(options),
  hopping: (options) => hopping(options),
  sliding: (options) => sliding(options),
  session: (options) => session(options),
  joinWindows: (options) => joinWindows(options),
  within: (options) => within(1, options),
  untilWindowCloses: (options) => untilWindowCloses(options),
  untilTimeLimit: (options) => untilTimeLimit(options),
  keyValueStore: (options) => keyValueStore('s', options),
  versionedStore: (options) => versionedStore('s', options),
  windowStore: (options) => windowStore('s', options),
  sessionStore: (options) => sessionStore('s', options),
  saga: (options) => saga('s', options),
  'saga: retry': (options) => saga('s', { startedBy: words, steps: () => ({}), retry: options }),
  'saga: outcome': (options) => saga('s', { startedBy: words, steps: () => ({}), outcome: options }),
  step: (options) => stepOf(options),
  'step: retry': (options) => stepOf({ command, replies, retry: options }),
  'step: command': (options) => stepOf({ command: options, replies }),
  'step: undo': (options) => stepOf({ command, replies, undo: options }),
  sagaTopology: (options) => sagaTopology(trip, options),
  addSaga: (options, builder) => addSaga(builder, trip, options),
  testDriver: (options) => testDriver(plain, options),
  'testDriver: policies': (options) => testDriver(plain, { policies: options }),
  pipe: (options) => testDriver(plain).input(words).pipe('k', 'v', options),
  pipeAll: (options) =>
    testDriver(plain)
      .input(words)
      .pipeAll([{ key: 'k', value: 'v', ...(options as object) }]),
  start: (options) => start(plain, settings, options),
  startThreads: (options) => startThreads({ module: 'file:///missing.ts' }, settings, options),
  'startThreads: module': (options) => startThreads(options, settings, { threads: 1 }),
  replay: (options) => replay(plain, settings, options),
  reset: (options) => reset(plain, settings, options),
  startBroker: (options) => startBroker(options),
  'startBroker: settings': (options) => startBroker({ settings: options }),
  'startBroker: topics': (options) => startBroker({ topics: [options] }),
  createBrokerCore: (options) => createBrokerCore(options),
  'createBrokerCore: settings': (options) => createBrokerCore({ settings: options }),
  'createBrokerCore: topics': (options) => createBrokerCore({ topics: [options] }),
  'createBrokerCore: memory': (options) => createBrokerCore({ memory: options }),
  standardErrorLogger: (options) => standardErrorLogger(options),
}

const trip = saga('trip', {
  startedBy: words,
  timeout: 1,
  steps: (step) => ({
    go: step({ kind: 'pivot', command: { to: topic('go', { value: string }), value: () => 'x' }, replies }),
  }),
})

/** The message of the refusal. */
const refusalOf = async (name: string, options: object): Promise<string> => {
  try {
    const result: unknown[] = []
    topology('takes-options', (builder) => void result.push(takers[name]?.(options as never, builder)))
    await Promise.all(result)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'accepted'
}

const mutations = (name: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.nat(name.length - 1),
      fc.constantFrom('drop', 'replace', 'insert'),
      fc.constantFrom('q', 'x', 'z', 'w'),
    )
    .map(([at, how, letter]) =>
      how === 'drop'
        ? name.slice(0, at) + name.slice(at + 1)
        : name.slice(0, at) + letter + name.slice(how === 'replace' ? at + 1 : at),
    )

describe('an option with one letter changed', () => {
  it.each(Object.keys(takers))('is refused by %s, which names the nearest', async (taker) => {
    const [, list] =
      /its options are (.*)/.exec(await refusalOf(taker, { qqqqqqqqqqqqqqqqqqqqqqqq: 1 })) ?? []
    const names = list?.split(', ') ?? []
    expect(names).not.toEqual([])
    for (const name of names)
      await fc.assert(
        fc.asyncProperty(mutations(name), async (changed) => {
          fc.pre(!names.includes(changed) && changed !== '')
          const message = await refusalOf(taker, { [changed]: undefined })
          expect(message).toContain(`has no option '${changed}'; did you mean '`)
          const [, meant = ''] = /did you mean '(\w+)'/.exec(message) ?? []
          expect(names).toContain(meant)
        }),
        { numRuns: 3 },
      )
  })

  it('is refused among the settings of a connection too', () => {
    const tls = { rejectUnauthorised: false }
    expect(() => connect({ ...settings, tls } as never)).toThrow(
      /no setting 'tls.rejectUnauthorised'; did you mean 'rejectUnauthorized'/,
    )
  })
})

interface Example {
  readonly name: string
  readonly stays?: boolean
}

describe('the shape of options', () => {
  it('is complete, or the compiler refuses it', () => {
    const complete: OptionShape<Example> = { name: required(text), stays: flag }
    // @ts-expect-error -- an option is missing
    const incomplete: OptionShape<Example> = { name: required(text) }
    // @ts-expect-error -- the type has no such option
    const stale: OptionShape<Example> = { name: required(text), stays: flag, leaves: flag }
    // @ts-expect-error -- a name may not be left out
    const lenient: OptionShape<Example> = { name: text, stays: flag }
    expect([incomplete, stale, lenient]).toHaveLength(3)
    checkOptions('example', { name: 'a', stays: true }, complete)
    expect(() => checkOptions('example', { name: 'a', stays: 'yes' }, complete)).toThrow(
      "example: stays is the text 'yes'; give true or false",
    )
    expect(() => checkOptions('example', { stays: true }, complete)).toThrow(/the option 'name' is missing/)
    expect(() => checkOptions('example', [], complete)).toThrow(
      /needs an object of options, and got an array/,
    )
  })
})
