import { describe, expect, it } from 'vitest'
import { map } from 'rxjs'
import type { Stream } from '../../src/dsl/stream.ts'
import { string, topic, topology } from '../../src/index.ts'
import type { SourceOptions } from '../../src/dsl/builder.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })
type Words = Stream<string, string>

const timed = (step: (stream: Words) => Words, options: SourceOptions<string, string> = {}) =>
  topology('timed', (builder) => step(builder.stream(words, options)).to(output))

const noTimes: readonly (readonly [string, unknown])[] = [
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['a Date', new Date(0)],
  ['text', '1700000000000'],
  ['null', null],
  ['a bigint', 17n],
  ['more than 2^53', 2 ** 60],
]

/** The steps that may give a record another time. */
const steps: readonly (readonly [string, (timestamp: number) => (stream: Words) => Words])[] = [
  ['map', (timestamp) => (stream) => stream.map(({ key, value }) => ({ key, value, timestamp }))],
  ['flatMap', (timestamp) => (stream) => stream.flatMap(({ key, value }) => [{ key, value, timestamp }])],
  ['pipe', (timestamp) => (stream) => stream.pipe(map(({ key, value }) => ({ key, value, timestamp })))],
  [
    'pipe of records',
    (timestamp) => (stream) => stream.pipe(map((record) => record.withTimestamp(timestamp))),
  ],
  [
    'process',
    (timestamp) => (stream) =>
      stream.process<string, string>((context) => ({
        process: ({ key, value }) => context.forward({ key, value, timestamp }),
      })),
  ],
  [
    'processValues',
    (timestamp) => (stream) =>
      stream.processValues<string>((context) => ({
        process: ({ value }) => context.forward({ value, timestamp }),
      })),
  ],
]

describe.each(steps)('the time that %s gives a record', (_verb, step) => {
  it.each(noTimes)('fails the record where it is %s', (_what, timestamp) => {
    const program = timed(step(timestamp as number))
    using driver = testDriver(program)
    expect(() => driver.input(words).pipe('k', 'a')).toThrow(
      expect.objectContaining({
        code: 'TIMESTAMP_INVALID',
        actor: 'record',
        place: expect.objectContaining({ topic: 'words', offset: 0 }),
      }),
    )
    using skipping = testDriver(program, { policies: { processingFailure: 'skip' } })
    skipping.input(words).pipe('k', 'a')
    expect(skipping.dropped()).toEqual({ failed: 1 })
  })

  it('is floored where it is a fraction', () => {
    using driver = testDriver(timed(step(1_700_000_000_123.4)))
    driver.input(words).pipe('k', 'a')
    expect(driver.output(output).readAll()).toMatchObject([{ timestamp: 1_700_000_000_123 }])
  })

  it('fails the record where it is negative, as in Kafka Streams', () => {
    using driver = testDriver(timed(step(-1)))
    expect(() => driver.input(words).pipe('k', 'a')).toThrow(/negative timestamp -1/)
  })
})

describe('the time that an extractor gives a record', () => {
  const extracted = (timestamp: unknown) =>
    timed((stream) => stream, { timestampExtractor: () => timestamp as number })

  it.each(noTimes)('fails the record where it is %s', (_what, timestamp) => {
    using driver = testDriver(extracted(timestamp))
    expect(() => driver.input(words).pipe('k', 'a')).toThrow(/timestamp extractor gave .* as a timestamp/)
    using skipping = testDriver(extracted(timestamp), { policies: { processingFailure: 'skip' } })
    skipping.input(words).pipe('k', 'a')
    expect(skipping.dropped()).toEqual({ failed: 1 })
  })

  it('is floored where it is a fraction, and drops the record where it is negative', () => {
    using driver = testDriver(extracted(7.9))
    driver.input(words).pipe('k', 'a')
    expect(driver.output(output).readAll()).toMatchObject([{ timestamp: 7 }])
    using negative = testDriver(extracted(-3))
    negative.input(words).pipe('k', 'a')
    expect(negative.dropped()).toEqual({ negativeTimestamp: 1 })
  })
})
