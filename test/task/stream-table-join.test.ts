import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexEncode } from '../../src/base/bytes.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type { VersionedStore } from '../../src/state/store.ts'
import type { Table, Topology } from '../../src/index.ts'
import { bytes, nullable, string, topic, topology } from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const facts = topic('facts', { key: nullable(string), value: nullable(string) })
const rows = topic('rows', { value: string })
const out = topic('out', { key: nullable(string), value: string })
const pair = (one: string, row: string | null): string => `${one}+${row}`

const plain = (type: 'join' | 'leftJoin'): Topology =>
  topology('plain', (builder) => {
    const stream = builder.stream(facts)
    const table = builder.table(rows, { store: 'rows' })
    const joined = type === 'join' ? stream.join(table, pair) : stream.leftJoin(table, pair)
    joined.to(out)
  })

const versioned = (grace: number): Topology =>
  topology('versioned', (builder) => {
    const table = builder.table(rows, { store: 'rows', versioned: { historyRetention: 1_000 } })
    builder.stream(facts).leftJoin(table, pair, { name: 'look', grace }).to(out)
  })

const step = fc.record({
  table: fc.boolean(),
  key: fc.constantFrom('a', 'b'),
  value: fc.option(fc.constantFrom('1', '2', '3')),
  timestamp: fc.nat(50),
})

describe('a join of a stream with a table', () => {
  it('finds the row that holds when the record is processed, whatever their times', () => {
    fc.assert(
      fc.property(fc.array(step), fc.constantFrom('join' as const, 'leftJoin' as const), (steps, type) => {
        const driver = testDriver(plain(type))
        const model = new Map<string, string>()
        for (const { table, key, value, timestamp } of steps) {
          if (table) {
            driver.input(rows).pipe(key, value, { timestamp })
            if (value === null) model.delete(key)
            else model.set(key, value)
            expect(driver.output(out).readAll()).toEqual([])
            continue
          }
          driver.input(facts).pipe(key, value, { timestamp })
          const row = model.get(key) ?? null
          const found = value !== null && (row !== null || type === 'leftJoin')
          expect(driver.output(out).readAll()).toMatchObject(
            found ? [{ key, value: pair(value, row), timestamp }] : [],
          )
        }
      }),
    )
  })

  it('drops and counts null values, and null keys unless it is a left join', () => {
    const inner = testDriver(plain('join'))
    inner.input(facts).pipe(null, 'x')
    inner.input(facts).pipe('a', null)
    expect(inner.dropped()).toEqual({ nullKey: 1, nullValue: 1 })
    const left = testDriver(plain('leftJoin'))
    left.input(facts).pipe(null, 'x')
    left.input(facts).pipe(null, null)
    expect(left.output(out).readKeyValues()).toEqual([{ key: null, value: 'x+null' }])
    expect(left.dropped()).toEqual({ nullValue: 1 })
  })

  it('hands on what it drops where somebody takes it up', () => {
    const lost = topic('lost', { key: nullable(string), value: nullable(string) })
    const driver = testDriver(
      topology('kept', (builder) => {
        const table = builder.table(rows, { store: 'rows' })
        builder
          .stream(facts)
          .join(table, pair, { dropped: { nullKey: (records) => records.to(lost) } })
          .to(out)
      }),
    )
    driver.input(facts).pipe(null, 'x')
    driver.input(facts).pipe('a', null)
    expect(driver.output(lost).readKeyValues()).toEqual([{ key: null, value: 'x' }])
  })

  it('finds rows in the partition of its own key only, so a rekeyed stream needs a name to be repartitioned', () => {
    expect(() =>
      topology('unnamed', (builder) => {
        builder
          .stream(rows)
          .selectKey(({ value }) => value)
          .join(builder.table(topic('other', { value: string }), { store: 'other' }), pair)
          .to(out)
      }),
    ).toThrow(/needs a repartition topic.*`name`/s)
  })

  it('is refused with a table of another topology', () => {
    const foreign: Table<string, string>[] = []
    topology('one', (builder) => {
      foreign.push(builder.table(rows, { store: 'rows' }))
    })
    expect(() =>
      topology('two', (builder) => {
        for (const table of foreign) builder.stream(rows).join(table, pair).to(out)
      }),
    ).toThrow(/a table of topology 'one' is joined here/)
  })
})

describe('a join with a versioned table', () => {
  it('finds the row that held at the time of the record, as far as it is known then', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const driver = testDriver(versioned(0))
        // The store is compared with Kafka Streams elsewhere, which has rules for deletions at the time of a value.
        const table = openMemoryStore(
          {
            kind: 'versioned',
            name: 'rows',
            key: string,
            value: string,
            changelog: true,
            storage: 'memory',
            historyRetentionMs: 1_000,
          },
          { append: () => undefined },
          {},
        ) as VersionedStore<string, string>
        for (const { table: isRow, key, value, timestamp } of steps) {
          if (isRow) {
            driver.input(rows).pipe(key, value, { timestamp })
            table.put(key, value, timestamp)
            continue
          }
          driver.input(facts).pipe(key, value, { timestamp })
          if (value === null) continue
          const held = table.get(key, timestamp)
          expect(driver.output(out).readAll()).toMatchObject([
            { key, value: pair(value, held?.value ?? null), timestamp },
          ])
        }
      }),
    )
  })

  it('with a grace waits for what the table learns late, and leaves by time', () => {
    const lone = new LoneTask(versioned(10))
    lone.pipe(facts, 'a', 'x', { timestamp: 20 })
    lone.pipe(facts, 'b', 'y', { timestamp: 15 })
    lone.pipe(rows, 'a', 'late', { timestamp: 19 })
    expect(lone.values()).toEqual([])
    lone.pipe(facts, 'c', 'z', { timestamp: 30 })
    expect(lone.values()).toEqual(['y+null', 'x+late'])
  })

  it('with a grace keeps what waits through a restart, in order and with headers', () => {
    const lone = new LoneTask(versioned(10))
    lone.pipe(facts, 'a', 'x1', { timestamp: 20, headers: [['h', null]] })
    lone.pipe(facts, 'a', 'x2', { timestamp: 20 })
    lone.restart()
    lone.pipe(facts, 'a', 'x3', { timestamp: 20 })
    lone.pipe(facts, 'b', 'y', { timestamp: 30 })
    expect(lone.sent.map(({ record }) => [record.value, record.headers, record.origin?.topic])).toEqual([
      ['x1+null', [['h', null]], 'facts'],
      ['x2+null', [], 'facts'],
      ['x3+null', [], 'facts'],
    ])
  })

  it('with a grace writes its buffer as Kafka Streams 4.3.1 does', () => {
    const driver = testDriver(versioned(10))
    const headers = [
      ['h', Uint8Array.of(0x31)],
      ['n', null],
    ] as const
    driver.input(facts).pipe('k', 'v', { timestamp: 20, headers })
    driver.input(facts).pipe('k', 'w', { timestamp: 30 })
    const name = 'versioned-look-Buffer-changelog'
    const written = driver.output({ name, key: bytes, value: nullable(bytes) }).readAll()
    const first = '0000000000000000146b00000001'
    expect(written.map(({ key, value }) => [hexEncode(key), value && hexEncode(value)])).toEqual([
      // Recorded: the key is 00, time, key, sequence; the value is time, offset, topic, partition, headers, no prior and
      // no old value, the value, and a buffer time of 0.
      [
        first,
        '00000000000000140000000000000000000000056661637473000000000000000200000001680000000131000000016effffffff' +
          'ffffffffffffffff00000001760000000000000000',
      ],
      [
        '00000000000000001e6b00000002',
        '000000000000001e00000000000000010000000566616374730000000000000000ffffffffffffffff00000001770000000000000000',
      ],
      [first, null],
    ])
  })

  it('with a grace is refused where the table keeps no past', () => {
    expect(() =>
      topology('unversioned', (builder) => {
        const table = builder.table(rows, { store: 'rows' })
        builder.stream(facts).join(table, pair, { name: 'look', grace: 5 }).to(out)
      }),
    ).toThrow(/asks table 'rows' for its past/)
  })
})

describe('a join with a global table', () => {
  const said = (left: boolean): Topology =>
    topology('global', (builder) => {
      const table = builder.globalTable(rows, { store: 'rows' })
      const stream = builder.stream(facts)
      const lookup = ({ value }: { value: string }): string | null => (value === 'none' ? null : value)
      const joined = left ? stream.leftJoin(table, lookup, pair) : stream.join(table, lookup, pair)
      joined.to(out)
    })

  it('finds rows under any key in every partition, and keeps the key of the stream', () => {
    const driver = testDriver(said(false), { partitions: { facts: 4, rows: 2 } })
    for (const key of ['a', 'b', 'c']) driver.input(rows).pipe(key, `row-${key}`)
    for (const partition of [0, 1, 2, 3]) driver.input(facts).pipe('k', 'b', { partition })
    driver.input(facts).pipe(null, 'c')
    driver.input(facts).pipe('k', 'missing')
    expect(
      driver
        .output(out)
        .readKeyValues()
        .map(({ key, value }) => `${key}=${value}`),
    ).toEqual([...Array.from({ length: 4 }, () => 'k=b+row-b'), 'null=c+row-c'])
  })

  it('counts null values and null look-ups; a left join goes on alone without a look-up', () => {
    const driver = testDriver(said(true))
    driver.input(facts).pipe('k', 'missing')
    driver.input(facts).pipe(null, 'none')
    driver.input(facts).pipe('k', 'none')
    driver.input(facts).pipe('k', null)
    driver.input(rows).pipeBytes(null, null)
    expect(driver.output(out).readKeyValues()).toEqual([
      { key: 'k', value: 'missing+null' },
      { key: null, value: 'none+null' },
      { key: 'k', value: 'none+null' },
    ])
    expect(driver.dropped()).toEqual({ nullValue: 1, nullKey: 1 })
    const inner = testDriver(said(false))
    inner.input(facts).pipe('k', 'none')
    expect(inner.output(out).readAll()).toEqual([])
    expect(inner.dropped()).toEqual({ nullLookupKey: 1 })
  })
})
