import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { NaiveTables, follow, sorted, updatesOf } from '../support/updates.ts'

const left = topic('left', { value: string })
const right = topic('right', { value: string })
const third = topic('third', { value: string })
const out = topic('out', { value: string })

const kinds = ['inner', 'left', 'outer'] as const
type Kind = (typeof kinds)[number]
const verbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const
const combine = (one: string | null, other: string | null): string => `${one}+${other}`

/** Two joins on end, the first kept or not. */
const chain = (first: Kind, second: Kind, store: boolean): Topology =>
  topology('chain', (builder) => {
    const lefts = builder.table(left, { store: 'lefts' })
    const rights = builder.table(right, { store: 'rights' })
    const thirds = builder.table(third, { store: 'thirds' })
    const options = store ? { store: 'kept', value: string } : {}
    lefts[verbs[first]](rights, combine, options)[verbs[second]](thirds, combine).toStream().to(out)
  })

const relational = (
  kind: Kind,
  one: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): Map<string, string> => {
  const joined = new Map<string, string>()
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const [own, their] = [one.get(key) ?? null, other.get(key) ?? null]
    if (own === null && kind !== 'outer') continue
    if (their === null && kind === 'inner') continue
    joined.set(key, combine(own, their))
  }
  return joined
}

const some = { keys: ['a', 'b'], values: ['1', '2', '3'] }
const updates = updatesOf({ left: some, right: some, third: some })
const topics = { left, right, third }

describe('a join of tables', () => {
  it('is the relational join after any updates, on end too, whether the middle is kept or computed', () => {
    const kind = fc.constantFrom(...kinds)
    fc.assert(
      fc.property(updates, kind, kind, fc.boolean(), (all, first, second, store) => {
        const driver = testDriver(chain(first, second, store))
        const model = new NaiveTables()
        const rows = new Map<string, string>()
        all.forEach((update, timestamp) => {
          const input = driver.input(topics[update.table as keyof typeof topics])
          input.pipe(update.key, update.value, { timestamp })
          model.apply(update)
          follow(rows, driver.output(out).readAll())
          const middle = relational(first, model.rows('left'), model.rows('right'))
          expect(sorted(rows)).toEqual(sorted(relational(second, middle, model.rows('third'))))
        })
        driver.close()
      }),
      { numRuns: 150 },
    )
  })

  it('with itself says every update twice, the second time with both sides new', () => {
    const driver = testDriver(
      topology('self', (builder) => {
        const lefts = builder.table(left, { store: 'lefts' })
        lefts
          .join(
            lefts.mapValues((value) => value.toUpperCase()),
            combine,
          )
          .toStream()
          .to(out)
      }),
    )
    driver.input(left).pipe('k', 'a')
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'k', value: 'a+A' },
      { key: 'k', value: 'a+A' },
    ])
  })

  it('leaves an update of a versioned table that is not its newest out, and counts it', () => {
    const driver = testDriver(
      topology('versioned', (builder) => {
        const lefts = builder.table(left, { store: 'lefts', versioned: { historyRetention: 100 } })
        lefts
          .join(builder.table(right, { store: 'rights' }), combine)
          .toStream()
          .to(out)
      }),
    )
    driver.input(right).pipe('k', 'R', { timestamp: 0 })
    driver.input(left).pipe('k', 'new', { timestamp: 10 })
    driver.input(left).pipe('k', 'old', { timestamp: 5 })
    expect(driver.output(out).readKeyValues()).toEqual([{ key: 'k', value: 'new+R' }])
    expect(driver.dropped()).toEqual({ outOfOrder: 1 })
  })

  it('asks the mapper for old values only where somebody below needs them', () => {
    const mapped = (continued: boolean): readonly string[] => {
      const seen: string[] = []
      const driver = testDriver(
        topology('calls', (builder) => {
          const table = builder.table(left, { store: 'lefts' }).mapValues((value) => {
            seen.push(value)
            return value
          })
          if (continued)
            table
              .filter((value) => value !== 'x')
              .toStream()
              .to(out)
          else table.toStream().to(out)
        }),
      )
      driver.input(left).pipe('k', '1')
      driver.input(left).pipe('k', '2')
      return seen
    }
    expect(mapped(false)).toEqual(['1', '2'])
    expect(mapped(true)).toEqual(['1', '2', '1'])
  })

  it('refuses a table of another topology', () => {
    const other: { table?: ReturnType<typeof tableOf> } = {}
    const tableOf = (builder: Parameters<Parameters<typeof topology>[1]>[0]) =>
      builder.table(right, { store: 'rights' })
    topology('other', (builder) => {
      other.table = tableOf(builder)
    })
    expect(() =>
      topology('mixed', (builder) => {
        builder.table(left, { store: 'lefts' }).join(other.table as ReturnType<typeof tableOf>, combine)
      }),
    ).toThrow("a table of topology 'other' is joined here")
  })
})
