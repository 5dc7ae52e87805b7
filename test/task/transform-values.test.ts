import { describe, expect, it } from 'vitest'
import type { KeyValueStore, TopologyBuilder } from '../../src/index.ts'
import { keyValueStore, long, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const input = topic('input', { value: string })
const out = topic('out', { value: string })
const sums = topic('sums', { value: long })

/** How many updates each row has had is kept in a store of the transformer's own. */
const counted = (builder: TopologyBuilder, store?: string) => {
  builder.store(keyValueStore('updates', { value: long }))
  return builder.table(input, { store: 'rows' }).transformValues(
    (context) => {
      const updates = context.store<KeyValueStore<string, number>>('updates')
      return (value, key) => {
        const count = (updates.get(key) ?? 0) + 1
        updates.put(key, count, context.currentStreamTimeMs())
        return value === null ? null : `${value} ${count}`
      }
    },
    { stores: ['updates'], ...(store === undefined ? {} : { store, value: string }) },
  )
}

describe('transformValues of a table', () => {
  it('may keep state, and is asked about deletions too', () => {
    const driver = testDriver(topology('t', (builder) => counted(builder).toStream().to(out)))
    for (const value of ['a', null, 'b']) driver.input(input).pipe('k', value)
    expect(
      driver
        .output(out)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['a 1', null, 'b 3'])
    expect(driver.store<KeyValueStore<string, number>>('updates').get('k')).toBe(3)
  })

  it('is asked once where its result is kept, and its old values come from there', () => {
    const driver = testDriver(
      topology('t', (builder) =>
        counted(builder, 'kept')
          .groupBy((value, key) => ({ key, value: Number(value.split(' ')[1]) }), {
            name: 'by-key',
            value: long,
          })
          .reduce({ store: 'sum', add: (one, two) => one + two, subtract: (one, two) => one - two })
          .toStream()
          .to(sums),
      ),
    )
    for (const value of ['a', 'b', 'c']) driver.input(input).pipe('k', value)
    expect(
      driver
        .output(sums)
        .readAll()
        .map(({ value }) => value),
    ).toEqual([1, 2, 3])
  })

  it('may ask for no store that was not connected', () => {
    const lonely = topology('t', (builder) => {
      builder.table(input, { store: 'rows' }).transformValues((context) => {
        context.store('rows')
        return (value) => value
      })
    })
    expect(() => testDriver(lonely)).toThrow("asks for store 'rows', which is not connected to it")
  })
})
