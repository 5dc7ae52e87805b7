import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { string, topic, topology, tumbling } from '../../src/index.ts'
import type { SourceOptions } from '../../src/dsl/builder.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const out = topic('out', { value: string })

const counts = (options: SourceOptions<string, string> = {}) =>
  topology('counts', (builder) => {
    builder
      .stream(words, options)
      .groupByKey()
      .windowedBy(tumbling({ size: 100 }))
      .count({ store: 'counts' })
      .toStream({ select: ({ key }) => key })
      .mapValues((count) => `${count}`, { value: string })
      .to(out)
  })

const startMs = 10_000
const skip = { startMs, policies: { processingFailure: 'skip' } } as const
const extracted: SourceOptions<string, string> = { timestampExtractor: ({ value }) => Number(value) }

describe('a record further ahead of the clock than maxTimestampAheadMs', () => {
  it('fails with its place, its time and the bound', () => {
    using driver = testDriver(counts(), { startMs, maxTimestampAheadMs: 50 })
    driver.input(words).pipe('k', 'a', { timestamp: 10_050 })
    expect(() => driver.input(words).pipe('k', 'b', { timestamp: 10_051 })).toThrow(
      expect.objectContaining({
        code: 'TIMESTAMP_AHEAD',
        actor: 'record',
        message: expect.stringMatching(/time 10051 is 51 ms ahead.*maxTimestampAheadMs is 50/),
        place: expect.objectContaining({ topic: 'words', partition: 0, offset: 1 }),
      }),
    )
  })

  it('fails by the time that an extractor gives it', () => {
    using driver = testDriver(counts(extracted), { startMs, maxTimestampAheadMs: 50 })
    expect(() => driver.input(words).pipe('k', '99999999', { timestamp: 0 })).toThrow(/time 99999999 is/)
  })

  it('is accepted by a source whose own bound is wider, and once the clock has come near', () => {
    using wide = testDriver(counts({ maxTimestampAheadMs: 1_000 }), { startMs, maxTimestampAheadMs: 50 })
    wide.input(words).pipe('k', 'a', { timestamp: 11_000 })
    using driver = testDriver(counts(), { startMs, maxTimestampAheadMs: 50 })
    driver.advanceWallClock(1_000)
    driver.input(words).pipe('k', 'a', { timestamp: 11_000 })
    expect(driver.output(out).readAll()).toHaveLength(1)
  })

  it('is accepted where there is no bound', () => {
    using driver = testDriver(counts(), { startMs })
    driver.input(words).pipe('k', 'a', { timestamp: 99_999_999 })
    expect(driver.output(out).readAll()).toHaveLength(1)
  })

  it('never makes later records late', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 51, max: 1e12 }), { minLength: 1, maxLength: 20 }), (far) => {
        using driver = testDriver(counts({ maxTimestampAheadMs: 50 }), skip)
        for (const ahead of far) {
          driver.input(words).pipe('k', 'far', { timestamp: startMs + ahead })
          driver.input(words).pipe('k', 'near', { timestamp: startMs })
        }
        expect(driver.output(out).readAll()).toHaveLength(far.length)
      }),
    )
  })
})

it('a bound that is no whole number of milliseconds is refused', () => {
  expect(() => counts({ maxTimestampAheadMs: -1 })).toThrow(/maxTimestampAheadMs is -1/)
})
