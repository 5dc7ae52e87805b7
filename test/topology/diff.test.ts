import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { bytes, long, minutes, string, topic, topology, tumbling } from '../../src/index.ts'
import { diffTopologies } from '../../src/topology/diff.ts'
import { snapshotOf } from '../../src/topology/snapshot.ts'

const byMinute = topic('by-minute', { value: long })

/** Everything a version of this application may have otherwise. */
interface Version {
  readonly name: string
  readonly input: string
  readonly inputPartitions: number
  readonly valueSerde: 'string' | 'bytes'
  readonly repartition: string
  readonly repartitionPartitions: number
  readonly store: string
  readonly sizeMinutes: number
  readonly graceMinutes: number
  readonly storage: 'memory' | 'disk'
  readonly table: boolean
  readonly output: string
  readonly step: string
}

const first: Version = {
  name: 'app',
  input: 'clicks',
  inputPartitions: 4,
  valueSerde: 'string',
  repartition: 'by-page',
  repartitionPartitions: 4,
  store: 'clicks-by-minute',
  sizeMinutes: 1,
  graceMinutes: 0,
  storage: 'disk',
  table: false,
  output: 'copies',
  step: 'look',
}

const build = (change: Partial<Version> = {}): Topology => {
  const version = { ...first, ...change }
  const value = version.valueSerde === 'string' ? string : bytes
  const input = topic(version.input, { value: value as typeof string, partitions: version.inputPartitions })
  return topology(version.name, (builder) => {
    const stream = builder.stream(input).peek(() => undefined, { name: version.step })
    stream.to(topic(version.output, { value: value as typeof string }))
    stream
      .groupBy(({ key }) => key, { name: version.repartition, partitions: version.repartitionPartitions })
      .windowedBy(tumbling({ size: minutes(version.sizeMinutes), grace: minutes(version.graceMinutes) }))
      .count({ store: version.store, storage: version.storage, name: 'count', retention: minutes(60) })
      .toStream({ select: ({ key }) => key, key: string })
      .to(byMinute)
    if (version.table) builder.table(topic('pages', { value: string }), { store: 'pages' })
  })
}

const seen = (change: Partial<Version>, from: Partial<Version> = {}): readonly string[] =>
  diffTopologies(build(from), build(change)).map(
    ({ effect, code, subject }) => `${effect} ${code} ${subject}`,
  )

it('the retention of a store without a changelog may change', () => {
  const keeping = (retention: number, changelog: boolean) =>
    topology('keeping', (builder) => {
      const store = { store: 'by-minute', retention, changelog }
      const words = builder.stream(topic('words', { value: string }))
      words
        .groupByKey()
        .windowedBy(tumbling({ size: 10 }))
        .count(store)
    })
  const effect = (changelog: boolean) =>
    diffTopologies(keeping(100, changelog), keeping(200, changelog)).map((each) => [each.code, each.effect])
  expect(effect(true)).toEqual([['STORE_RETENTION_CHANGED', 'breaking']])
  expect(effect(false)).toEqual([['STORE_RETENTION_CHANGED', 'compatible']])
})

describe('the difference of two topologies', () => {
  it('is none between a topology and itself, or its snapshot that went through JSON', () => {
    const versions = fc.record({
      inputPartitions: fc.integer({ min: 1, max: 9 }),
      store: fc.constantFrom('one', 'two'),
      sizeMinutes: fc.integer({ min: 1, max: 30 }),
      table: fc.boolean(),
      valueSerde: fc.constantFrom('string' as const, 'bytes' as const),
    })
    fc.assert(
      fc.property(versions, (version) => {
        expect(diffTopologies(build(version), build(version))).toEqual([])
        const stored: ReturnType<typeof snapshotOf> = JSON.parse(JSON.stringify(snapshotOf(build(version))))
        expect(diffTopologies(stored, build(version))).toEqual([])
      }),
    )
  })

  it('is some between any two versions that differ, and tells as much in both directions', () => {
    const versions = fc.record({
      name: fc.constantFrom('app', 'other'),
      input: fc.constantFrom('clicks', 'views'),
      inputPartitions: fc.constantFrom(4, 8),
      repartition: fc.constantFrom('by-page', 'by-site'),
      store: fc.constantFrom('one', 'two'),
      sizeMinutes: fc.constantFrom(1, 2),
      graceMinutes: fc.constantFrom(0, 1),
      storage: fc.constantFrom('memory' as const, 'disk' as const),
      table: fc.boolean(),
      output: fc.constantFrom('copies', 'records'),
      step: fc.constantFrom('look', 'watch'),
    })
    fc.assert(
      fc.property(versions, versions, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(seen(other, one).length === 0).toBe(same)
        expect(seen(other, one)).toHaveLength(seen(one, other).length)
      }),
    )
  })

  it.each<[Partial<Version>, readonly string[]]>([
    [{ name: 'other' }, ['breaking APPLICATION_RENAMED other']],
    [{ store: 'other' }, ['breaking STORE_RENAMED other']],
    [
      { sizeMinutes: 2 },
      [
        'breaking STORE_WINDOW_CHANGED clicks-by-minute',
        'breaking WINDOW_CHANGED count',
        'breaking WINDOW_CHANGED count',
      ],
    ],
    [{ graceMinutes: 1 }, ['compatible LENGTH_CHANGED count']],
    [{ storage: 'memory' }, ['compatible STORE_STORAGE_CHANGED clicks-by-minute']],
    [{ repartition: 'other' }, ['breaking REPARTITION_RENAMED other-repartition']],
    [{ repartitionPartitions: 8 }, ['breaking PARTITIONS_CHANGED by-page-repartition']],
    [{ inputPartitions: 8 }, ['breaking PARTITIONS_CHANGED clicks']],
    [{ input: 'other' }, ['breaking SOURCE_REMOVED clicks', 'compatible SOURCE_ADDED other']],
    [{ output: 'other' }, ['breaking SINK_REMOVED copies', 'compatible SINK_ADDED other']],
    [{ step: 'other' }, ['compatible STEP_REMOVED look', 'compatible STEP_ADDED other']],
    [{ table: true }, ['compatible SOURCE_ADDED pages', 'compatible STORE_ADDED pages']],
  ])('sees %j', (change, differences) => {
    expect(seen(change)).toEqual(differences)
  })

  it('sees a changed serde wherever its bytes lie', () => {
    expect(seen({ valueSerde: 'bytes' })).toEqual([
      'breaking SERDE_CHANGED clicks',
      'breaking SERDE_CHANGED copies',
      'breaking SERDE_CHANGED by-page-repartition',
    ])
  })

  it('sees a table and its state go', () => {
    expect(seen({}, { table: true })).toEqual([
      'breaking SOURCE_REMOVED pages',
      'breaking STORE_REMOVED pages',
    ])
  })

  it('sees a new repartition, a store of another kind, and one with another history', () => {
    const input = topic('clicks', { value: string })
    const version = (rekeyed: boolean, history: number | undefined): Topology =>
      topology('app', (builder) => {
        const stream = builder.stream(input)
        const keyed = rekeyed ? stream.selectKey(({ value }) => value) : stream
        const versioned = history === undefined ? {} : { versioned: { historyRetention: history } }
        keyed.toTable({ store: 'latest', ...versioned })
      })
    const codes = (before: Topology, after: Topology): readonly string[] =>
      diffTopologies(before, after)
        .filter(({ effect }) => effect === 'breaking')
        .map(({ code }) => code)
    expect(codes(version(false, 5), version(true, 5))).toEqual(['REPARTITION_ADDED'])
    expect(codes(version(true, 5), version(false, 5))).toEqual(['REPARTITION_REMOVED'])
    expect(codes(version(false, undefined), version(false, 5))).toEqual(['STORE_KIND_CHANGED'])
    expect(codes(version(false, 5), version(false, 6))).toEqual(['STORE_RETENTION_CHANGED'])
  })

  it('says for everything that breaks what to do', () => {
    for (const { effect, remedy } of diffTopologies(build(), build({ name: 'b', store: 'c', input: 'd' })))
      expect(remedy === undefined).toBe(effect === 'compatible')
  })
})
