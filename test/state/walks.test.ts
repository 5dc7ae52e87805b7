import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, utf8Encode } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openStore } from '../../src/state/open-store.ts'
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import { bytes, string } from '../../src/topic/serdes.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'
import { MemoryDisk } from './memory-disk.ts'

/**
 * Walks of stores of which some rows are in memory only, some on disk only and some in both. What is put, deleted,
 * written to the disk and evicted while a walk is open shows in its next step: it yields the row that comes next at
 * that moment, as a sorted map would.
 */
const base = { name: 'store', changelog: true, storage: 'disk' } as const

/** A row of any kind of store, by where it is in a walk. */
interface Row {
  readonly place: readonly (number | Uint8Array)[]
  readonly value: string
}

interface Walk {
  readonly rows: () => Iterable<unknown>
  /** Whether the walk is to yield the row. */
  readonly covers: (row: Row) => boolean
  readonly reverse: boolean
}

interface Kind {
  readonly definition: StoreDefinition
  readonly placeOf: (entry: unknown) => readonly (number | Uint8Array)[]
  readonly valueOf: (entry: unknown) => string
  readonly put: (store: StateStore, at: number, value: string | null) => Row['place']
  readonly get: (store: StateStore, at: number) => void
  readonly walk: (store: StateStore, from: number, to: number, style: number) => Walk
}

/** Keys that end in 0xff, are prefixes of each other, or are empty. */
const edges = [[], [0], [1], [1, 0], [1, 1], [1, 255], [1, 255, 255], [2], [254], [255], [255, 0], [255, 255]]
/** More than the first page that a walk reads of the disk. */
const many = Array.from({ length: 30 }, (_, index) => [3, index])
const keys = [...edges, ...many].map((each) => Uint8Array.from(each))
const keyAt = (at: number): Uint8Array => keys[at % keys.length] as Uint8Array
const timeAt = (at: number): number => 100 + Math.floor(at / keys.length)
const positions = keys.length * 3

const comparePlaces = (left: Row['place'], right: Row['place']): number => {
  for (const [index, each] of left.entries()) {
    const other = right[index]
    const order =
      typeof each === 'number' ? each - (other as number) : compareBytes(each, other as Uint8Array)
    if (order !== 0) return order
  }
  return 0
}

const startsWith = (key: Uint8Array, prefix: Uint8Array): boolean =>
  prefix.length <= key.length && compareBytes(key.subarray(0, prefix.length), prefix) === 0

const keyValue: Kind = {
  definition: { ...base, kind: 'keyValue', timestamped: false, key: bytes, value: string },
  placeOf: (entry) => [(entry as [Uint8Array, string])[0]],
  valueOf: (entry) => (entry as [Uint8Array, string])[1],
  put: (store, at, value) => {
    ;(store as KeyValueStore<Uint8Array, string>).put(keyAt(at), value, 0)
    return [keyAt(at)]
  },
  get: (store, at) => void (store as KeyValueStore<Uint8Array, string>).get(keyAt(at)),
  walk: (store, from, to, style) => {
    const typed = store as KeyValueStore<Uint8Array, string>
    const [low, high] = [keyAt(from), keyAt(to)]
    const reverse = style % 2 === 1
    const keyOf = ({ place }: Row): Uint8Array => place[0] as Uint8Array
    const walks: readonly Walk[] = [
      { rows: () => typed.all({ reverse }), covers: () => true, reverse },
      {
        rows: () => typed.range(low, high, { reverse }),
        covers: (row) => compareBytes(keyOf(row), low) >= 0 && compareBytes(keyOf(row), high) <= 0,
        reverse,
      },
      {
        rows: () => typed.range(low, undefined, { reverse }),
        covers: (row) => compareBytes(keyOf(row), low) >= 0,
        reverse,
      },
      {
        rows: () => typed.prefix(low),
        covers: (row) => startsWith(keyOf(row), low),
        reverse: false,
      },
      {
        rows: () => typed.prefix(low, high),
        covers: (row) => startsWith(keyOf(row), low) && compareBytes(keyOf(row), high) > 0,
        reverse: false,
      },
    ]
    return walks[(style >> 1) % walks.length] as Walk
  },
}

const versioned: Kind = {
  definition: { ...base, kind: 'versioned', historyRetentionMs: 1_000, key: bytes, value: string },
  placeOf: (entry) => [(entry as [Uint8Array, unknown])[0]],
  valueOf: (entry) => (entry as [Uint8Array, { value: string }])[1].value,
  put: (store, at, value) => {
    ;(store as VersionedStore<Uint8Array, string>).put(keyAt(at), value, 1)
    return [keyAt(at)]
  },
  get: (store, at) => void (store as VersionedStore<Uint8Array, string>).get(keyAt(at)),
  walk: (store, from, to, style) => {
    const typed = store as VersionedStore<Uint8Array, string>
    const [low, high] = [keyAt(from), keyAt(to)]
    const reverse = style % 2 === 1
    return {
      rows: () => typed.range(low, high, { reverse }),
      covers: ({ place: [key] }) =>
        compareBytes(key as Uint8Array, low) >= 0 && compareBytes(key as Uint8Array, high) <= 0,
      reverse,
    }
  },
}

const windows: Kind = {
  definition: { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 1_000, key: bytes, value: string },
  placeOf: (entry) => {
    const [{ startMs, key }] = entry as [{ startMs: number; key: Uint8Array }]
    return [startMs, 0, key]
  },
  valueOf: (entry) => (entry as [unknown, { value: string }])[1].value,
  put: (store, at, value) => {
    ;(store as WindowStore<Uint8Array, string>).put(keyAt(at), value, timeAt(at), 0)
    return [timeAt(at), 0, keyAt(at)]
  },
  get: (store, at) => void (store as WindowStore<Uint8Array, string>).fetch(keyAt(at), timeAt(at)),
  walk: (store, from, to, style) => {
    const typed = store as WindowStore<Uint8Array, string>
    const after = [timeAt(from), 0, keyAt(from)]
    if (style % 2 === 0)
      return {
        rows: () => typed.fetchAll(timeAt(from), timeAt(to)),
        covers: ({ place: [time] }) => (time as number) >= timeAt(from) && (time as number) <= timeAt(to),
        reverse: false,
      }
    return {
      rows: () => typed.fetchAll(-Infinity, timeAt(to), windowed(keyAt(from), timeAt(from), Infinity)),
      covers: ({ place }) => comparePlaces(place, after) > 0 && (place[0] as number) <= timeAt(to),
      reverse: false,
    }
  },
}

const sessions: Kind = {
  definition: { ...base, kind: 'session', retentionMs: 1_000, key: bytes, value: string },
  placeOf: (entry) => {
    const [{ startMs, endMs, key }] = entry as [{ startMs: number; endMs: number; key: Uint8Array }]
    return [endMs, startMs, key]
  },
  valueOf: (entry) => (entry as [unknown, string])[1],
  put: (store, at, value) => {
    const session = windowed(keyAt(at), 50 + (at % 2), timeAt(at))
    ;(store as SessionStore<Uint8Array, string>).put(session, value, 0)
    return [timeAt(at), 50 + (at % 2), keyAt(at)]
  },
  get: (store, at) => void (store as SessionStore<Uint8Array, string>).fetch(keyAt(at), 50, timeAt(at)),
  walk: (store, from, to) => {
    const typed = store as SessionStore<Uint8Array, string>
    return {
      rows: () => typed.findByEnd(timeAt(from), timeAt(to)),
      covers: ({ place: [end] }) => (end as number) >= timeAt(from) && (end as number) <= timeAt(to),
      reverse: false,
    }
  },
}

type Step =
  | { readonly do: 'put'; readonly at: number }
  | { readonly do: 'delete' | 'get'; readonly at: number }
  | { readonly do: 'flush' | 'commit' | 'fill' }
  | { readonly do: 'open'; readonly from: number; readonly to: number; readonly style: number }
  | { readonly do: 'next' | 'drain' }
  | { readonly do: 'prepare'; readonly slices: number }

const at = fc.nat(positions - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: at.map((each) => ({ do: 'put' as const, at: each })) },
  { weight: 2, arbitrary: at.map((each) => ({ do: 'delete' as const, at: each })) },
  { weight: 2, arbitrary: at.map((each) => ({ do: 'get' as const, at: each })) },
  { weight: 2, arbitrary: fc.constantFrom({ do: 'flush' as const }, { do: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fill' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('open' as const), from: at, to: at, style: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prepare' as const), slices: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.constantFrom({ do: 'next' as const }, { do: 'drain' as const }) },
)

/** The model: what the store holds, and where the open walk is. */
class Model {
  readonly #rows = new Map<string, Row>()
  #walk: Walk | undefined
  #entries: Iterator<unknown> | undefined
  #last: Row['place'] | undefined

  put(place: Row['place'], value: string | null): void {
    if (value === null) this.#rows.delete(place.join('|'))
    else this.#rows.set(place.join('|'), { place, value })
  }

  open(walk: Walk): void {
    this.#walk = walk
    this.#entries = walk.rows()[Symbol.iterator]()
    this.#last = undefined
  }

  /** What the open walk yields next, and what it should; both undefined at its end. */
  next({ placeOf, valueOf }: Kind): { readonly got: unknown; readonly expected: unknown } {
    if (this.#walk === undefined || this.#entries === undefined) return atEnd
    const expected = this.#expected(this.#walk)
    const { value, done } = this.#entries.next()
    this.#last = expected?.place
    if (expected === undefined) this.#walk = undefined
    return {
      got: done === true ? undefined : shown({ place: placeOf(value), value: valueOf(value) }),
      expected: expected && shown(expected),
    }
  }

  #expected({ covers, reverse }: Walk): Row | undefined {
    const sign = reverse ? -1 : 1
    const last = this.#last
    let first: Row | undefined
    for (const row of this.#rows.values()) {
      if (!covers(row) || (last !== undefined && sign * comparePlaces(row.place, last) <= 0)) continue
      if (first === undefined || sign * comparePlaces(row.place, first.place) < 0) first = row
    }
    return first
  }
}

const atEnd = { got: undefined, expected: undefined }

const shown = ({ place, value }: Row): unknown => [
  value,
  ...place.map((each) => (typeof each === 'number' ? each : [...each])),
]

/** False at the end of the walk. */
const stepAgrees = (model: Model, kind: Kind): boolean => {
  const { got, expected } = model.next(kind)
  expect(got).toEqual(expected)
  return expected !== undefined
}

const check = (kind: Kind, steps: readonly Step[], store: StateStore, changelog: Changelog): void => {
  const model = new Model()
  for (const [index, each] of steps.entries()) {
    if (each.do === 'put') model.put(kind.put(store, each.at, `${index}`), `${index}`)
    else if (each.do === 'delete') model.put(kind.put(store, each.at, null), null)
    else if (each.do === 'fill')
      for (let all = 0; all < positions; all++) model.put(kind.put(store, all, `${index}`), `${index}`)
    else if (each.do === 'prepare') {
      let left = each.slices
      store.prepareWalk?.(() => left-- === 0, { fromMs: timeAt(index), rowCount: index })
    } else if (each.do === 'get') kind.get(store, each.at)
    else if (each.do === 'open') model.open(kind.walk(store, each.from, each.to, each.style))
    else if (each.do === 'next') stepAgrees(model, kind)
    else if (each.do === 'drain') while (stepAgrees(model, kind));
    else {
      store.flush()
      if (each.do === 'commit') store.persist(changelog.rows.length)
    }
  }
}

const onLmdb = async (kind: Kind, steps: readonly Step[], cacheBytes: number): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-walks-'))
  const stores = openLmdbStores(directory, { cacheBytes, clock: new ManualClock(), batchIntervalMs: 0 })
  const changelog = new Changelog()
  try {
    check(kind, steps, stores.open(kind.definition, changelog), changelog)
  } finally {
    await stores.close()
    rmSync(directory, { recursive: true })
  }
}

const kinds = [
  ['key-value', keyValue],
  ['versioned', versioned],
  ['window', windows],
  ['session', sessions],
] as const

describe('a walk of a store', () => {
  const steps = fc.array(step, { minLength: 10, maxLength: 120, size: 'max' })
  // The smallest cache holds four rows, so that nearly all are on disk only; with the largest, all are in both.
  const cacheBytes = fc.constantFrom(1, 8_000, 16_000_000)

  it.each(kinds)('of %s rows goes as a sorted map does, whatever changes while it is open', (_name, kind) => {
    fc.assert(
      fc.property(steps, cacheBytes, fc.boolean(), (given, bytesOfCache, inMemory) => {
        const changelog = new Changelog()
        const disk = inMemory ? undefined : new MemoryDisk()
        const store = openStore(kind.definition, { changelog, disk, cacheBytes: bytesOfCache })
        check(kind, given, store, changelog)
      }),
      { numRuns: 50 },
    )
  })

  it.each(kinds)('of %s rows goes as a sorted map does on LMDB too', (_name, kind) =>
    fc.assert(
      fc.asyncProperty(steps, cacheBytes, (given, bytesOfCache) => onLmdb(kind, given, bytesOfCache)),
      { numRuns: 8 },
    ),
  )
})

describe('a walk of rows that are in memory and on disk', () => {
  const name = (index: number): string => `key-${String(index).padStart(5, '0')}`
  const rowCount = 5_000

  it.each(['key-value', 'window'])('reads from the disk about what it returns: %s', (kind) => {
    const disk = new MemoryDisk()
    const readFor = (walk: () => Iterable<unknown>, limit: number): number => {
      const before = disk.pagedEntries
      let count = 0
      for (const _row of walk()) if (++count === limit) break
      expect(count).toBe(limit)
      return disk.pagedEntries - before
    }
    const context = { changelog: new Changelog(), disk, cacheBytes: 64_000_000 }
    const walks: Record<string, () => Iterable<unknown>> = {}
    if (kind === 'key-value') {
      const store = openStore({ ...keyValue.definition, key: string }, context) as KeyValueStore<
        string,
        string
      >
      for (let index = 0; index < rowCount; index++) store.put(name(index), 'a', 0)
      store.flush()
      store.persist(rowCount)
      walks['prefix'] = () => store.prefix(utf8Encode('key-0012'))
      walks['open range'] = () => store.range(name(120), undefined)
      walks['open range in reverse'] = () => store.range(undefined, name(120), { reverse: true })
      walks['all'] = () => store.all()
    } else {
      const store = openStore({ ...windows.definition, key: string }, context) as WindowStore<string, string>
      for (let index = 0; index < rowCount; index++) store.put(name(index), 'a', index % 10, 0)
      store.flush()
      store.persist(rowCount)
      walks['fetchAll'] = () => store.fetchAll(5, Infinity)
      walks['fetchAll behind a window'] = () => store.fetchAll(0, 9, windowed(name(125), 5, Infinity))
    }
    for (const [title, walk] of Object.entries(walks))
      expect(readFor(walk, 10), title).toBeLessThanOrEqual(16)
  })

  it('passes what is deleted but still on disk once, not with each walk', () => {
    const disk = new MemoryDisk()
    const store = openStore(
      { ...keyValue.definition, key: string },
      { changelog: new Changelog(), disk },
    ) as KeyValueStore<string, string>
    for (let index = 0; index < rowCount; index++) store.put(name(index), 'a', 0)
    store.flush()
    store.persist(rowCount)
    for (let index = 0; index < rowCount - 1; index++) store.put(name(index), null, 0)
    const first = (): unknown => store.all().next().value
    expect(first()).toEqual([name(rowCount - 1), 'a'])
    const before = disk.pagedEntries
    for (let walk = 0; walk < 10; walk++) expect(first()).toEqual([name(rowCount - 1), 'a'])
    expect(disk.pagedEntries - before).toBeLessThan(200)
    store.put(name(7), 'b', 0)
    expect(first()).toEqual([name(7), 'b'])
  })

  it.each([
    ['key-value', keyValue],
    ['window', windows],
    ['session', sessions],
  ] as const)('can have its rows put in order in slices: %s', (_name, kind) => {
    const store = openStore(
      { ...kind.definition, key: bytes },
      { changelog: new Changelog(), disk: undefined },
    )
    for (let index = 0; index < positions; index++) kind.put(store, index, `${index}`)
    const plan = { fromMs: timeAt(0), rowCount: positions }
    let calls = 1
    for (let looks = 0; store.prepareWalk?.(() => looks++ > 0, plan) === false; looks = 0) calls++
    expect(calls).toBeGreaterThan(1)
    expect([...kind.walk(store, 0, positions - 1, 0).rows()].length).toBeGreaterThan(0)
  })

  it('yields a row once although it was put while the walk was at it', () => {
    const store = openStore(
      { ...keyValue.definition, key: string },
      { changelog: new Changelog(), disk: new MemoryDisk(), cacheBytes: 1 },
    ) as KeyValueStore<string, string>
    for (let index = 0; index < 40; index++) store.put(name(index), 'a', 0)
    store.flush()
    store.persist(40)
    const seen: string[] = []
    for (const [key, value] of store.all()) {
      seen.push(key)
      store.put(key, `${value}b`, 0)
    }
    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => name(index)))
  })
})
