import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Table, Windowed } from '../../src/index.ts'
import {
  hopping,
  long,
  minutes,
  nullable,
  seconds,
  session,
  sessionWindowed,
  sliding,
  string,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const events = topic('events', { value: string })
const ids = topic('ids', { value: long })
// Both bounds of every kind of window are on the topic.
const final = topic('final', { key: sessionWindowed(string), value: nullable(long) })

type Kind = 'tumbling' | 'hopping' | 'sliding' | 'session'
const counted = (kind: Kind, emit: 'onUpdate' | 'onWindowClose') =>
  topology('closed', (builder) => {
    const grouped = builder.stream(events).groupByKey()
    const options = { store: 'counts', emit } as const
    // A store that is emitted on close keeps its windows a millisecond longer, as in Kafka Streams.
    const keeping = (retention: number) => (emit === 'onUpdate' ? { ...options, retention } : options)
    const tables: Readonly<Record<Kind, () => Table<Windowed<string>, number>>> = {
      tumbling: () => grouped.windowedBy(tumbling({ size: 10, grace: 5 })).count(keeping(16)),
      hopping: () => grouped.windowedBy(hopping({ size: 10, advance: 3, grace: 5 })).count(keeping(16)),
      sliding: () => grouped.windowedBy(sliding({ difference: 10, grace: 5 })).count(keeping(26)),
      session: () => grouped.windowedBy(session({ gap: 5, grace: 5 })).count(options),
    }
    tables[kind]().toStream().to(final)
  })

const steps = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b'),
    step: fc.oneof({ weight: 9, arbitrary: fc.nat(8) }, fc.nat(200)),
    late: fc.nat(25),
  }),
  {
    maxLength: 40,
  },
)
const kinds = fc.constantFrom<Kind>('tumbling', 'hopping', 'sliding', 'session')

describe('an aggregate that tells its windows when they close', () => {
  it('tells each window once, as every update left it', () => {
    fc.assert(
      fc.property(kinds, steps, (kind, all) => {
        const closing = testDriver(counted(kind, 'onWindowClose'))
        const updating = testDriver(counted(kind, 'onUpdate'))
        let now = 0
        for (const { key, step, late } of all) {
          now += step
          for (const driver of [closing, updating])
            driver.input(events).pipe(key, 'x', { timestamp: Math.max(0, now - late) })
        }
        closing.advanceStreamTime(now + 1000)
        const nameOf = ({ key, startMs, endMs }: Windowed<string>): string => `${key}@${startMs}-${endMs}`
        const left = new Map<string, number>()
        for (const { key, value } of updating.output(final).readAll())
          if (value === null) left.delete(nameOf(key))
          else left.set(nameOf(key), value)
        const told = closing.output(final).readAll()
        expect(told.length).toBe(left.size)
        expect(new Map(told.map(({ key, value }) => [nameOf(key), value]))).toEqual(left)
      }),
      { numRuns: 200 },
    )
  })

  it('emits each window that took a record once, and counts every record that no window took', () => {
    const moves = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        step: fc.oneof({ weight: 6, arbitrary: fc.nat(8) }, fc.nat(60), fc.nat(1_000_000)),
        late: fc.oneof({ weight: 6, arbitrary: fc.nat(20) }, fc.nat(1_000)),
        isIdle: fc.boolean(),
      }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(kinds, fc.nat(20), fc.nat(2), moves, (kind, grace, more, all) => {
        const taken = new Set<number>()
        const emitted = new Map<string, readonly number[]>()
        const program = topology('listed', (builder) => {
          const options = {
            store: 'lists',
            emit: 'onWindowClose',
            value: z.array(z.number()),
            initial: [] as number[],
            add: (list: readonly number[], id: number) => {
              taken.add(id)
              return [...list, id]
            },
          } as const
          const grouped = builder.stream(ids).groupByKey()
          const merge = (left: readonly number[], right: readonly number[]) => [...left, ...right]
          const keeping = (needed: number) => ({ ...options, retention: needed + more * 50 })
          const tables: Readonly<Record<Kind, () => Table<Windowed<string>, number[]>>> = {
            tumbling: () => grouped.windowedBy(tumbling({ size: 10, grace })).aggregate(keeping(10 + grace)),
            hopping: () =>
              grouped.windowedBy(hopping({ size: 10, advance: 3, grace })).aggregate(keeping(10 + grace)),
            sliding: () =>
              grouped.windowedBy(sliding({ difference: 10, grace })).aggregate(keeping(20 + grace)),
            session: () =>
              grouped.windowedBy(session({ gap: 5, grace })).aggregate({ ...keeping(5 + grace), merge }),
          }
          tables[kind]()
            .toStream()
            .forEach(({ key: { key, startMs, endMs }, value }) => {
              const window = `${key}@${startMs}-${endMs}`
              expect(emitted.has(window), window).toBe(false)
              emitted.set(window, value ?? [])
            })
        })
        using driver = testDriver(program)
        let now = 0
        for (const [id, { key, step, late, isIdle }] of all.entries()) {
          now += step
          if (isIdle) driver.advanceStreamTime(now)
          driver.input(ids).pipe(key, id, { timestamp: Math.max(0, now - late) })
        }
        driver.advanceStreamTime(now + 1_000)
        const left = [...emitted.values()].flat()
        expect(new Set(left)).toEqual(taken)
        const dropped = driver.dropped()
        expect(Object.keys(dropped).filter((reason) => reason !== 'late')).toEqual([])
        // A late record may lie in several windows, or add to a session that was emitted, as in Kafka Streams.
        if (kind === 'tumbling') expect(left.length + (dropped.late ?? 0)).toBe(all.length)
        else expect(dropped.late ?? 0).toBeGreaterThanOrEqual(all.length - taken.size)
      }),
      { numRuns: 300 },
    )
  })

  it.each([10, 11, 60])('emits the last window before a gap of %i minutes', (gap) => {
    const perMinutes = topology('gap', (builder) => {
      builder
        .stream(events)
        .groupByKey()
        .windowedBy(tumbling({ size: minutes(5), grace: seconds(30) }))
        .count({ store: 'counts', emit: 'onWindowClose' })
        .toStream()
        .to(final)
    })
    const driver = testDriver(perMinutes)
    driver.input(events).pipe('a', 'x', { timestamp: 0 })
    driver.input(events).pipe('b', 'x', { timestamp: minutes(gap) })
    expect(
      driver
        .output(final)
        .readAll()
        .map(({ key, value }) => [key.key, key.startMs, value]),
    ).toEqual([['a', 0, 1]])
    expect(driver.dropped()).toEqual({})
  })

  it('tells those that close together by end, then by start, then by key', () => {
    const driver = testDriver(counted('session', 'onWindowClose'))
    for (const [key, timestamp] of [
      ['b', 4],
      ['c', 0],
      ['c', 4],
      ['a', 4],
      ['a', 3],
      ['d', 2],
    ] as const)
      driver.input(events).pipe(key, 'x', { timestamp })
    driver.input(events).pipe('end', 'x', { timestamp: 100 })
    expect(
      driver
        .output(final)
        .readAll()
        .map(({ key }) => `${key.key} ${key.startMs}-${key.endMs}`),
    ).toEqual(['d 2-2', 'c 0-4', 'a 3-4', 'b 4-4'])
  })

  it('does not tell a window again after a restart that brought its numbers back', () => {
    const task = new LoneTask(counted('tumbling', 'onWindowClose'))
    task.pipe(events, 'a', 'x', { timestamp: 1 })
    task.pipe(events, 'a', 'x', { timestamp: 15 })
    expect(task.values()).toEqual([1])
    const numbers = new Map(task.task.processorMetadata)
    expect(numbers).toEqual(new Map([['counts', 10]]))
    task.restart()
    for (const [store, number] of numbers) task.task.processorMetadata.set(store, number)
    task.pipe(events, 'a', 'x', { timestamp: 16 })
    expect(task.values()).toEqual([])
    task.pipe(events, 'a', 'x', { timestamp: 25 })
    expect(task.values()).toEqual([2])
  })
})
