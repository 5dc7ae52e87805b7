import { map as rxMap } from 'rxjs'
import { expect, it } from 'vitest'
import type { TopologyBuilder } from '../../src/dsl/builder.ts'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { hostile } from '../support/hostile.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })

type Verb = (builder: TopologyBuilder, check: (value: string) => string) => void

const verbs: Readonly<Record<string, Verb>> = {
  mapValues: (builder, check) => builder.stream(words).mapValues(check).to(output),
  map: (builder, check) =>
    builder
      .stream(words)
      .map(({ key, value }) => ({ key, value: check(value) }))
      .to(output),
  pipe: (builder, check) =>
    builder
      .stream(words)
      .pipe(rxMap(({ key, value }) => ({ key, value: check(value) })))
      .to(output),
  process: (builder, check) =>
    builder
      .stream(words)
      .process<string, string>((context) => ({
        process: ({ key, value }) => context.forward({ key, value: check(value) }),
      }))
      .to(output),
  aggregate: (builder, check) =>
    builder
      .stream(words)
      .groupByKey()
      .aggregate({ store: 's', value: string, initial: '', add: (_, value) => check(value) })
      .toStream()
      .to(output),
}

it.each(Object.keys(hostile).flatMap((what) => Object.keys(verbs).map((verb) => ({ what, verb }))))(
  'what a callback throws fails its record alone: $what in $verb',
  ({ what, verb }) => {
    const check = (value: string): string => {
      // oxlint-disable-next-line typescript/only-throw-error -- JavaScript throws anything
      if (value === 'bad') throw hostile[what]?.()
      return value
    }
    const plan = topology('hostile', (builder) => verbs[verb]?.(builder, check))
    using driver = testDriver(plan, { policies: { processingFailure: 'skip' } })
    for (const value of ['a', 'bad', 'c']) driver.input(words).pipe('k', value)
    expect(
      driver
        .output(output)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['a', 'c'])
    expect(driver.dropped()).toEqual({ failed: 1 })
  },
)
