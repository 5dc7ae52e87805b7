import { describe, expect, it } from 'vitest'
import type { TestDriverOptions } from '../../src/testing/index.ts'
import {
  dropInvalid,
  extractedFrom,
  failOnInvalid,
  string,
  topic,
  topology,
  usePartitionTime,
  wallClock,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { TimestampExtractor } from '../../src/topology/node.ts'

const words = topic('words', { value: string })
const out = topic('out', { value: string })

const timed = (timestampExtractor: TimestampExtractor, options: TestDriverOptions = {}) => {
  const driver = testDriver(
    topology('timed', (builder) => builder.stream(words, { timestampExtractor }).to(out)),
    options,
  )
  const times = () =>
    driver
      .output(out)
      .readAll()
      .map(({ timestamp }) => timestamp)
  const pipe = (timestamp: number, value = 'x') => driver.input(words).pipe('k', value, { timestamp })
  return { driver, times, pipe }
}

describe('the time of a record', () => {
  it('is its own where nobody extracts it, and a negative one drops it', () => {
    const { driver, times, pipe } = timed(dropInvalid)
    pipe(5)
    pipe(-1)
    expect(times()).toEqual([5])
    expect(driver.dropped()).toEqual({ negativeTimestamp: 1 })
  })

  it('is a failure of the record where it has to be valid', () => {
    const { pipe, times } = timed(failOnInvalid)
    pipe(5)
    expect(() => pipe(-1)).toThrow(/invalid timestamp -1/)
    expect(times()).toEqual([5])
  })

  it('that fails is judged by the failure policy, and the records after it go on', () => {
    const { driver, pipe, times } = timed(failOnInvalid, { onFailure: () => 'continue' })
    pipe(-1)
    pipe(7)
    expect(times()).toEqual([7])
    expect(driver.dropped()).toEqual({})
  })

  it('falls back on the largest time of its partition', () => {
    const { pipe, times } = timed(usePartitionTime)
    for (const timestamp of [5, 3, -1]) pipe(timestamp)
    expect(times()).toEqual([5, 3, 5])
    expect(() => timed(usePartitionTime).pipe(-1)).toThrow(/invalid timestamp/)
  })

  it('is the time of the clock where that is asked for', () => {
    const { driver, pipe, times } = timed(wallClock, { startMs: 1_000 })
    pipe(5)
    driver.advanceWallClock(20)
    pipe(6)
    expect(times()).toEqual([1_000, 1_020])
  })

  it('may stand in the record, with a fallback of your choice', () => {
    const inValue = extractedFrom<string, string>(({ value }) => Number(value), usePartitionTime)
    const { pipe, times } = timed(inValue as TimestampExtractor)
    pipe(1, '40')
    pipe(2, 'nothing')
    pipe(3, '50')
    expect(times()).toEqual([40, 40, 50])
    const strict = timed(extractedFrom<string, string>(({ value }) => Number(value)) as TimestampExtractor)
    expect(() => strict.pipe(1, 'nothing')).toThrow(/invalid timestamp/)
  })
})

describe('a stream of all topics that match', () => {
  const matching = () =>
    testDriver(
      topology('matching', (builder) => {
        builder
          .streamMatching(/orders-.+/, { key: string, value: string })
          .mapValues((value, { origin }) => `${origin?.topic}:${value}`, { value: string })
          .to(out)
      }),
    )
  const named = (name: string) => topic(name, { value: string })

  it('reads topics that appear while it runs', () => {
    const driver = matching()
    driver.input(named('orders-europe')).pipe('a', '1')
    driver.input(named('orders-america')).pipe('b', '2')
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'a', value: 'orders-europe:1' },
      { key: 'b', value: 'orders-america:2' },
    ])
  })

  it('leaves out topics whose name only contains a match', () => {
    const driver = matching()
    for (const name of ['old-orders-europe', 'orders-'])
      expect(() => driver.input(named(name))).toThrow(
        `no topology of this driver reads topic '${name}', and its name does not match /^(?:orders-.+)$/`,
      )
    expect(driver.output(out).readAll()).toEqual([])
  })
})

describe('several topics of one contract', () => {
  it('are one stream', () => {
    const other = topic('other-words', { value: string })
    const driver = testDriver(topology('several', (builder) => builder.stream([words, other]).to(out)))
    driver.input(words).pipe('a', '1')
    driver.input(other).pipe('b', '2')
    expect(
      driver
        .output(out)
        .readKeyValues()
        .map(({ value }) => value),
    ).toEqual(['1', '2'])
  })
})

describe('a sink', () => {
  it('writes to the topic each record names', () => {
    const driver = testDriver(
      topology('dynamic', (builder) => {
        builder.stream(words).to({ name: ({ key }) => `words-${key}`, key: string, value: string })
      }),
    )
    driver.input(words).pipe('a', '1')
    driver.input(words).pipe('b', '2')
    expect(driver.output(topic('words-a', { value: string })).readKeyValues()).toEqual([
      { key: 'a', value: '1' },
    ])
    expect(driver.output(topic('words-b', { value: string })).readKeyValues()).toEqual([
      { key: 'b', value: '2' },
    ])
  })

  it('writes to the partition its partitioner chooses, and by the key where it does not choose', () => {
    const partitionsWith = (choose: () => number | undefined): number[] => {
      const driver = testDriver(
        topology('partitioned', (builder) => builder.stream(words).to(out, { partitioner: choose })),
        { partitions: { out: 5 } },
      )
      for (const key of ['a', 'b', 'c']) driver.input(words).pipe(key, 'x')
      return driver
        .output(out)
        .readAll()
        .map(({ partition }) => partition)
    }
    expect(partitionsWith(() => 3)).toEqual([3, 3, 3])
    const byKey = partitionsWith(() => undefined)
    expect(new Set(byKey).size).toBeGreaterThan(1)
  })

  it('tells its partitioner how many partitions there are', () => {
    const counts: number[] = []
    const driver = testDriver(
      topology('counted', (builder) => {
        builder.stream(words).to(out, { partitioner: (_record, count) => void counts.push(count) })
      }),
      { partitions: { out: 4 } },
    )
    driver.input(words).pipe('a', 'x')
    expect(counts).toEqual([4])
  })
})

it.each(['timestampExtractor', 'maxTimestampAheadMs', 'offsetReset'])(
  'the option %s of streamMatching is refused beside the serdes, where it has no effect',
  (name) => {
    const contract = { key: string, value: string, [name]: 1_000 }
    expect(() =>
      topology('misplaced', (builder) => builder.streamMatching(/orders-.+/, contract).forEach(() => {})),
    ).toThrow(new RegExp(`takes ${name} in its third argument`))
  },
)
