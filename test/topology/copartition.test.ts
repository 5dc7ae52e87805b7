import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { string, topic, topology, tumbling } from '../../src/index.ts'
import { partitionCountsOf } from '../../src/topology/partition-counts.ts'
import { validateTopology } from '../../src/topology/validate.ts'

const a = topic('a', { value: string })
const b = topic('b', { value: string })
const counts = (of: Readonly<Record<string, number>>) => (name: string) => of[name] ?? 1

const cogrouped = (kind: 'byKey' | 'byValue' | 'sized' | 'windowed'): Topology =>
  topology('cogrouped', (builder) => {
    const other = builder.stream(b)
    const partitions = kind === 'sized' ? { partitions: 3 } : {}
    const grouped =
      kind === 'byValue' || kind === 'sized'
        ? other.groupBy(({ value }) => value, { name: 'by-value', ...partitions })
        : other.groupByKey()
    const both = builder
      .stream(a)
      .groupByKey()
      .cogroup<string>((all, one) => all + one)
      .cogroup(grouped, (all, one) => all + one)
    const options = { store: 'all', initial: '', value: string }
    if (kind === 'windowed') both.windowedBy(tumbling({ size: 10 })).aggregate(options)
    else both.aggregate(options)
  })

describe('the inputs of a cogroup', () => {
  it.each(['byKey', 'byValue', 'windowed'] as const)(
    'must have as many partitions as each other: %s',
    (kind) => {
      expect(() => partitionCountsOf(cogrouped(kind), counts({ a: 3, b: 1 }))).toThrow(
        expect.objectContaining({ code: 'COPARTITION_MISMATCH' }),
      )
      expect(partitionCountsOf(cogrouped(kind), counts({ a: 3, b: 3 })).tasks).toContain(3)
    },
  )

  it('may differ where a grouping has the partitions of the other input', () => {
    const { repartitions } = partitionCountsOf(cogrouped('sized'), counts({ a: 3, b: 1 }))
    expect([...repartitions]).toEqual([['by-value-repartition', 3]])
  })

  it('are compared by validation where contracts declare their partitions', () => {
    const build = (): Topology =>
      topology('declared', (builder) => {
        const wide = builder.stream(topic('wide', { value: string, partitions: 3 })).groupByKey()
        const narrow = builder.stream(topic('narrow', { value: string, partitions: 1 })).groupByKey()
        const both = wide.cogroup<string>((all, one) => all + one).cogroup(narrow, (all, one) => all + one)
        both.aggregate({ store: 'all', initial: '', value: string })
      })
    expect(build).toThrow(/wide has 3, narrow has 1/)
  })
})

describe('the topics that a pattern matches', () => {
  const joined = topology('pattern', (builder) => {
    const table = builder.table(a, { store: 'rows' })
    builder.streamMatching(/b-.*/, b).join(table, (left, right) => left + right)
  })
  const matching = (): readonly string[] => ['b-1', 'b-2']

  it('must have as many partitions as the table they are joined with', () => {
    expect(() => partitionCountsOf(joined, counts({ a: 3, 'b-1': 3, 'b-2': 1 }), matching)).toThrow(
      expect.objectContaining({ code: 'COPARTITION_MISMATCH' }),
    )
    expect(partitionCountsOf(joined, counts({ a: 3, 'b-1': 3, 'b-2': 3 }), matching).tasks).toEqual([3])
  })

  it('are not read by another source of the topology', () => {
    const build = (): Topology =>
      topology('overlap', (builder) => {
        builder.globalTable(a, { store: 'rows' })
        builder.streamMatching(/[ab]/, b).to(topic('out', { value: string }))
      })
    expect(build).toThrow(/pattern of .* matches the topic 'a'/)
    expect(validateTopology(joined)).toEqual([])
  })
})
