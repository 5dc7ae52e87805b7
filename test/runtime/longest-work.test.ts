import { describe, expect, it } from 'vitest'
import type { AsyncOptions } from '../../src/dsl/map-async.ts'
import { string, topic, topology } from '../../src/index.ts'
import { allowLongestWork, longestWorkOf, longWorkWarnings } from '../../src/runtime/longest-work.ts'
import type { RuntimeSettings } from '../../src/runtime/runtime-settings.ts'

const settings = {
  processingGuarantee: 'exactly_once',
  transactionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  commitIntervalMs: 100,
} as RuntimeSettings

const calling = (...steps: readonly Omit<AsyncOptions, 'name'>[]) =>
  topology('calls', (builder) => {
    let stream = builder.stream(topic('in', { value: string }))
    for (const options of steps)
      stream = stream.mapValuesAsync((value) => Promise.resolve(value), { ...options, value: string })
    stream.to(topic('out', { value: string }))
  })

const hanging = calling({ timeout: 5_000, retry: { attempts: 3 } })

describe('the longest work of one record', () => {
  it('is all its attempts and the pauses between them', () => {
    expect(longestWorkOf(hanging)).toMatchObject({ durationMs: 15_300 })
  })

  it('adds up over steps that follow each other', () => {
    expect(longestWorkOf(calling({ timeout: 3_000 }, { timeout: 4_000 }))).toMatchObject({
      durationMs: 7_000,
    })
  })

  it('takes the longest of branches and begins again behind a repartition topic', () => {
    const program = topology('branches', (builder) => {
      const stream = builder.stream(topic('in', { value: string }))
      const call = { timeout: 3_000, value: string }
      stream.mapValuesAsync((value) => Promise.resolve(value), call).to(topic('one', { value: string }))
      stream
        .mapValuesAsync((value) => Promise.resolve(value), { ...call, timeout: 4_000 })
        .repartition({ name: 'again' })
        .mapValuesAsync((value) => Promise.resolve(value), call)
        .to(topic('two', { value: string }))
    })
    expect(longestWorkOf(program).durationMs).toBe(4_000)
  })

  it('raises a transaction timeout that is below it, with a warning that names the steps', () => {
    const { transactionTimeoutMs, rebalanceTimeoutMs } = allowLongestWork(hanging, settings)
    expect({ transactionTimeoutMs, rebalanceTimeoutMs }).toEqual({
      transactionTimeoutMs: 19_460,
      rebalanceTimeoutMs: 60_000,
    })
    expect(longWorkWarnings(hanging, settings)).toEqual([
      expect.stringMatching(/15300 ms.*mapValuesAsync.*transactionTimeoutMs is raised from 10000 to 19460/),
    ])
  })

  it('leaves timeouts alone that are long enough', () => {
    expect(allowLongestWork(calling({}), settings)).toEqual(settings)
    expect(longWorkWarnings(calling({}), settings)).toEqual([])
    expect(longWorkWarnings(hanging, { ...settings, processingGuarantee: 'at_least_once' })).toEqual([])
  })

  it('raises the rebalance timeout under either guarantee', () => {
    const slow = calling({ timeout: 60_000 })
    expect(allowLongestWork(slow, settings).rebalanceTimeoutMs).toBe(73_100)
    expect(longWorkWarnings(slow, { ...settings, processingGuarantee: 'at_least_once' })).toEqual([
      expect.stringContaining('rebalanceTimeoutMs is raised from 60000 to 73100'),
    ])
  })

  it('is refused where no broker keeps a transaction open for as long', () => {
    const endless = calling({ timeout: 600_000, retry: { attempts: 3 } })
    expect(() => longWorkWarnings(endless, settings)).toThrow(
      expect.objectContaining({ code: 'ASYNC_WORK_TOO_LONG', actor: 'author' }),
    )
    expect(() =>
      longWorkWarnings(endless, { ...settings, processingGuarantee: 'at_least_once' }),
    ).not.toThrow()
  })
})
