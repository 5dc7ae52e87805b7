import { describe, expect, it } from 'vitest'
import {
  hopping,
  minutes,
  session,
  sliding,
  string,
  topic,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'

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
