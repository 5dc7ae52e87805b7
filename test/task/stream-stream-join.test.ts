import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { joinWindows, nullable, string, topic, topology, within } from '../../src/index.ts'
import type { JoinWindows } from '../../src/topology/windows.ts'
import { testDriver } from '../../src/testing/index.ts'
import type { JoinKind } from '../support/join-streams.ts'
import { joinStreams } from '../support/join-streams.ts'
import { LoneTask } from '../support/lone-task.ts'

const left = topic('left', { key: nullable(string), value: nullable(string) })
const right = topic('right', { key: nullable(string), value: nullable(string) })
const out = topic('out', { key: nullable(string), value: string })

const pair = (one: string | null, other: string | null): string => `${one}+${other}`

const joined = (kind: JoinKind, windows: JoinWindows): Topology =>
  topology('joined', (builder) => {
    joinStreams(kind, builder.stream(left), builder.stream(right), pair, { name: 'pairs', windows }).to(out)
  })

interface Arrival {
  readonly side: 'left' | 'right'
  readonly key: string
  readonly timestamp: number
}

const lateness = 8

/** Arrivals that are never later than `lateness`, out of order within it. */
const arrivals = fc
  .array(
    fc.record({
      side: fc.constantFrom('left' as const, 'right' as const),
      key: fc.constantFrom('a', 'b'),
      step: fc.nat(12),
      late: fc.nat(lateness),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let now = 0
    return steps.map(({ side, key, step, late }): Arrival => {
      now += step
      return { side, key, timestamp: Math.max(0, now - late) }
    })
  })

const outputsOf = (kind: JoinKind, windows: JoinWindows, all: readonly Arrival[]): string[] => {
  const driver = testDriver(joined(kind, windows))
  all.forEach(({ side, key, timestamp }, index) =>
    driver.input(side === 'left' ? left : right).pipe(key, `${side[0]}${index}`, { timestamp }),
  )
  driver.advanceStreamTime(1_000_000)
  return driver
    .output(out)
    .readAll()
    .map(({ key, value, timestamp }) => `${key}:${value}@${timestamp}`)
}

/** What a join is: every pair of one key within the window, and those that are in no pair. */
const relational = (
  kind: JoinKind,
  { beforeMs, afterMs }: JoinWindows,
  all: readonly Arrival[],
): string[] => {
  const named = all.map((arrival, index) => ({ ...arrival, value: `${arrival.side[0]}${index}` }))
  const lefts = named.filter(({ side }) => side === 'left')
  const rights = named.filter(({ side }) => side === 'right')
  const pairs = lefts.flatMap((one) =>
    rights
      .filter(({ key, timestamp }) => {
        const apart = timestamp - one.timestamp
        return key === one.key && apart >= -beforeMs && apart <= afterMs
      })
      .map((other) => ({ one, other })),
  )
  const alone = (side: 'one' | 'other', of: typeof named): typeof named =>
    of.filter((each) => !pairs.some((found) => found[side] === each))
  return [
    ...pairs.map(
      ({ one, other }) =>
        `${one.key}:${pair(one.value, other.value)}@${Math.max(one.timestamp, other.timestamp)}`,
    ),
    ...(kind === 'inner' ? [] : alone('one', lefts)).map(
      ({ key, value, timestamp }) => `${key}:${pair(value, null)}@${timestamp}`,
    ),
    ...(kind === 'outer' ? alone('other', rights) : []).map(
      ({ key, value, timestamp }) => `${key}:${pair(null, value)}@${timestamp}`,
    ),
  ]
}

const kinds = fc.constantFrom<JoinKind>('inner', 'left', 'outer')
const patient = fc
  .record({ before: fc.integer({ min: lateness, max: 20 }), after: fc.integer({ min: lateness, max: 20 }) })
  .map((sides) => joinWindows({ ...sides, grace: lateness }))
const any = fc
  .record({ before: fc.nat(12), after: fc.nat(12), grace: fc.nat(12) })
  .map((options) => joinWindows(options))

describe('a join of two streams', () => {
  it('is the relational join where no record is later than windows and grace allow', () => {
    fc.assert(
      fc.property(kinds, patient, arrivals, (kind, windows, all) => {
        expect(outputsOf(kind, windows, all).toSorted()).toEqual(relational(kind, windows, all).toSorted())
      }),
      { numRuns: 150 },
    )
  })

  it('never invents or repeats a pair, however late its records are', () => {
    fc.assert(
      fc.property(any, arrivals, (windows, all) => {
        const found = outputsOf('inner', windows, all)
        const allowed = new Set(relational('inner', windows, all))
        expect(new Set(found).size).toBe(found.length)
        expect(found.filter((each) => !allowed.has(each))).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('tells every record of an outer join, at the latest when its window has closed', () => {
    fc.assert(
      fc.property(any, arrivals, (windows, all) => {
        const told = outputsOf('outer', windows, all).join(' ')
        all.forEach(({ side }, index) => expect(told).toMatch(new RegExp(`\\b${side[0]}${index}\\b`)))
      }),
      { numRuns: 100 },
    )
  })

  it('refuses windows that hold no time and negative graces', () => {
    expect(() => joinWindows({ before: 5, after: -6 })).toThrow(/no time between/)
    expect(() => within(5, { grace: -1 })).toThrow(/negative/)
    expect(joinWindows({ before: 5, after: -5 })).toEqual({ beforeMs: 5, afterMs: -5, graceMs: 0 })
  })

  it.each([
    { grace: 0, values: [] },
    { grace: 1, values: ['x+y'] },
  ])('joins records of one time within 0 ms as Kafka Streams does, grace $grace', ({ grace, values }) => {
    const lone = new LoneTask(joined('inner', within(0, { grace })))
    lone.pipe(left, 'a', 'x', { timestamp: 1_000 })
    lone.pipe(right, 'a', 'y', { timestamp: 1_000 })
    expect(lone.values()).toEqual(values)
  })

  it('keeps its partners in sight when a null value comes later', () => {
    const lone = new LoneTask(joined('inner', joinWindows({ before: 9, after: 1, grace: 2 })))
    lone.pipe(right, 'a', 'y', { timestamp: 0 })
    lone.pipe(right, 'b', null, { timestamp: 25 })
    lone.pipe(left, 'a', 'x', { timestamp: 8 })
    expect(lone.values()).toEqual(['x+y'])
    expect(lone.dropped).toEqual(['nullValue'])
  })

  it('lets a record at the beginning of time wait, though its window ends before that', () => {
    const lone = new LoneTask(joined('left', joinWindows({ before: 8, after: -1 })))
    lone.pipe(left, 'a', 'x', { timestamp: 0 })
    expect(lone.values()).toEqual([])
    lone.task.advanceStreamTime(20)
    expect(lone.values()).toEqual(['x+null'])
  })

  it('carries the headers of the record that completed the pair', () => {
    const driver = testDriver(joined('inner', within(5)))
    driver.input(left).pipe('a', 'x', { timestamp: 0, headers: [['side', null]] })
    driver.input(right).pipe('a', 'y', { timestamp: 0, headers: [['other', null]] })
    expect(driver.output(out).readAll()[0]?.headers).toEqual([['other', null]])
  })
})

describe('records without partner', () => {
  it('wait through a restart and are told when their window closes', () => {
    const lone = new LoneTask(joined('outer', within(10)))
    lone.pipe(left, 'a', 'x', { timestamp: 0 })
    lone.pipe(right, 'b', 'y', { timestamp: 1 })
    lone.restart()
    lone.pipe(left, 'c', 'z', { timestamp: 12 })
    expect(lone.values()).toEqual(['x+null', 'null+y'])
  })

  it('find after a restart the partners that came before it, and are told no more', () => {
    const lone = new LoneTask(joined('left', within(10)))
    lone.pipe(left, 'a', 'x', { timestamp: 0 })
    lone.restart()
    lone.pipe(right, 'a', 'y', { timestamp: 5 })
    lone.pipe(left, 'c', 'z', { timestamp: 100 })
    expect(lone.values()).toEqual(['x+y'])
  })

  it('leave by time, right before left, then key, each key in the order of arrival', () => {
    const lone = new LoneTask(joined('outer', within(10)))
    lone.pipe(left, 'b', 'l1', { timestamp: 5 })
    lone.pipe(left, 'a', 'l2', { timestamp: 5 })
    lone.pipe(left, 'a', 'l3', { timestamp: 5 })
    lone.pipe(right, 'c', 'r4', { timestamp: 5 })
    lone.pipe(right, 'd', 'r5', { timestamp: 4 })
    expect(lone.values()).toEqual([])
    lone.task.advanceStreamTime(16)
    expect(lone.values()).toEqual(['null+r5', 'null+r4', 'l2+null', 'l3+null', 'l1+null'])
  })

  it('leave while the input is idle once stream time is moved on, at their own times', () => {
    const lone = new LoneTask(joined('left', within(10, { grace: 5 })))
    lone.pipe(left, 'a', 'x', { timestamp: 3 })
    lone.task.advanceStreamTime(18)
    expect(lone.values()).toEqual([])
    lone.task.advanceStreamTime(19)
    expect(lone.sent.map(({ record }) => [record.key, record.timestamp])).toEqual([['a', 3]])
  })
})

describe('a join of rekeyed streams', () => {
  it('brings equal keys together through repartition topics named for the join', () => {
    const driver = testDriver(
      topology('rekeyed', (builder) => {
        const keyed = topic('keyed', { value: string })
        const other = topic('other', { value: string })
        builder
          .stream(keyed)
          .selectKey(({ value }) => value)
          .join(builder.stream(other), (one, two) => `${one}${two}`, { name: 'pairs', windows: within(5) })
          .to(out)
        builder.stream(other, { name: 'again' })
      }),
      { partitions: 3 },
    )
    const keyed = topic('keyed', { value: string })
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      driver.input(keyed).pipe(`other-${key}`, key, { timestamp: 0 })
      driver.input(topic('other', { value: string })).pipe(key, '!', { timestamp: 0 })
    }
    expect(driver.output(out).readAll()).toHaveLength(5)
    expect(driver.topics()).toContain('rekeyed-pairs-left-repartition')
  })
})
