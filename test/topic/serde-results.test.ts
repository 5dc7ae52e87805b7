import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8Decode, utf8Encode } from '../../src/base/bytes.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { Serde, Topology } from '../../src/index.ts'
import {
  connect,
  keyValueStore,
  nullable,
  sessionWindowed,
  start,
  string,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

/** What JavaScript may return from `serialize`, and what a message calls it. */
const returned: readonly (readonly [string, unknown])[] = [
  ['a text', 'secret'],
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['a boolean', true],
  ['an array', [1, 2]],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['an object', { secret: 1 }],
]

/** Returns `bad` for the text 'bad'. */
const returning = (bad: unknown): Serde<string> => ({
  name: 'mine',
  nullable: false,
  serialize: (value) => (value === 'bad' ? (bad as never) : utf8Encode(value)),
  // A function of its own, so that no bytes are passed through undecoded.
  deserialize: (source, from, to) => utf8Decode(source, from, to),
})

const words = topic('words', { value: string })
type Place = (bad: Serde<string>) => { readonly program: Topology; readonly names: readonly string[] }

/** Every place that writes by a serde, with what the message names. */
const places: Readonly<Record<string, Place>> = {
  'the value of a topic': (bad) => ({
    program: topology('p', (builder) => builder.stream(words).to(topic('out', { value: bad }))),
    names: ['value', 'topic out'],
  }),
  'the key of a topic': (bad) => ({
    program: topology('p', (builder) =>
      builder
        .stream(words)
        .selectKey(({ value }) => value)
        .to(topic('out', { key: bad, value: string })),
    ),
    names: ['key', 'topic out'],
  }),
  'a nullable value': (bad) => ({
    program: topology('p', (builder) => builder.stream(words).to(topic('out', { value: nullable(bad) }))),
    names: ['value', 'topic out'],
  }),
  'a windowed key': (bad) => ({
    program: topology('p', (builder) =>
      builder
        .stream(words)
        .map(({ value }) => ({ key: { key: value, startMs: 0, endMs: 1 }, value }))
        .to(topic('out', { key: sessionWindowed(bad), value: string })),
    ),
    names: ['key', 'topic out'],
  }),
  'a topic by record': (bad) => ({
    program: topology('p', (builder) =>
      builder.stream(words).to({ name: () => 'chosen', key: string, value: bad }),
    ),
    names: ['value', 'topic chosen'],
  }),
  'a repartition': (bad) => ({
    program: topology('p', (builder) =>
      builder
        .stream(words)
        .repartition({ name: 'again', value: bad })
        .to(topic('out', { value: string })),
    ),
    names: ['value', 'again'],
  }),
  'the value of a store': (bad) => ({
    program: topology('p', (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .reduce((_, value) => value, { store: 'latest', value: bad }),
    ),
    names: ['value', 'store latest'],
  }),
  'the key of a store': (bad) => ({
    program: topology('p', (builder) =>
      builder
        .stream(topic('words', { value: string }))
        .groupBy(({ value }) => value, { name: 'by-word', key: bad })
        .windowedBy(tumbling({ size: 5 }))
        .count({ store: 'counts' }),
    ),
    names: ['key'],
  }),
}

describe.each(Object.entries(places))(
  'a serializer that returns no bytes fails the record: %s',
  (_, place) => {
    it.each(returned)('%s', (kind, bad) => {
      const { program, names } = place(returning(bad))
      using driver = testDriver(program)
      driver.input(words).pipe('k', 'good')
      const thrown = thrownBy(() => driver.input(words).pipe('k', 'bad'))
      expect(thrown).toMatchObject({ code: 'SERDE_RESULT_INVALID', actor: 'record' })
      for (const part of [`returned ${kind} from serialize`, 'a Uint8Array', ...names])
        expect(thrown.message).toContain(part)
      expect(thrown.message).not.toContain('secret')
    })

    it('its policy decides', () => {
      const skipping = { policies: { productionFailure: 'skip', processingFailure: 'skip' } } as const
      using driver = testDriver(place(returning('text')).program, skipping)
      driver.input(words).pipe('k', 'bad')
      driver.input(words).pipe('k', 'good')
      expect(driver.dropped()).toEqual({ failed: 1 })
    })
  },
)

describe('a serde that returns promises is refused', () => {
  const rejected = (): never => Promise.reject(new Error('no schema')) as never
  const asynchronous: Readonly<Record<string, Serde<string>>> = {
    serialize: { ...returning(null), serialize: rejected },
    deserialize: { ...returning(null), deserialize: rejected },
  }

  it.each(Object.entries(asynchronous))('%s', (method, serde) => {
    const own = topic('own', { value: serde })
    const input = method === 'serialize' ? words : own
    const program = topology('p', (builder) =>
      builder.stream(input).to(method === 'serialize' ? own : topic('out', { value: string })),
    )
    const skipping = { productionFailure: 'skip', deserializationFailure: 'skip' } as const
    using driver = testDriver(program, { policies: skipping })
    const thrown = thrownBy(() => driver.input(words.name === input.name ? words : own).pipe('k', 'v'))
    expect(thrown).toMatchObject({ code: 'PROMISE_RETURNED', actor: 'author' })
    expect(thrown.message).toContain(`${method} of the serde mine returned a promise`)
  })

  it.each(['serialize', 'deserialize'])('where it is declared: an async %s', (method) => {
    const serde = { ...returning(null), [method]: async () => null as never } as Serde<string>
    for (const declare of [
      () => topic('own', { value: serde }),
      () => topic('own', { key: serde, value: string }),
      () => keyValueStore('own', { value: serde }),
      () => nullable(serde),
      () => sessionWindowed(serde),
      () => topology('p', (builder) => builder.stream(words).repartition({ name: 'r', value: serde })),
    ])
      expect(declare).toThrow(`${method} needs a function that is not async`)
  })

  it('in a store', () => {
    const program = topology('p', (builder) =>
      builder
        .stream(words)
        .groupByKey()
        .aggregate({
          initial: () => '',
          add: (_: string, v: string) => v,
          store: 'latest',
          value: asynchronous['serialize'],
        } as never),
    )
    using driver = testDriver(program)
    expect(thrownBy(() => driver.input(words).pipe('k', 'v'))).toMatchObject({ code: 'PROMISE_RETURNED' })
  })
})

describe('the test driver', () => {
  it.each(returned)('refuses what a serializer of its input returns: %s', (kind, bad) => {
    const own = topic('own', { value: returning(bad) })
    using driver = testDriver(
      topology('p', (builder) => builder.stream(own).to(topic('out', { value: string }))),
    )
    expect(() => driver.input(own).pipe('k', 'bad')).toThrow(
      `the serde of the value returned ${kind} from serialize, not bytes (topic own)`,
    )
  })

  it.each<[unknown, unknown]>([
    ['k', null],
    [null, 'v'],
    [undefined, null],
    [null, [1]],
  ])('refuses bytes that are none: %j, %j', (key, value) => {
    using driver = testDriver(
      topology('p', (builder) => builder.stream(words).to(topic('out', { value: string }))),
    )
    expect(() => driver.input(words).pipeBytes(key as never, value as never)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    )
  })
})

describe('over a broker', () => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await startBroker()))
  afterAll(() => broker.close())

  it('a client refuses what is no bytes', async () => {
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    for (const [kind, bad] of returned) {
      const own = topic('own', { key: returning(bad), value: returning(bad) })
      for (const [part, record] of [
        ['key', { key: 'bad', value: 'good' }],
        ['value', { key: 'good', value: 'bad' }],
      ] as const)
        await expect(client.write(own, [record])).rejects.toThrow(
          `the serde of the ${part} returned ${kind} from serialize, not bytes (topic own)`,
        )
    }
    for (const record of [
      { key: 'kk', value: 'vv' },
      { key: null, value: 'vv' },
      { key: 5, value: null },
    ])
      await expect(client.writeBytes('own', [record as never])).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
      })
    await client.close()
  })

  it('an application fails the record', async () => {
    const [inn, out] = [topic('in', { value: string }), topic('out', { value: returning('text') })]
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    await client.createTopics([inn, out])
    await client.write(inn, [
      { key: 'k', value: 'bad' },
      { key: 'k', value: 'good' },
    ])
    const application = await start(
      topology('copying', (builder) => builder.stream(inn).to(out)),
      { bootstrapServers: broker.bootstrapServers, productionFailure: 'fail' },
      { logger: false },
    )
    await expect(application.done).rejects.toThrow(
      /the serde of the value returned a text from serialize, not bytes, written to topic out/,
    )
    await application.close().catch(() => undefined)
    await client.close()
  })
})

const thrownBy = (work: () => void): Error => {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
