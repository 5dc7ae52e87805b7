import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const texts = topic('texts', { value: string })
const copies = topic('copies', { value: string })
const copy = topology('copy', (builder) =>
  builder
    .stream(texts)
    .mapValues((text) => text + text)
    .to(copies),
)
const collect = topology('collect', (builder) => {
  builder
    .stream(texts)
    .groupByKey()
    .aggregate({
      store: 'lists',
      value: z.array(z.string()),
      initial: [],
      add: (list, text) => [...list, text],
    })
})

describe('a record above maxRequestSize', () => {
  const policies = { productionFailure: 'skip', processingFailure: 'skip' } as const

  it.each([
    ['its setting', { maxRequestSize: 2_048 }, 1_000],
    ['1 MiB', {}, 600_000],
  ])('fails at the sink of the test driver, as in production: %s', (_what, options, length) => {
    using driver = testDriver(copy, { ...options, policies })
    driver.input(texts).pipe('k', 'x'.repeat(length))
    driver.input(texts).pipe('k', 'y')
    expect(driver.output(copies).readKeyValues()).toEqual([{ key: 'k', value: 'yy' }])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })

  it('names the setting, the topic and the partition', () => {
    using driver = testDriver(copy, { maxRequestSize: 2_048 })
    expect(() => driver.input(texts).pipe('k', 'x'.repeat(1_000))).toThrow(
      /2001 bytes exceeds maxRequestSize \(2048\), written to topic copies, partition 0/,
    )
  })

  it('fails at a store that has a changelog', () => {
    using driver = testDriver(collect, { maxRequestSize: 2_048, policies })
    for (const letter of ['a', 'b', 'c', 'd']) driver.input(texts).pipe('k', letter.repeat(500))
    expect(driver.rows<string, string[]>('lists').map(([, list]) => list.length)).toEqual([3])
    expect(driver.dropped()).toEqual({ failed: 1 })
  })
})
