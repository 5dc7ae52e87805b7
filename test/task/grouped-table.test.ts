import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { long, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { NaiveTables, follow, sorted, updatesOf } from '../support/updates.ts'

const rows = topic('rows', { value: string })
const counts = topic('counts', { value: long })
const lists = topic('lists', { value: string })
const sums = topic('sums', { value: long })

/** Values are `<group>|<number>`; an empty group is none. */
const place = (value: string): { key: string | null; value: number } => {
  const [group = '', number = '0'] = value.split('|')
  return { key: group === '' ? null : group, value: Number(number) }
}

/** The digits of a text in order, so that it does not matter in which order they came. */
const inOrder = (digits: string): string =>
  digits
    .split('')
    .toSorted((one, two) => (one < two ? -1 : 1))
    .join('')

const grouped = topology('grouped', (builder) => {
  const table = builder.table(rows, { store: 'rows' })
  const groups = table.groupBy(place, { name: 'by-group', value: long })
  groups.count({ store: 'count' }).toStream().to(counts)
  groups
    .reduce({ store: 'sum', add: (sum, value) => sum + value, subtract: (sum, value) => sum - value })
    .toStream()
    .to(sums)
  groups
    .aggregate({
      store: 'list',
      value: string,
      initial: '',
      add: (list, value) => inOrder(`${list}${value}`),
      subtract: (list, value) => list.replace(String(value), '') || null,
    })
    .toStream()
    .to(lists)
})

describe('a grouped table', () => {
  it('has the aggregates of its rows after any updates, over any partitions', () => {
    const updates = updatesOf({
      rows: { keys: ['a', 'b', 'c', 'd'], values: ['g|1', 'g|2', 'h|1', 'h|3', '|1'] },
    })
    fc.assert(
      fc.property(updates, fc.integer({ min: 1, max: 3 }), (all, partitions) => {
        const driver = testDriver(grouped, { partitions })
        const model = new NaiveTables()
        const seen = {
          counts: new Map<string, number>(),
          sums: new Map<string, number>(),
          lists: new Map<string, string>(),
        }
        all.forEach((update, timestamp) => {
          driver.input(rows).pipe(update.key, update.value, { timestamp })
          model.apply(update)
          follow(seen.counts, driver.output(counts).readAll())
          follow(seen.sums, driver.output(sums).readAll())
          follow(seen.lists, driver.output(lists).readAll())
          const groups = Map.groupBy(
            [...model.rows('rows').values()].map(place).filter(({ key }) => key !== null),
            ({ key }) => key as string,
          )
          const values = (group: string): readonly number[] =>
            (groups.get(group) ?? []).map(({ value }) => value)
          for (const [group, count] of seen.counts) expect(count).toBe(values(group).length)
          for (const [group, sum] of seen.sums)
            expect(sum).toBe(values(group).reduce((one, two) => one + two, 0))
          for (const group of groups.keys()) expect(seen.counts.has(group)).toBe(true)
          const expected = [...groups.keys()].map(
            (group) => [group, inOrder(values(group).join(''))] as const,
          )
          expect(sorted(seen.lists)).toEqual(sorted(new Map(expected)))
        })
        driver.close()
      }),
      { numRuns: 60 },
    )
  })

  it('subtracts, adds and says once where a row stays in its group, and leaves the old group first where it moves', () => {
    const driver = testDriver(grouped)
    driver.input(rows).pipe('a', 'g|1')
    driver.input(rows).pipe('a', 'g|2')
    driver.input(rows).pipe('a', 'h|2')
    expect(driver.output(sums).readKeyValues()).toEqual([
      { key: 'g', value: 1 },
      { key: 'g', value: 2 },
      { key: 'g', value: 0 },
      { key: 'h', value: 2 },
    ])
    expect(
      driver.output({ name: 'grouped-by-group-repartition', key: string, value: string }).readAll(),
    ).toHaveLength(4)
  })

  it('keeps the largest time of its updates', () => {
    const driver = testDriver(grouped)
    driver.input(rows).pipe('a', 'g|1', { timestamp: 10 })
    driver.input(rows).pipe('b', 'g|1', { timestamp: 5 })
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ timestamp }) => timestamp),
    ).toEqual([10, 10])
  })
})
