import { describe, expect, it } from 'vitest'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const output = topic('output', { value: string })

const routed = (answer: unknown) =>
  topology('routed', (builder) => {
    builder.stream(words).to(output, { name: 'out', partitioner: () => answer as number })
  })

describe('a partitioner', () => {
  it.each([-1, 3, 1.5, NaN, Infinity, '1', true, {}])('that returns %j fails its record', (answer) => {
    using driver = testDriver(routed(answer), { partitions: 3 })
    expect(() => driver.input(words).pipe('k', 'a')).toThrow(
      expect.objectContaining({
        code: 'PARTITION_INVALID',
        message: expect.stringMatching(/returned .* for a topic of 3 partitions.*node out/),
        place: expect.objectContaining({ topic: 'words', offset: 0, node: 'out' }),
      }),
    )
    expect(driver.output(output).readAll()).toEqual([])
  })

  it('that returns no partition is a failure of production, under its policy', () => {
    using driver = testDriver(routed(-1), { partitions: 3, policies: { productionFailure: 'skip' } })
    driver.input(words).pipe('k', 'a')
    expect(driver.dropped()).toEqual({ failed: 1 })
  })

  it.each([
    ['0', 0, 0],
    ['2', 2, 2],
    ['-0 (what % makes of a negative hash)', -0, 0],
  ])('may return %s', (_what, answer, partition) => {
    using driver = testDriver(routed(answer), { partitions: 3 })
    driver.input(words).pipe('k', 'a')
    expect(
      driver
        .output(output)
        .readAll()
        .map((record) => record.partition),
    ).toEqual([partition])
  })

  it.each([undefined, null])('that returns %s leaves the choice to the key', (answer) => {
    using driver = testDriver(routed(answer), { partitions: 3 })
    driver.input(words).pipe('k', 'a')
    expect(driver.output(output).readAll()).toMatchObject([{ value: 'a' }])
  })

  it('that returns an array writes to each of its partitions once, in order', () => {
    using driver = testDriver(routed([2, 0, 2, -0]), { partitions: 3 })
    driver.input(words).pipe('k', 'a')
    const written = driver.output(output).readAll()
    expect(new Set(written.map(({ partition }) => partition))).toEqual(new Set([0, 2]))
    expect(written.map(({ key, value }) => [key, value])).toEqual([
      ['k', 'a'],
      ['k', 'a'],
    ])
    expect(driver.dropped()).toEqual({})
  })

  it('that returns an empty array drops its record, which is counted', () => {
    using driver = testDriver(routed([]), { partitions: 3 })
    driver.input(words).pipe('k', 'a')
    expect(driver.output(output).readAll()).toEqual([])
    expect(driver.dropped()).toEqual({ noPartition: 1 })
    expect(driver.drops()).toMatchObject([{ reason: 'noPartition', node: 'out' }])
  })

  it.each([[[0, 3]], [[0, '1']], [[0, undefined]], [[0, [1]]], [[0, 1.5]]])(
    'that returns the array %j fails its record before anything is written',
    (answer) => {
      using driver = testDriver(routed(answer), { partitions: 3, policies: { productionFailure: 'skip' } })
      driver.input(words).pipe('k', 'a')
      expect(driver.output(output).readAll()).toEqual([])
      expect(driver.dropped()).toEqual({ failed: 1 })
    },
  )

  it('that returns a promise is refused', () => {
    using driver = testDriver(routed(Promise.reject(new Error('late'))), { partitions: 3 })
    expect(() => driver.input(words).pipe('k', 'a')).toThrow(/partitioner returned a promise/)
  })
})
