import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { utf8Decode, utf8Encode } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { keyValueStore, sessionStore, versionedStore, windowStore } from '../../src/index.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import type { Serde } from '../../src/topic/serde.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'

interface Value {
  n: number
  list: { x: number }[]
  when?: Date
  tags?: Set<string>
  counts?: Map<string, number>
  bytes?: Uint8Array<ArrayBuffer>
}

/** A serde whose values hold what cannot be frozen. */
const valueSerde: Serde<Value> = {
  name: 'value',
  nullable: false,
  serialize: ({ n, list, when, tags, counts, bytes }) =>
    utf8Encode(
      JSON.stringify([n, list, when, tags && [...tags], counts && [...counts], bytes && [...bytes]]),
    ),
  deserialize: (source, start, end) => {
    const [n, list, when, tags, counts, bytes] = JSON.parse(
      utf8Decode(source.subarray(start, end)),
    ) as unknown[]
    return {
      n: n as number,
      list: list as { x: number }[],
      ...(when == null ? {} : { when: new Date(when as string) }),
      ...(tags == null ? {} : { tags: new Set(tags as string[]) }),
      ...(counts == null ? {} : { counts: new Map(counts as [string, number][]) }),
      ...(bytes == null ? {} : { bytes: Uint8Array.from(bytes as number[]) }),
    }
  },
}

const keySerde: Serde<{ id: number[] }> = {
  name: 'key',
  nullable: false,
  serialize: ({ id }) => Uint8Array.from(id),
  deserialize: (source, start, end) => ({ id: [...source.subarray(start, end)] }),
}

const plain = (): Value => ({ n: 1, list: [{ x: 2 }] })
const mixed = (): Value => ({
  ...plain(),
  when: new Date(3),
  tags: new Set(['a']),
  counts: new Map([['b', 4]]),
  bytes: Uint8Array.of(5),
})

/** Changes everything that a value or a key allows to be changed, and returns what refused. */
const change = (target: unknown): number => {
  const { n, list, when, tags, counts, bytes, id } = target as Value & { id?: number[] }
  const changes: (() => unknown)[] = []
  if (n !== undefined) changes.push(() => ((target as Value).n = 100))
  if (list !== undefined)
    changes.push(
      () => list.push({ x: 100 }),
      () => ((list[0] as { x: number }).x = 100),
    )
  if (when !== undefined) changes.push(() => when.setTime(100))
  if (tags !== undefined) changes.push(() => tags.add('c'))
  if (counts !== undefined) changes.push(() => counts.clear())
  if (bytes !== undefined) changes.push(() => bytes.fill(100))
  if (id !== undefined) changes.push(() => id.push(100))
  let refused = 0
  for (const each of changes)
    try {
      each()
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      refused++
    }
  return refused
}

const key = { id: [7] }
const options = { key: keySerde, value: valueSerde, storage: 'disk' as const }

interface Kind {
  readonly definition: StoreDefinition
  readonly put: (store: StateStore, value: Value) => void
  /** Everything that the store's reads hand out: rows, values and keys. */
  readonly reads: (store: StateStore) => readonly unknown[]
}

const keysAndValues = (entries: Iterable<readonly [unknown, unknown]>): unknown[] => [...entries].flat()

const kinds: Readonly<Record<string, Kind>> = {
  keyValue: {
    definition: keyValueStore('rows', options),
    put: (store, value) => (store as KeyValueStore<unknown, Value>).put(key, value, 0),
    reads: (store) => {
      const rows = store as KeyValueStore<unknown, Value>
      return [
        rows.get(key),
        ...keysAndValues(rows.all()),
        ...keysAndValues(rows.range(key, key)),
        ...keysAndValues(rows.prefix(Uint8Array.of(7))),
      ]
    },
  },
  timestamped: {
    definition: { ...keyValueStore('rows', options), kind: 'keyValue', timestamped: true },
    put: (store, value) => (store as TimestampedKeyValueStore<unknown, Value>).put(key, value, 0),
    reads: (store) => {
      const rows = store as TimestampedKeyValueStore<unknown, Value>
      return [
        rows.get(key),
        ...keysAndValues(rows.all()),
        ...keysAndValues(rows.range(key, key)),
        ...keysAndValues(rows.prefix(Uint8Array.of(7))),
      ]
    },
  },
  versioned: {
    definition: versionedStore('rows', { ...options, historyRetention: 1000 }),
    put: (store, value) => void (store as VersionedStore<unknown, Value>).put(key, value, 0),
    reads: (store) => {
      const rows = store as VersionedStore<unknown, Value>
      return [rows.get(key), rows.get(key, 5), ...rows.versions(key), ...keysAndValues(rows.all())]
    },
  },
  window: {
    definition: windowStore('rows', { ...options, size: 10, retention: 1000 }),
    put: (store, value) => void (store as WindowStore<unknown, Value>).put(key, value, 0, 0),
    reads: (store) => {
      const rows = store as WindowStore<unknown, Value>
      return [
        rows.fetch(key, 0),
        ...rows.fetchRange(key, 0, 10),
        ...keysAndValues(rows.fetchAll(0, 10)),
        ...keysAndValues(rows.all()),
      ]
    },
  },
  session: {
    definition: sessionStore('rows', { ...options, retention: 1000 }),
    put: (store, value) => (store as SessionStore<unknown, Value>).put(windowed(key, 0, 5), value, 0),
    reads: (store) => {
      const rows = store as SessionStore<unknown, Value>
      return [
        rows.fetch(key, 0, 5),
        ...keysAndValues(rows.findSessions(key, 0, 10)),
        ...keysAndValues(rows.findByEnd(0, 10)),
        ...keysAndValues(rows.all()),
      ]
    },
  },
}

/** The values and keys inside of rows, and the rows themselves. */
const parts = (read: unknown): readonly unknown[] => {
  const { value, key: inner } = read as { readonly value?: unknown; readonly key?: unknown }
  return [read, ...(value === undefined ? [] : [value]), ...(inner === undefined ? [] : [inner])]
}

const cases = Object.keys(kinds).flatMap((kind) =>
  ['memory', 'disk'].flatMap((storage) =>
    ['put', 'restored'].map((origin) => [kind, storage, origin] as const),
  ),
)

describe('stores with frozen state', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-frozen-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(cases)('%s in %s, %s: what reads return never changes the state', async (name, storage, origin) => {
    const kind = kinds[name] as Kind
    const open = (place: string) => {
      if (storage === 'memory')
        return {
          open: (definition: StoreDefinition, log: Changelog) =>
            openMemoryStore(definition, log, { frozen: true }),
          close: () => Promise.resolve(),
        }
      return openLmdbStores(join(folder, name, origin, place), { clock: new ManualClock(), frozen: true })
    }
    for (const [value, make] of [
      ['plain', plain],
      ['mixed', mixed],
    ] as const) {
      const changelog = new Changelog()
      const stores = open(`${value}-1`)
      let store = stores.open(kind.definition, changelog)
      const given = make()
      kind.put(store, given)
      const other = open(`${value}-2`)
      if (origin === 'restored') {
        store.flush()
        store = other.open(kind.definition, changelog)
        changelog.restore(store)
      }
      change(given)
      const before = kind.reads(store)
      expect(before.length).toBeGreaterThan(1)
      for (const read of before) {
        if ('value' in (read as object)) expect((read as { value: unknown }).value).toEqual(make())
        const refused = parts(read).map(change)
        if (value === 'plain') expect(Math.max(...refused)).toBeGreaterThan(0)
      }
      expect(kind.reads(store)).toEqual(kind.reads(store))
      for (const read of kind.reads(store))
        for (const part of parts(read)) {
          if ('n' in (part as object)) expect(part).toEqual(make())
          if ('id' in (part as object)) expect(part).toEqual(key)
        }
      store.flush()
      expect(
        changelog.rows.every((row) => row.value === null || utf8Decode(row.value).includes('"x":2')),
      ).toBe(true)
      await stores.close()
      await other.close()
    }
  })

  it('freeze what lies in an object that its author froze only at the top', () => {
    const store = openMemoryStore(keyValueStore('rows', options), new Changelog(), {
      frozen: true,
    }) as KeyValueStore<unknown, Value>
    const given = Object.freeze(plain())
    store.put(key, given, 0)
    expect(() => given.list.push({ x: 3 })).toThrow(TypeError)
    expect(() => store.get(key)?.list.push({ x: 3 })).toThrow(TypeError)
  })

  it('hand out the same object again where it is plain data', () => {
    const store = openMemoryStore(keyValueStore('rows', options), new Changelog(), {
      frozen: true,
    }) as KeyValueStore<unknown, Value>
    store.put(key, plain(), 0)
    expect(store.get(key)).toBe(store.get(key))
  })
})
