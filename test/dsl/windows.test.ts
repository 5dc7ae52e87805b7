import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  days,
  hopping,
  hours,
  joinWindows,
  milliseconds,
  minutes,
  seconds,
  session,
  sessionStore,
  sliding,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  versionedStore,
  windowStore,
  within,
} from '../../src/index.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'

const events = topic('events', { value: string })

describe('windows', () => {
  it('have no grace unless given one', () => {
    expect(tumbling({ size: minutes(5) })).toEqual({
      kind: 'time',
      sizeMs: 300_000,
      advanceMs: 300_000,
      graceMs: 0,
    })
    expect(session({ gap: 10 })).toEqual({ kind: 'session', gapMs: 10, graceMs: 0 })
    expect(sliding({ difference: 10, grace: 3 })).toEqual({ kind: 'sliding', differenceMs: 10, graceMs: 3 })
  })

  it.each([
    ['a size of 0', () => tumbling({ size: 0 })],
    ['a size that is no whole number', () => tumbling({ size: 1.5 })],
    ['an advance beyond the size', () => hopping({ size: 10, advance: 11 })],
    ['an advance of 0', () => hopping({ size: 10, advance: 0 })],
    ['a negative difference', () => sliding({ difference: -1 })],
    ['a difference of nothing', () => sliding({ difference: 0 })],
    ['a gap of nothing', () => session({ gap: 0 })],
    ['a negative gap', () => session({ gap: -1 })],
    ['a negative grace', () => session({ gap: 1, grace: -1 })],
  ])('refuse %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'WINDOW_INVALID' }))
  })

  it.each([
    ['a negative limit', () => untilTimeLimit({ limit: -1 })],
    ['a bound of no records', () => untilTimeLimit({ limit: 1, maxRecords: 0 })],
    ['a bound of no bytes', () => untilWindowCloses({ maxBytes: 0 })],
  ])('suppression refuses %s', (_what, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'SUPPRESSION_INVALID' }))
  })
})

const stored = (store: StoreDefinition) => topology('app', (builder) => builder.store(store))

/** Everything that takes a length of time when a topology is defined. */
const lengths: Readonly<Record<string, (length: number) => unknown>> = {
  'the size of tumbling windows': (size) => tumbling({ size }),
  'the size of hopping windows': (size) => hopping({ size, advance: 1 }),
  'the advance of hopping windows': (advance) => hopping({ size: 10, advance }),
  'the difference of sliding windows': (difference) => sliding({ difference }),
  'the gap of sessions': (gap) => session({ gap }),
  'the grace of tumbling windows': (grace) => tumbling({ size: 10, grace }),
  'the grace of hopping windows': (grace) => hopping({ size: 10, advance: 5, grace }),
  'the grace of sliding windows': (grace) => sliding({ difference: 10, grace }),
  'the grace of sessions': (grace) => session({ gap: 10, grace }),
  'the time before a record of joinWindows': (before) => joinWindows({ before, after: 5 }),
  'the time after a record of joinWindows': (after) => joinWindows({ before: 5, after }),
  'the grace of joinWindows': (grace) => joinWindows({ before: 5, after: 5, grace }),
  'the difference of within': (difference) => within(difference),
  'the grace of within': (grace) => within(5, { grace }),
  'the limit of untilTimeLimit': (limit) => untilTimeLimit({ limit }),
  'the size of a window store': (size) => stored(windowStore('s', { value: string, size, retention: 10 })),
  'the retention of a window store': (retention) =>
    stored(windowStore('s', { value: string, size: 1, retention })),
  'the retention of a session store': (retention) => stored(sessionStore('s', { value: string, retention })),
  'the history of a versioned store': (historyRetention) =>
    stored(versionedStore('s', { value: string, historyRetention })),
}

const noLength = fc.oneof(
  fc.constantFrom(Number.NaN, Infinity, -Infinity, 2 ** 53, 0.1),
  fc.double({ noInteger: true, noNaN: true, min: 0, max: 2 ** 40, minExcluded: true }),
)

describe('a length that is no whole number of milliseconds', () => {
  it.each(Object.keys(lengths))('is refused as %s, when it is defined', (what) => {
    const define = lengths[what] as (length: number) => unknown
    expect(() => define(10)).not.toThrow()
    fc.assert(
      fc.property(noLength, (length) => {
        expect(() => define(length)).toThrow(
          expect.objectContaining({
            code: expect.stringMatching(/_INVALID$/),
            actor: 'author',
            message: expect.stringContaining(String(length)),
          }),
        )
      }),
    )
  })

  it.each([
    ['milliseconds', milliseconds, 0.5],
    ['seconds', seconds, 0.0001],
    ['minutes', minutes, 0.000001],
    ['hours', hours, 1 / 7],
    ['days', days, 1 / 7],
  ] as const)('is not made by %s', (unit, make, fraction) => {
    expect(make(2)).toBe(make(4) / 2)
    for (const count of [Number.NaN, Infinity, -Infinity, 2 ** 53, fraction])
      expect(() => make(count)).toThrow(`${count} ${unit} are no whole number of milliseconds`)
    for (const count of ['5', null, undefined, [5]])
      expect(() => make(count as never)).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }))
  })
})

describe('the store of a windowed aggregate', () => {
  const retentionOf = (
    windows: ReturnType<typeof tumbling> | ReturnType<typeof sliding>,
    retention?: number,
  ) =>
    topology('app', (builder) => {
      builder
        .stream(events)
        .groupByKey()
        .windowedBy(windows)
        .count({ store: 'counts', ...(retention === undefined ? {} : { retention }) })
    }).stores[0]

  it('keeps windows as long as they may change', () => {
    expect(retentionOf(tumbling({ size: 10, grace: 5 }))).toMatchObject({ windowSizeMs: 10, retentionMs: 15 })
    expect(retentionOf(sliding({ difference: 10, grace: 5 }))).toMatchObject({
      windowSizeMs: 10,
      retentionMs: 25,
    })
  })

  it('keeps them longer where asked to, and never shorter', () => {
    expect(retentionOf(tumbling({ size: 10 }), 100)).toMatchObject({ retentionMs: 100 })
    expect(() => retentionOf(tumbling({ size: 10, grace: 5 }), 14)).toThrow(/keeps windows for 14 ms/)
  })
})

describe('a suppression', () => {
  it('is refused over a versioned table, computed ones too', () => {
    const versions = () =>
      topology('app', (builder) => {
        builder
          .table(events, { store: 'versions', versioned: { historyRetention: minutes(5) } })
          .filter((value) => value !== '')
          .suppress(untilTimeLimit({ limit: 10 }), { store: 'waiting' })
      })
    expect(versions).toThrow(/versioned table/)
  })
})
