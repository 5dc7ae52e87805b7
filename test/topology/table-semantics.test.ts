import { describe, expect, it } from 'vitest'
import type { TopologyBuilder } from '../../src/index.ts'
import { string, topic, topology } from '../../src/index.ts'
import { tableSemanticsOf } from '../../src/topology/table-semantics.ts'

const left = topic('left', { value: string })
const right = topic('right', { value: string })
const both = (one: string | null, other: string | null): string => `${one}${other}`

const semanticsOf = (define: (builder: TopologyBuilder) => void) => tableSemanticsOf(topology('t', define))
const oldValues = (define: (builder: TopologyBuilder) => void): readonly string[] =>
  [...semanticsOf(define).sendsOldValues].toSorted((one, two) => (one < two ? -1 : 1))

describe('old values', () => {
  it('are sent by nobody where nobody asks', () => {
    const inner = oldValues((builder) => {
      const table = builder.table(left, { store: 'left' }).mapValues((value) => value)
      table.join(builder.table(right, { store: 'right' }), both)
    })
    expect(inner).toEqual([])
  })

  it('are asked for by a filter, up to the table that is kept', () => {
    const filtered = oldValues((builder) => {
      const mapped = builder
        .table(left, { store: 'left', name: 'source' })
        .mapValues((value) => value, { name: 'map' })
      mapped.filter(() => true, { name: 'filter' })
    })
    expect(filtered).toEqual(['map', 'source'])
  })

  it('stop at a step that is kept, which has them itself', () => {
    const stored = oldValues((builder) => {
      const mapped = builder
        .table(left, { store: 'left', name: 'source' })
        .mapValues((value) => value, { name: 'map', store: 'mapped', value: string })
      mapped.filter(() => true)
    })
    expect(stored).toEqual(['map'])
  })

  it('are asked for by the sides of a join that may be missing', () => {
    const of = (verb: 'join' | 'leftJoin' | 'outerJoin'): readonly string[] =>
      oldValues((builder) => {
        const one = builder.table(left, { store: 'left', name: 'one' })
        one[verb](builder.table(right, { store: 'right', name: 'two' }), both, { name: 'joined' })
      })
    expect([of('join'), of('leftJoin'), of('outerJoin')]).toEqual([[], ['one'], ['one', 'two']])
  })

  it('are asked for by a group, through both sides of a join that is not kept', () => {
    const grouped = oldValues((builder) => {
      const one = builder.table(left, { store: 'left', name: 'one' })
      const joined = one.join(builder.table(right, { store: 'right', name: 'two' }), both, {
        name: 'joined',
        value: string,
      })
      joined
        .groupBy((value, key) => ({ key: value, value: key }), { name: 'groups' })
        .count({ store: 'count' })
    })
    expect(grouped).toEqual(['joined', 'one', 'two'])
  })
})

describe('versions', () => {
  it('pass through what is computed, and end at a plain store and at a join', () => {
    const { versioned } = semanticsOf((builder) => {
      const versions = { historyRetention: 10 }
      const table = builder.table(left, { store: 'left', name: 'source', versioned: versions })
      const mapped = table.mapValues((value) => value, { name: 'map', value: string })
      mapped.filter(() => true, { name: 'filter' })
      mapped.filter(() => true, { name: 'kept', store: 'kept' })
      mapped.filter(() => true, { name: 'kept with versions', store: 'versions', versioned: versions })
      mapped.join(table, both, { name: 'join' })
    })
    expect([...versioned]).toEqual(['source', 'map', 'filter', 'kept with versions'])
  })
})
