import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Stream, TopologyBuilder, Windowed } from '../../src/index.ts'
import {
  hopping,
  session,
  sliding,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  within,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const events = topic('events', { value: string })
const partners = topic('partners', { value: string })
const results = topic('results', { value: string })
const emit = 'onWindowClose'
const store = 'rows'

const grouped = (builder: TopologyBuilder) => builder.stream(events).groupByKey()
/** The keys of what leaves. */
const keysOf = <V>(windows: Stream<Windowed<string>, V>): Stream<string, string> =>
  windows.map(({ key: { key } }) => ({ key, value: key }), { key: string, value: string })

/** What records leave for later: each key has one result, which leaves when stream time moves on. */
const waiting: Readonly<Record<string, (builder: TopologyBuilder) => Stream<string, string>>> = {
  'tumbling windows': (builder) =>
    keysOf(
      grouped(builder)
        .windowedBy(tumbling({ size: 10 }))
        .count({ store, emit })
        .toStream(),
    ),
  'hopping windows': (builder) =>
    keysOf(
      grouped(builder)
        .windowedBy(hopping({ size: 10, advance: 10 }))
        .count({ store, emit })
        .toStream(),
    ),
  'sliding windows': (builder) =>
    keysOf(
      grouped(builder)
        .windowedBy(sliding({ difference: 10 }))
        .count({ store, emit })
        .toStream(),
    ),
  sessions: (builder) =>
    keysOf(
      grouped(builder)
        .windowedBy(session({ gap: 10 }))
        .count({ store, emit })
        .toStream(),
    ),
  'windows suppressed until they close': (builder) =>
    keysOf(
      grouped(builder)
        .windowedBy(tumbling({ size: 10 }))
        .count({ store })
        .suppress(untilWindowCloses(), { store: 'suppressed' })
        .toStream(),
    ),
  'a table suppressed for some time': (builder) =>
    builder
      .table(events, { store })
      .suppress(untilTimeLimit({ limit: 10 }), { store: 'suppressed' })
      .toStream()
      .map(({ key }) => ({ key, value: key })),
  'records without partner': (builder) =>
    builder
      .stream(events)
      .leftJoin(builder.stream(partners), (event) => event, { name: 'pairs', windows: within(10) })
      .map(({ key }) => ({ key, value: key })),
}

const keys = ['a', 'b', 'c', 'd', 'e']

describe.each(['a record', 'an idle advance'])('what leaves because of %s', (cause) => {
  it.each(Object.keys(waiting))('fails alone where a step behind it throws: %s', (what) => {
    fc.assert(
      fc.property(fc.subarray(keys), (failing) => {
        const failures: string[] = []
        using driver = testDriver(
          topology('failed', (builder) =>
            waiting[what]?.(builder)
              .peek(({ key }) => {
                if (failing.includes(key)) throw new Error(key)
              })
              .to(results),
          ),
          {
            onFailure: ({ fault }) => {
              failures.push(fault.summary)
              return 'continue'
            },
          },
        )
        for (const key of keys) driver.input(events).pipe(key, 'x', { timestamp: 1 })
        if (cause === 'a record') driver.input(events).pipe('last', 'x', { timestamp: 1_000 })
        else driver.advanceStreamTime(1_000)
        driver.advanceStreamTime(5_000)
        const expected = keys.filter((key) => !failing.includes(key))
        if (cause === 'a record') expected.push('last')
        expect(
          driver
            .output(results)
            .readAll()
            .map(({ key }) => key),
        ).toEqual(expected)
        expect(failures).toEqual(failing)
      }),
      { numRuns: 20 },
    )
  })
})

it('a row that leaves a suppressed table at once is the failure of its own record', () => {
  using driver = testDriver(
    topology('at-once', (builder) =>
      builder
        .table(events, { store })
        .suppress(untilTimeLimit({ limit: 0 }), { store: 'suppressed' })
        .toStream()
        .mapValues((value) => {
          if (value === 'bad') throw new Error('bad')
          return value
        })
        .to(results),
    ),
    { policies: { processingFailure: 'deadLetter' } },
  )
  for (const value of ['good', 'bad', 'better']) driver.input(events).pipe(value, value, { timestamp: 1 })
  expect(
    driver
      .output(results)
      .readKeyValues()
      .map(({ value }) => value),
  ).toEqual(['good', 'better'])
  const dead = driver.output(topic('dead-letters', { value: string })).readKeyValues()
  expect(dead).toEqual([{ key: 'bad', value: 'bad' }])
  expect(driver.dropped()).toEqual({ failed: 1 })
})
