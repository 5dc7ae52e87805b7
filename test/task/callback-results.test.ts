import { map as rxMap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'
import {
  keyValueStore,
  long,
  minutes,
  session,
  string,
  topic,
  topology,
  tumbling,
  within,
} from '../../src/index.ts'
import type { KeyValueStore, StreamRecord } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const others = topic('others', { value: string })
const output = topic('output', { value: string })

/** Every callback of the DSL that returns something; two records go to each of two topics. */
const callbacks: Readonly<Record<string, (builder: TopologyBuilder, callback: () => never) => void>> = {
  mapValues: (builder, callback) => builder.stream(words).mapValues(callback).to(output),
  map: (builder, callback) =>
    builder
      .stream(words)
      .map(callback)
      .to(output as never),
  flatMapValues: (builder, callback) =>
    builder
      .stream(words)
      .flatMapValues(() => [callback()])
      .to(output),
  flatMap: (builder, callback) =>
    builder
      .stream(words)
      .flatMap(() => [callback()])
      .to(output as never),
  reduce: (builder, callback) => void builder.stream(words).groupByKey().reduce(callback, { store: 's' }),
  aggregate: (builder, callback) =>
    void builder
      .stream(words)
      .groupByKey()
      .aggregate({ store: 's', value: string, initial: '', add: callback }),
  'windowed aggregate': (builder, callback) =>
    void builder
      .stream(words)
      .groupByKey()
      .windowedBy(tumbling({ size: minutes(1) }))
      .aggregate({ store: 's', value: string, initial: '', add: callback }),
  'session merge': (builder, callback) =>
    void builder
      .stream(words)
      .groupByKey()
      .windowedBy(session({ gap: minutes(1) }))
      .aggregate({ store: 's', value: string, initial: '', add: (all) => `${all}.`, merge: callback }),
  cogroup: (builder, callback) =>
    void builder
      .stream(words)
      .groupByKey()
      .cogroup<string>(callback)
      .aggregate({ store: 's', value: string, initial: '' }),
  'stream-table join': (builder, callback) =>
    builder
      .stream(words)
      .leftJoin(builder.table(others, { store: 't' }), callback)
      .to(output),
  'global join': (builder, callback) =>
    builder
      .stream(words)
      .leftJoin(builder.globalTable(others, { store: 't' }), ({ key }) => key, callback)
      .to(output),
  'stream-stream join': (builder, callback) =>
    builder
      .stream(words)
      .join(builder.stream(others), callback, { name: 'j', windows: within(minutes(1)) })
      .to(output),
  'table join': (builder, callback) =>
    void builder
      .table(words, { store: 'w' })
      .leftJoin(builder.table(others, { store: 't' }), callback, { store: 'j', value: string as never }),
  'foreign-key join': (builder, callback) =>
    void builder.table(words, { store: 'w' }).leftJoinForeignKey(builder.table(others, { store: 't' }), {
      name: 'fk',
      foreignKey: (value) => value,
      join: callback,
      value: string as never,
      store: 'j',
    }),
  'table mapValues': (builder, callback) =>
    void builder.table(words, { store: 'w' }).mapValues(callback, { store: 'm', value: string as never }),
  transformValues: (builder, callback) =>
    void builder
      .table(words, { store: 'w' })
      .transformValues(() => callback, { store: 'm', value: string as never }),
  'table groupBy': (builder, callback) =>
    void builder
      .table(words, { store: 'w' })
      .groupBy(callback, { name: 'g', value: string })
      .count({ store: 'c' }),
  'table add': (builder, callback) =>
    void builder
      .table(words, { store: 'w' })
      .groupBy((value) => ({ key: value, value }), { name: 'g' })
      .aggregate({ store: 'c', value: long, initial: 0, add: callback, subtract: (sum) => sum }),
  'table subtract': (builder, callback) =>
    void builder
      .table(words, { store: 'w' })
      .groupBy((value) => ({ key: 'all', value }), { name: 'g' })
      .aggregate({ store: 'c', value: long, initial: 0, add: (sum) => sum + 1, subtract: callback }),
  'forward of process': (builder, callback) =>
    builder
      .stream(words)
      .process<string, string>((context) => ({
        process: ({ key }) => context.forward({ key, value: callback() }),
      }))
      .to(output),
}

/** Callbacks whose result may be undefined. */
const lenient: typeof callbacks = {
  filter: (builder, callback) => builder.stream(words).filter(callback).to(output),
  filterNot: (builder, callback) => builder.stream(words).filterNot(callback).to(output),
  split: (builder, callback) => builder.stream(words).split({ a: callback }).a.to(output),
  selectKey: (builder, callback) => builder.stream(words).selectKey(callback).to(output),
  groupBy: (builder, callback) =>
    void builder.stream(words).groupBy(callback, { name: 'g' }).count({ store: 'c' }),
  peek: (builder, callback) => builder.stream(words).peek(callback).to(output),
  forEach: (builder, callback) => builder.stream(words).forEach(callback),
  lookup: (builder, callback) =>
    builder
      .stream(words)
      .join(builder.globalTable(others, { store: 't' }), callback, (value) => value)
      .to(output),
  foreignKey: (builder, callback) =>
    void builder.table(words, { store: 'w' }).joinForeignKey(builder.table(others, { store: 't' }), {
      name: 'fk',
      foreignKey: callback,
      join: (value) => value,
      value: string,
    }),
  'table filter': (builder, callback) =>
    void builder.table(words, { store: 'w' }).filter(callback, { store: 'f' }),
  initial: (builder, callback) =>
    void builder
      .stream(words)
      .groupByKey()
      .aggregate({ store: 's', value: string, initial: callback, add: () => 'x' }),
  'deduplicate id': (builder, callback) =>
    builder.stream(words).deduplicate({ store: 'd', retention: 1_000, id: callback }).to(output),
  process: (builder, callback) => void builder.stream(words).process(() => ({ process: callback })),
  'process with a store': (builder, callback) => {
    builder.store(keyValueStore('kv', { value: string }))
    builder.stream(words).process(() => ({ process: callback }), { stores: ['kv'] })
  },
  'wall-clock punctuator': (builder, callback) =>
    void builder.stream(words).process((context) => {
      context.schedule(1, 'streamTime', callback)
      return { process: () => {} }
    }),
  partitioner: (builder, callback) => builder.stream(words).to(output, { partitioner: callback }),
  timestampExtractor: (builder, callback) =>
    builder.stream(words, { timestampExtractor: callback }).to(output),
}

const run = (
  define: (builder: TopologyBuilder, callback: () => never) => void,
  result: () => unknown,
): void => {
  const checked = topology('checked', (builder) => define(builder, result as () => never))
  const readsOthers = checked.nodes.some((node) =>
    node.kind === 'tableSource'
      ? node.topic.name === others.name
      : node.kind === 'source' &&
        !(node.topics instanceof RegExp) &&
        node.topics.some(({ name }) => name === others.name),
  )
  using driver = testDriver(checked)
  for (const [value, timestamp] of [
    ['a', 0],
    ['b', 10],
  ] as const) {
    if (readsOthers) driver.input(others).pipe('k', value, { timestamp })
    driver.input(words).pipe('k', value, { timestamp })
  }
}

describe('a callback that returns undefined in place of a value fails its record', () => {
  it.each(Object.entries(callbacks))('%s', (_verb, define) => {
    expect(() => run(define, () => undefined)).toThrow(/returned undefined|is no record|returned .*no record/)
  })
})

describe('a callback that returns a promise is refused, and its rejection reaches nobody', () => {
  it.each([...Object.entries(callbacks), ...Object.entries(lenient)])('%s', (_verb, define) => {
    expect(() => run(define, () => Promise.reject(new Error('late')))).toThrow(
      expect.objectContaining({ code: 'PROMISE_RETURNED', remedy: expect.stringContaining('mapAsync') }),
    )
  })
})

/** Callbacks that put a result into a record or a store. */
const inside: Readonly<
  Record<string, (builder: TopologyBuilder, result: () => never, at: 'key' | 'value') => void>
> = {
  map: (builder, result, at) =>
    builder
      .stream(words)
      .map(() => ({ key: 'k', value: 'v', [at]: result() }))
      .to(output),
  flatMap: (builder, result, at) =>
    builder
      .stream(words)
      .flatMap(() => [{ key: 'k', value: 'v', [at]: result() }])
      .to(output),
  'pipe, a plain object': (builder, result, at) =>
    builder
      .stream(words)
      .pipe(rxMap(() => ({ key: 'k', value: 'v', [at]: result() })))
      .to(output),
  'pipe, a changed record': (builder, result, at) =>
    builder
      .stream(words)
      .pipe(rxMap((record) => changed(record, at, result())))
      .to(output),
  forward: (builder, result, at) =>
    builder
      .stream(words)
      .process<string, string>((context) => ({
        process: () => context.forward({ key: 'k', value: 'v', [at]: result() }),
      }))
      .to(output),
  'forward of a changed record': (builder, result, at) =>
    builder
      .stream(words)
      .process<string, string>((context) => ({
        process: (record) => context.forward(changed(record as never, at, result())),
      }))
      .to(output),
  put: (builder, result, at) => {
    builder.store(keyValueStore('kv', { value: string }))
    builder.stream(words).process(
      (context) => ({
        process: () => {
          const put = { key: 'k', value: 'v', [at]: result() }
          context.store<KeyValueStore<string, string>>('kv').put(put.key, put.value, 0)
        },
      }),
      { stores: ['kv'] },
    )
  },
  'a group of a table': (builder, result, at) =>
    void builder
      .table(words, { store: 'w' })
      .groupBy(() => ({ key: 'k', value: 'v', [at]: result() }), { name: 'g', value: string })
      .count({ store: 'c' }),
}

const changed = (
  record: StreamRecord<string, string>,
  at: 'key' | 'value',
  result: never,
): StreamRecord<string, string> => (at === 'key' ? record.withKey(result) : record.withValue(result))

describe('a record or a put', () => {
  const rejected = (): Promise<never> => Promise.reject(new Error('late'))

  it.each(Object.entries(inside))('with a promise in place of the key is refused: %s', (_verb, define) => {
    expect(() => run((builder, callback) => define(builder, callback, 'key'), rejected)).toThrow(
      expect.objectContaining({ code: 'PROMISE_RETURNED' }),
    )
  })

  it.each(Object.entries(inside))('with a promise in place of the value is refused: %s', (_verb, define) => {
    expect(() => run((builder, callback) => define(builder, callback, 'value'), rejected)).toThrow(
      expect.objectContaining({ code: 'PROMISE_RETURNED' }),
    )
  })

  it.each(Object.entries(inside))('without a value fails its record: %s', (_verb, define) => {
    expect(() =>
      run(
        (builder, callback) => define(builder, callback, 'value'),
        () => undefined,
      ),
    ).toThrow(/undefined|is no record/)
  })
})

describe('results that are no list', () => {
  it.each([undefined, null, 7, {}])('fail the record of flatMapValues: %j', (results) => {
    expect(() =>
      run(
        (builder) =>
          builder
            .stream(words)
            .flatMapValues(() => results as never)
            .to(output as never),
        () => undefined,
      ),
    ).toThrow(expect.objectContaining({ code: 'EMISSION_INVALID', actor: 'record' }))
  })

  it('are refused where an async generator makes them', () => {
    expect(() =>
      run(
        (builder) =>
          builder
            .stream(words)
            .flatMapValues(async function* () {
              yield await Promise.resolve('x')
            } as never)
            .to(output as never),
        () => undefined,
      ),
    ).toThrow(expect.objectContaining({ code: 'PROMISE_RETURNED' }))
  })
})

it.each([undefined, 7, () => Promise.reject(new Error('late'))])(
  'a supplier of transformValues that returns no function is refused: %s',
  (supplied) => {
    const program = topology(
      'transforming',
      (builder) =>
        void builder
          .table(words, { store: 'w' })
          .transformValues((typeof supplied === 'function' ? supplied : () => supplied) as never, {
            store: 'm',
            value: string as never,
          }),
    )
    expect(() => testDriver(program)).toThrow(/supplier of/)
  },
)

describe('a predicate', () => {
  it.each([
    ['truthy', 'text', ['a']],
    ['falsy', '', []],
    ['undefined', undefined, []],
  ])('may return what is %s', (_what, result, expected) => {
    using driver = testDriver(
      topology('truthy', (builder) =>
        builder
          .stream(words)
          .filter(() => result as unknown as boolean)
          .to(output),
      ),
    )
    driver.input(words).pipe('k', 'a')
    expect(
      driver
        .output(output)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(expected)
  })
})

describe('mapAsync', () => {
  it.each([undefined, null, 7, {}, { value: 'v' }])(
    'fails the record for which it resolves with %j',
    async (result) => {
      using driver = testDriver(
        topology('async', (builder) =>
          builder
            .stream(words)
            .mapAsync(() => Promise.resolve(result as unknown as { key: string; value: string }))
            .to(output),
        ),
      )
      driver.input(words).pipe('k', 'a')
      await expect(driver.settled()).rejects.toMatchObject({ code: 'EMISSION_INVALID' })
    },
  )

  it('fails the record for which mapValuesAsync resolves with undefined', async () => {
    using driver = testDriver(
      topology('async', (builder) =>
        builder
          .stream(words)
          .mapValuesAsync(() => Promise.resolve(undefined as unknown as string))
          .to(output),
      ),
    )
    driver.input(words).pipe('k', 'a')
    await expect(driver.settled()).rejects.toMatchObject({ code: 'UNDEFINED_RETURNED' })
  })
})

it.each([undefined, null, {}, { process: 7 }])(
  'a supplier that returns %j, which is no processor, is refused',
  (processor) => {
    const program = topology(
      'supplied',
      (builder) => void builder.stream(words).process(() => processor as never),
    )
    expect(() => testDriver(program)).toThrow(/supplier of 'process-0001' returned/)
  },
)

it.each([undefined, '', 'a b', 7])('a topic chosen for a record fails it where its name is %j', (name) => {
  using driver = testDriver(
    topology('dynamic', (builder) =>
      builder.stream(words).to({ name: () => name as string, key: string, value: string }),
    ),
  )
  expect(() => driver.input(words).pipe('k', 'a')).toThrow(
    expect.objectContaining({ code: 'TOPIC_NAME_INVALID' }),
  )
})
