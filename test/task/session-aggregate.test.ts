import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { long, nullable, session, sessionWindowed, string, topic, topology } from '../../src/index.ts'
import type { SessionStore } from '../../src/state/store.ts'
import { testDriver } from '../../src/testing/index.ts'

const events = topic('events', { value: string })
const late = topic('late', { value: string })
const counts = topic('counts', { key: sessionWindowed(string), value: nullable(long) })

const countsOf = (gap: number, grace: number) =>
  topology('sessions', (builder) => {
    builder
      .stream(events)
      .groupByKey()
      .windowedBy(session({ gap, grace }))
      .count({ store: 'counts', dropped: { late: (records) => records.to(late) } })
      .toStream()
      .to(counts)
  })

/** Runs of times no further apart than the gap. */
const sessionsOf = (gap: number, times: readonly number[]): readonly (readonly number[])[] => {
  const runs: number[][] = []
  for (const time of times.toSorted((left, right) => left - right)) {
    const last = runs.at(-1)
    if (last !== undefined && time - (last.at(-1) as number) <= gap) last.push(time)
    else runs.push([time])
  }
  return runs
}

describe('sessions', () => {
  it('are the runs of records no further apart than the gap, in any order of arrival', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(150), { maxLength: 40 }), (gap, times) => {
        const driver = testDriver(countsOf(gap, 10_000))
        for (const timestamp of times) driver.input(events).pipe('k', 'x', { timestamp })
        const store = driver.store<SessionStore<string, number>>('counts')
        const found = [...store.all()].map(([{ startMs, endMs }, count]) => ({ startMs, endMs, count }))
        expect(found).toEqual(
          sessionsOf(gap, times).map((run) => ({ startMs: run[0], endMs: run.at(-1), count: run.length })),
        )
      }),
      { numRuns: 200 },
    )
  })

  it.each(['onUpdate', 'onCommit'] as const)(
    'regrouped by key sum up to the number of records, emitted %s, also where records share an instant',
    (emit) => {
      const sums = topic('sums', { value: long })
      const summed = topology('summed', (builder) => {
        builder
          .stream(events)
          .groupByKey()
          .windowedBy(session({ gap: 5, grace: 10_000 }))
          .count({ store: 'counts', emit })
          .groupBy((count, { key }) => ({ key, value: count }), { name: 'by-key', value: long })
          .reduce({ store: 'sums', add: (sum, count) => sum + count, subtract: (sum, count) => sum - count })
          .toStream()
          .to(sums)
      })
      fc.assert(
        fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }), fc.boolean(), (times, atOnce) => {
          const driver = testDriver(summed)
          const records = times.map((timestamp) => ({ key: 'k', value: 'x', timestamp }))
          if (atOnce) driver.input(events).pipeAll(records)
          else for (const record of records) driver.input(events).pipe('k', 'x', record)
          expect(driver.output(sums).readTable()).toEqual(new Map([['k', times.length]]))
        }),
        { numRuns: 50 },
      )
    },
  )

  it('deleted at their single instant are emitted as deleted on commit', () => {
    const lists = topic('lists', { key: sessionWindowed(string), value: nullable(string) })
    const driver = testDriver(
      topology('deleted', (builder) => {
        builder
          .stream(events)
          .groupByKey()
          .windowedBy(session({ gap: 5 }))
          .aggregate<string>({
            store: 'lists',
            value: string,
            emit: 'onCommit',
            initial: () => '',
            add: (list, value) => (value === 'delete' ? null : list + value) as string,
            merge: (left, right) => left + right,
          })
          .toStream()
          .to(lists)
      }),
    )
    for (const value of ['a', 'delete']) driver.input(events).pipe('k', value, { timestamp: 0 })
    expect(
      driver
        .output(lists)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['a', null])
  })

  it('what was told adds up to what is kept: a deletion for every session that went into another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(150), { maxLength: 40 }), (gap, times) => {
        const driver = testDriver(countsOf(gap, 10_000))
        for (const timestamp of times) driver.input(events).pipe('k', 'x', { timestamp })
        const told = new Map<string, number>()
        for (const { key, value } of driver.output(counts).readAll())
          if (value === null) told.delete(`${key.startMs}-${key.endMs}`)
          else told.set(`${key.startMs}-${key.endMs}`, value)
        const kept = [...driver.store<SessionStore<string, number>>('counts').all()]
        expect(told).toEqual(new Map(kept.map(([key, count]) => [`${key.startMs}-${key.endMs}`, count])))
      }),
      { numRuns: 100 },
    )
  })

  it('a record between two sessions makes them one, and they are deleted first', () => {
    const driver = testDriver(countsOf(10, 100))
    for (const timestamp of [0, 20, 10]) driver.input(events).pipe('k', 'x', { timestamp })
    expect(driver.output(counts).readAll().slice(2)).toMatchObject([
      { key: { startMs: 0, endMs: 0 }, value: null, timestamp: 0 },
      { key: { startMs: 20, endMs: 20 }, value: null, timestamp: 20 },
      { key: { startMs: 0, endMs: 20 }, value: 3, timestamp: 20 },
    ])
  })

  it('a record whose session has closed is late, unless it reaches one that is open', () => {
    const driver = testDriver(countsOf(10, 5))
    driver.input(events).pipe('k', 'first', { timestamp: 20 })
    driver.input(events).pipe('k', 'second', { timestamp: 30 })
    driver.input(events).pipe('k', 'reaches the session of 20', { timestamp: 14 })
    driver.input(events).pipe('other', 'reaches nothing', { timestamp: 14 })
    expect(driver.output(late).readKeyValues()).toEqual([{ key: 'other', value: 'reaches nothing' }])
    expect(driver.dropped()).toEqual({ late: 1 })
  })
})
