import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { nullable, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { NaiveTables, follow, sorted, updatesOf } from '../support/updates.ts'

const left = topic('left', { value: string })
const right = topic('right', { value: string })
const out = topic('out', { value: string })
const raw = (name: string) => topic(name, { key: nullable(string), value: string })

/** Left values are `<foreign key>|<text>`; an empty foreign key points nowhere. */
const foreignKey = (value: string): string | null => value.split('|')[0] || null
const join = (value: string, other: string | null): string => `${value}+${other}`

const joined = (type: 'inner' | 'left', options: { store?: string; value?: typeof string } = {}): Topology =>
  topology('fk', (builder) => {
    const lefts = builder.table(left, { store: 'lefts' })
    const rights = builder.table(right, { store: 'rights' })
    const settings = { name: 'fk', foreignKey, join, ...options }
    const table =
      type === 'inner' ? lefts.joinForeignKey(rights, settings) : lefts.leftJoinForeignKey(rights, settings)
    table.toStream().to(out)
  })

const updates = updatesOf({
  left: { keys: ['a', 'b', 'c', 'd'], values: ['x|1', 'x|2', 'y|1', 'z|1', '|1'] },
  right: { keys: ['x', 'y', 'z'], values: ['1', '2'] },
})

describe('a foreign-key join', () => {
  it.each(['inner', 'left'] as const)(
    'of kind %s is the relational join after any updates, over any partitions',
    (type) => {
      fc.assert(
        fc.property(
          updates,
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 3 }),
          (all, lefts, rights) => {
            const driver = testDriver(joined(type), { partitions: { left: lefts, right: rights } })
            const model = new NaiveTables()
            const rows = new Map<string, string>()
            all.forEach((update, timestamp) => {
              const input = driver.input(update.table === 'left' ? left : right)
              input.pipe(update.key, update.value, { timestamp })
              model.apply(update)
              follow(rows, driver.output(out).readAll())
              const expected = new Map<string, string>()
              for (const [key, value] of model.rows('left')) {
                const other = model.rows('right').get(foreignKey(value) ?? '') ?? null
                if (type === 'left' || other !== null) expected.set(key, join(value, other))
              }
              expect(sorted(rows)).toEqual(sorted(expected))
            })
            driver.close()
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  it('of a table with itself follows both sides of every update', () => {
    const self = topology('self', (builder) => {
      const table = builder.table(left, { store: 'lefts' })
      table.leftJoinForeignKey(table, { name: 'boss', foreignKey, join }).toStream().to(out)
    })
    const people = updatesOf({ left: { keys: ['a', 'b', 'c'], values: ['a|1', 'a|2', 'b|1', 'c|1', '|1'] } })
    fc.assert(
      fc.property(people, fc.integer({ min: 1, max: 3 }), (all, partitions) => {
        const driver = testDriver(self, { partitions })
        const model = new NaiveTables()
        const rows = new Map<string, string>()
        all.forEach((update, timestamp) => {
          driver.input(left).pipe(update.key, update.value, { timestamp })
          model.apply(update)
          follow(rows, driver.output(out).readAll())
          const table = model.rows('left')
          const expected = [...table].map(
            ([key, value]) => [key, join(value, table.get(foreignKey(value) ?? '') ?? null)] as const,
          )
          expect(sorted(rows)).toEqual(sorted(new Map(expected)))
        })
        driver.close()
      }),
      { numRuns: 60 },
    )
  })

  it('tells every row of the left side that points at a changed right row, in the order of the left keys', () => {
    const driver = testDriver(joined('inner'))
    for (const key of ['b', 'c', 'a']) driver.input(left).pipe(key, `x|${key}`, { timestamp: 1 })
    driver.input(right).pipe('x', 'R', { timestamp: 5 })
    const seen = driver.output(out).readAll()
    expect(seen.map(({ key, timestamp }) => [key, timestamp])).toEqual([
      ['a', 5],
      ['b', 5],
      ['c', 5],
    ])
  })

  it('takes the later time of both rows where the left side changed, and the right row’s where that did', () => {
    const driver = testDriver(joined('inner'))
    driver.input(right).pipe('x', 'R', { timestamp: 10 })
    driver.input(left).pipe('a', 'x|1', { timestamp: 5 })
    driver.input(right).pipe('x', 'S', { timestamp: 3 })
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ timestamp }) => timestamp),
    ).toEqual([10, 3])
  })

  it('drops and counts a left row of an inner join that points nowhere, and withdraws what it had joined', () => {
    const driver = testDriver(joined('inner'))
    driver.input(right).pipe('x', 'R', { timestamp: 1 })
    driver.input(left).pipe('a', 'x|1', { timestamp: 2 })
    driver.input(left).pipe('a', '|1', { timestamp: 3 })
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'a', value: 'x|1+R' },
      { key: 'a', value: null },
    ])
    expect(driver.dropped()).toEqual({ nullForeignKey: 1 })
  })

  it('forgets who asked once the left row has gone or moved', () => {
    const driver = testDriver(joined('inner'))
    driver.input(left).pipe('a', 'x|1', { timestamp: 1 })
    driver.input(left).pipe('b', 'x|1', { timestamp: 1 })
    driver.input(left).pipe('a', 'y|1', { timestamp: 2 })
    driver.input(left).pipe('b', null, { timestamp: 2 })
    driver.output(out).readAll()
    driver.input(right).pipe('x', 'R', { timestamp: 3 })
    expect(driver.output(out).readAll()).toEqual([])
  })

  it('writes its topics and its store under the names Kafka Streams gives a named join', () => {
    const driver = testDriver(joined('left', { store: 'result', value: string }))
    driver.input(left).pipe('a', '|1', { timestamp: 1 })
    driver.input(left).pipe('a', 'x|1', { timestamp: 1 })
    expect(driver.topics().filter((name) => name.startsWith('fk-'))).toEqual([
      'fk-fk-subscription-registration-topic',
      'fk-fk-subscription-response-topic',
      'fk-fk-subscription-store-changelog',
      'fk-lefts-changelog',
      'fk-result-changelog',
    ])
    const questions = driver.output(raw('fk-fk-subscription-registration-topic')).readAll()
    expect(questions.map(({ key }) => key)).toEqual([null, 'x'])
  })

  it('gets a store of its own, called after it, only where somebody below looks its rows up', () => {
    const kept = (look: boolean): readonly string[] =>
      topology('kept', (builder) => {
        const lefts = builder.table(left, { store: 'lefts' })
        const rights = builder.table(right, { store: 'rights' })
        const table = lefts.joinForeignKey(rights, { name: 'fk', foreignKey, join, value: string })
        if (look)
          table
            .join(rights, (value, other) => value + other)
            .toStream()
            .to(out)
        else
          table
            .filter(() => true)
            .toStream()
            .to(out)
      }).stores.map(({ name }) => name)
    expect(kept(true)).toContain('fk-result')
    expect(kept(false)).not.toContain('fk-result')
  })

  it('asks for a serde where it needs a store and has none', () => {
    const build = (): Topology =>
      topology('missing', (builder) => {
        const rights = builder.table(right, { store: 'rights' })
        const table = builder
          .table(left, { store: 'lefts' })
          .joinForeignKey(rights, { name: 'fk', foreignKey, join })
        table.join(rights, (value, other) => value + other)
      })
    expect(build).toThrow("foreign-key join 'fk', whose rows are looked up below")
  })
})
