import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, utf8Encode } from '../../src/base/bytes.ts'
import { readPage } from '../../src/state/read-page.ts'
import type {
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import type { RowPlace, StoreQuery, StoreRow } from '../../src/state/store-query.ts'
import { string } from '../../src/topic/serdes.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'
import { lmdbSubject } from './lmdb-subject.ts'
import { memorySubject } from './memory-subject.ts'

const base = { name: 'store', key: string, value: string, changelog: true, storage: 'disk' } as const
const keys = ['', 'a', 'aa', 'ab', 'b', 'é']

interface Case {
  readonly definition: StoreDefinition
  readonly put: (store: StateStore, key: string, time: number, value: string) => void
  readonly queries: readonly StoreQuery[]
}

const byKey: readonly StoreQuery[] = [
  { kind: 'range' },
  { kind: 'range', reverse: true },
  { kind: 'range', from: utf8Encode('a'), to: utf8Encode('ab') },
  { kind: 'range', from: utf8Encode('a'), to: utf8Encode('ab'), reverse: true },
]
const ofOneKey: StoreQuery = { kind: 'key', key: utf8Encode('a') }
const byTime: readonly StoreQuery[] = [
  ofOneKey,
  { kind: 'key', key: utf8Encode('a'), fromMs: 10, toMs: 30 },
  { kind: 'time' },
  { kind: 'time', fromMs: 10, toMs: 30 },
]

const cases: readonly Case[] = [
  {
    definition: { ...base, kind: 'keyValue', timestamped: true },
    put: (store, key, time, value) =>
      (store as TimestampedKeyValueStore<string, string>).put(key, value, time),
    queries: [...byKey, { kind: 'prefix', prefix: utf8Encode('a') }],
  },
  {
    definition: { ...base, kind: 'versioned', historyRetentionMs: 1_000 },
    put: (store, key, time, value) => void (store as VersionedStore<string, string>).put(key, value, time),
    queries: [...byKey, ofOneKey],
  },
  {
    definition: { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 1_000 },
    put: (store, key, time, value) => void (store as WindowStore<string, string>).put(key, value, time, time),
    queries: byTime,
  },
  {
    definition: { ...base, kind: 'session', retentionMs: 1_000 },
    put: (store, key, time, value) => {
      // Sessions that end together and begin apart, and the other way round.
      const sessions = store as SessionStore<string, string>
      sessions.put(windowed(key, time - (time % 7), time), value, time)
    },
    queries: byTime,
  },
]

const puts = fc.array(fc.tuple(fc.constantFrom(...keys), fc.nat(40), fc.string({ maxLength: 2 })), {
  minLength: 5,
  maxLength: 60,
})

const pagesOf = (
  store: StateStore,
  { definition }: Case,
  query: StoreQuery,
  limit: number,
): readonly StoreRow[] => {
  const rows: StoreRow[] = []
  let after: RowPlace | undefined
  do {
    const page = readPage(store, definition, { query, limit, after })
    expect(page.rows.length).toBeLessThanOrEqual(limit)
    // An empty page that claims another would be asked for without end.
    if (page.after !== undefined) expect(page.rows.length).toBe(limit)
    rows.push(...page.rows)
    expect(rows.length).toBeLessThan(1_000)
    after = page.after
  } while (after !== undefined)
  return rows
}

const placeOf = ({ key, startMs, endMs, timestamp }: StoreRow): string =>
  [key.toString(), startMs, endMs, timestamp].join('|')

describe.each([memorySubject, lmdbSubject('on LMDB', 0)])('a store $name, read page by page', (subject) => {
  it.each(cases)(
    '$definition.kind: every row once and in order, whatever the size of a page',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(
          puts,
          fc.integer({ min: 1, max: 7 }),
          fc.constantFrom(1, 16_000_000),
          async (all, limit, cacheBytes) => {
            const place = subject.place({ cacheBytes })
            const store = place.open(kind.definition, new Changelog())
            all.forEach(([key, time, value], index) => {
              kind.put(store, key, time, value)
              // Some rows are on disk alone, some in memory too.
              if (index % 9 === 0) {
                store.flush()
                store.persist(index)
              }
            })
            for (const query of kind.queries) {
              const whole = readPage(store, kind.definition, { query, limit: 1_000 })
              expect(whole.after).toBeUndefined()
              expect(new Set(whole.rows.map(placeOf)).size).toBe(whole.rows.length)
              expect(pagesOf(store, kind, query, limit)).toEqual(whole.rows)
            }
            await place.close()
          },
        ),
        { numRuns: subject.durable ? 10 : 60 },
      )
    },
  )

  it('goes on behind a row that is gone meanwhile', async () => {
    const place = subject.place()
    const [table] = cases as readonly [Case, ...(readonly Case[])]
    const store = place.open(table.definition, new Changelog()) as unknown as TimestampedKeyValueStore<
      string,
      string
    >
    for (const key of keys) store.put(key, key, 1)
    const query: StoreQuery = { kind: 'range' }
    const first = readPage(store, table.definition, { query, limit: 3 })
    store.put('aa', null, 2)
    store.put('a', null, 2)
    const rest = readPage(store, table.definition, { query, limit: 10, after: first.after })
    const read = [...first.rows, ...rest.rows].map(({ key }) => key)
    expect(read).toEqual(keys.map((key) => new Uint8Array(utf8Encode(key))).toSorted(compareBytes))
    await place.close()
  })
})

const everyQuery: readonly StoreQuery[] = [
  ...byKey,
  ...byTime,
  { kind: 'prefix', prefix: utf8Encode('a') },
  { kind: 'get', key: utf8Encode('a'), asOfMs: 1 },
]

it('a query of another kind of store is refused', () => {
  const place = memorySubject.place()
  for (const { definition, queries } of cases) {
    const store = place.open(definition, new Changelog())
    const unsuited = everyQuery.filter(
      ({ kind }) =>
        !queries.some((each) => each.kind === kind) && !(kind === 'get' && definition.kind === 'versioned'),
    )
    for (const query of unsuited)
      expect(
        () => readPage(store, definition, { query, limit: 1 }),
        `${definition.kind} ${query.kind}`,
      ).toThrow(expect.objectContaining({ code: 'STORE_KIND' }))
  }
})
