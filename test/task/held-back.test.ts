import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, long, nullable, string, timeWindowed, topic, topology, tumbling } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const events = topic('events', { value: string })
const counts = topic('counts', { value: nullable(long) })
const sizes = topic('sizes', { key: long, value: long })

const counted = (emit: 'onUpdate' | 'onCommit') =>
  topology('counted', (builder) => {
    const table = builder.stream(events).groupByKey().count({ store: 'counts', emit })
    table.toStream().to(counts)
    table
      .groupBy((count, key) => ({ key: count, value: key }), { name: 'by-count', key: long, value: string })
      .count({ store: 'keys-by-count' })
      .toStream()
      .to(sizes)
  })

describe('an aggregate that tells its values on commit', () => {
  it('keeps keys apart that are no text, although they look alike as one', () => {
    const readings = topic('readings', { key: bytes, value: string })
    const byBytes = topic('by-bytes', { key: bytes, value: long })
    const driver = testDriver(
      topology('by-bytes-counted', (builder) => {
        builder
          .stream(readings)
          .groupByKey()
          .count({ store: 'counts', emit: 'onCommit' })
          .toStream()
          .filter((record): record is typeof record & { value: number } => record.value !== null)
          .to(byBytes)
      }),
      { commit: 'manual' },
    )
    for (const key of [0xfe, 0xff, 0xfe]) driver.input(readings).pipe(Uint8Array.of(key), 'x')
    driver.commit()
    const emitted = driver.output(byBytes).readAll()
    expect(emitted.map(({ key, value }) => [key[0], value])).toEqual([
      [0xff, 1],
      [0xfe, 2],
    ])
  })

  it('tells the last value of each key, in the order of the last updates', () => {
    const driver = testDriver(counted('onCommit'), { commit: 'manual' })
    for (const key of ['a', 'b', 'a', 'c', 'b']) driver.input(events).pipe(key, 'x', { timestamp: 1 })
    expect(driver.output(counts).readAll()).toEqual([])
    driver.commit()
    expect(driver.output(counts).readKeyValues()).toEqual([
      { key: 'a', value: 2 },
      { key: 'c', value: 1 },
      { key: 'b', value: 2 },
    ])
    driver.commit()
    expect(driver.output(counts).readAll()).toEqual([])
  })

  it('tells the same in the end as one that tells every update, also to a grouping of its rows', () => {
    const steps = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant<'commit'>('commit')), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(steps, (all) => {
        const held = testDriver(counted('onCommit'), { commit: 'manual' })
        const direct = testDriver(counted('onUpdate'))
        for (const step of all)
          if (step === 'commit') held.commit()
          else for (const driver of [held, direct]) driver.input(events).pipe(step, 'x', { timestamp: 1 })
        held.commit()
        held.commit()
        expect(held.output(counts).readTable()).toEqual(direct.output(counts).readTable())
        const nonEmpty = (table: Map<number, number>) => new Map([...table].filter(([, size]) => size > 0))
        expect(nonEmpty(held.output(sizes).readTable())).toEqual(nonEmpty(direct.output(sizes).readTable()))
      }),
      { numRuns: 100 },
    )
  })

  it('does not tell a row that came and went between two commits', () => {
    const driver = testDriver(
      topology('brief', (builder) => {
        builder
          .stream(events)
          .groupByKey()
          .reduce((_all, value) => (value === 'delete' ? null : value), { store: 'last', emit: 'onCommit' })
          .toStream()
          .to(topic('last', { value: nullable(string) }))
      }),
      { commit: 'manual' },
    )
    driver.input(events).pipe('a', 'x', { timestamp: 1 })
    driver.input(events).pipe('a', 'delete', { timestamp: 2 })
    driver.commit()
    expect(driver.output(topic('last', { value: string })).readAll()).toEqual([])
  })

  it('keeps the windows of one key apart', () => {
    const windowedCounts = topic('windowed', { key: timeWindowed(string, 10), value: nullable(long) })
    const driver = testDriver(
      topology('windowed-counts', (builder) => {
        builder
          .stream(events)
          .groupByKey()
          .windowedBy(tumbling({ size: 10, grace: 100 }))
          .count({ store: 'counts', emit: 'onCommit' })
          .toStream()
          .to(windowedCounts)
      }),
      { commit: 'manual' },
    )
    for (const timestamp of [1, 11, 2]) driver.input(events).pipe('a', 'x', { timestamp })
    driver.commit()
    expect(driver.output(windowedCounts).readKeyValues()).toMatchObject([
      { key: { startMs: 10 }, value: 1 },
      { key: { startMs: 0 }, value: 2 },
    ])
  })
})

describe('a cogroup that tells its values on commit', () => {
  const others = topic('others', { value: string })
  const texts = topic('texts', { value: nullable(string) })
  const windowedTexts = topic('windowed-texts', { key: timeWindowed(string, 10), value: nullable(string) })

  const cogrouped = (emit: 'onUpdate' | 'onCommit') =>
    topology('cogrouped', (builder) => {
      const both = builder
        .stream(events)
        .groupByKey()
        .cogroup<string>((text, value) => text + value)
        .cogroup(builder.stream(others).groupByKey(), (text, value) => text + value)
      const options = { initial: () => '', value: string, emit }
      both
        .aggregate({ ...options, store: 'texts' })
        .toStream()
        .to(texts)
      both
        .windowedBy(tumbling({ size: 10, grace: 0 }))
        .aggregate({ ...options, store: 'windows' })
        .toStream()
        .to(windowedTexts)
    })

  it('tells one value of each key, the last, whichever inputs it came from', () => {
    const driver = testDriver(cogrouped('onCommit'), { commit: 'manual' })
    for (const [input, value] of [
      [events, '1'],
      [others, '2'],
      [events, '3'],
    ] as const)
      driver.input(input).pipe('a', value, { timestamp: 1 })
    driver.commit()
    expect(driver.output(texts).readKeyValues()).toEqual([{ key: 'a', value: '123' }])
    const values = driver
      .output(windowedTexts)
      .readKeyValues()
      .map(({ value }) => value)
    expect(values).toEqual(['123'])
  })

  it('leaves the same tables as one that tells every update', () => {
    const step = fc.oneof(
      fc.tuple(fc.constantFrom(events, others), fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
      fc.constant<'commit'>('commit'),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const held = testDriver(cogrouped('onCommit'), { commit: 'manual' })
        const direct = testDriver(cogrouped('onUpdate'))
        for (const each of [...steps, 'commit'] as const)
          if (each === 'commit') held.commit()
          else
            for (const driver of [held, direct])
              driver.input(each[0]).pipe(each[1], each[2], { timestamp: 1 })
        expect(held.output(texts).readTable()).toEqual(direct.output(texts).readTable())
      }),
      { numRuns: 50 },
    )
  })
})

describe('an update that fails while it is emitted on commit', () => {
  it('takes no other update of that commit along', () => {
    const driver = testDriver(
      topology('failing', (builder) => {
        builder
          .stream(events)
          .groupByKey()
          .count({ store: 'counts', emit: 'onCommit' })
          .toStream()
          .peek(({ key }) => {
            if (key === 'b') throw new Error('not b')
          })
          .to(counts)
      }),
      { commit: 'manual', policies: { processingFailure: 'skip' } },
    )
    for (const key of ['a', 'b', 'c']) driver.input(events).pipe(key, 'x', { timestamp: 1 })
    driver.commit()
    expect(driver.output(counts).readKeyValues()).toEqual([
      { key: 'a', value: 1 },
      { key: 'c', value: 1 },
    ])
  })
})
