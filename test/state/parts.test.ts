import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { nextIteration } from '../../src/base/next-iteration.ts'
import { LmdbEnvironment } from '../../src/state/lmdb-environment.ts'
import type { LmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type {
  JoinWindowStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import type { AnySerde } from '../../src/topic/serde.ts'
import { long, string } from '../../src/topic/serdes.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { KeyValueStoreDefinition, StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'

const base = { name: 'store', key: string, value: string, changelog: true, storage: 'disk' } as const
const table: KeyValueStoreDefinition = { ...base, kind: 'keyValue', timestamped: true }

interface Put {
  readonly key: number
  readonly value: string | null
  readonly aheadMs: number
}

/** A put of each kind of store, at a time that goes on with each put. */
const kinds: Record<
  string,
  { definition: StoreDefinition; put: (store: never, put: Put, time: number) => void }
> = {
  'key-value': {
    definition: table,
    put: (store: TimestampedKeyValueStore<string, string>, { key, value }, time) =>
      store.put(`key ${key}`, value, time),
  },
  versioned: {
    definition: { ...base, kind: 'versioned', historyRetentionMs: 150 },
    put: (store: VersionedStore<string, string>, { key, value, aheadMs }, time) =>
      store.put(`key ${key}`, value, time + aheadMs),
  },
  window: {
    definition: { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 150 },
    put: (store: WindowStore<string, string>, { key, value, aheadMs }, time) =>
      store.put(`key ${key}`, value, time + aheadMs, time),
  },
  session: {
    definition: { ...base, kind: 'session', retentionMs: 150 },
    put: (store: SessionStore<string, string>, { key, value, aheadMs }, time) =>
      store.put(windowed(`key ${key}`, time, time + aheadMs), value, time),
  },
  join: {
    definition: { ...base, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 150 },
    put: (store: JoinWindowStore<string, string>, { key, value, aheadMs }, time) =>
      store.put(`key ${key}`, value, time + aheadMs),
  },
}

const puts = fc.array(
  fc.record({
    key: fc.nat(150),
    value: fc.option(fc.string({ maxLength: 3 }), { freq: 5 }),
    aheadMs: fc.nat(60),
  }),
  { minLength: 200, maxLength: 400 },
)

/** With each look at it, a part is over. */
const hastyClock = (): Clock => {
  const clock = new ManualClock()
  return {
    now: () => clock.now(),
    monotonicMs: () => {
      clock.advance(60)
      return clock.monotonicMs()
    },
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
  }
}

describe('a batch that is written in parts', () => {
  let folder: string
  let stores: LmdbStores
  let clock: Clock

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-parts-'))
    clock = hastyClock()
    stores = openLmdbStores(join(folder, 'state'), { clock, batchIntervalMs: 0 })
  })

  afterEach(async () => {
    await stores.close().catch(() => {})
    rmSync(folder, { recursive: true })
  })

  /** What a process finds that is started after a crash at this moment. */
  const crashed = (name: string): string => {
    const copy = join(folder, name)
    cpSync(join(folder, 'state'), copy, { recursive: true })
    return copy
  }

  const openTable = (value: AnySerde = string): TimestampedKeyValueStore<string, unknown> =>
    stores.open({ ...table, value }, new Changelog()) as TimestampedKeyValueStore<string, unknown>

  const commit = (store: StateStore, offset: number): void => {
    store.flush()
    store.persist(offset)
  }

  it('lets the thread go on between them, and is noted with the last', async () => {
    const store = openTable()
    store.put('first', '1', 1)
    commit(store, 1)
    for (let index = 0; index < 100; index++) store.put(`key ${index}`, '1', 1)
    commit(store, 101)
    const after = async (name: string): Promise<unknown> =>
      (await LmdbEnvironment.readStates(crashed(name)))?.get('store')
    expect(await after('one')).toMatchObject({ changelogOffset: 1, aheadOffset: 101 })
    await nextIteration()
    expect(await after('two')).toMatchObject({ changelogOffset: 1, aheadOffset: 101 })
    for (let part = 2; part < 5; part++) await nextIteration()
    expect(await after('all')).toMatchObject({ changelogOffset: 101, aheadOffset: undefined })
  })

  it('is finished when the stores are closed', async () => {
    const store = openTable()
    for (let index = 0; index < 100; index++) store.put(`key ${index}`, '1', 1)
    commit(store, 100)
    for (let index = 0; index < 100; index++) store.put(`key ${index}`, '2', 2)
    commit(store, 200)
    await stores.close()
    stores = openLmdbStores(join(folder, 'state'), { clock: new ManualClock() })
    const again = openTable()
    expect(again.changelogOffset()).toBe(200)
    expect(new Set(Array.from(again.all(), ([, { value }]) => value))).toEqual(new Set(['2']))
  })

  it('fails the next commit where a part failed that nobody waited for', async () => {
    let isBroken = false
    const value = {
      ...long,
      name: 'broken',
      serialize: (number: number) => {
        if (isBroken) throw new Error('no more numbers')
        return long.serialize(number)
      },
    }
    const store = openTable(value)
    for (let index = 0; index < 100; index++) store.put(`key ${index}`, index, 1)
    commit(store, 100)
    isBroken = true
    await nextIteration()
    expect(() => store.persist(101)).toThrow('no more numbers')
    // Nothing goes on by itself afterwards.
    const looks = clock.monotonicMs()
    for (let part = 0; part < 3; part++) await nextIteration()
    expect(clock.monotonicMs()).toBe(looks + 60)
  })

  it.each(Object.entries(kinds))(
    'leaves a %s store that a restart completes from its changelog, wherever it broke off',
    async (_kind, { definition, put }) => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(puts, { minLength: 2, maxLength: 3 }),
          fc.nat(12),
          async (rounds, parts) => {
            const place = join(folder, `run-${run++}`)
            const live = openLmdbStores(place, { clock: hastyClock(), batchIntervalMs: 0 })
            const changelog = new Changelog()
            const store = live.open(definition, changelog)
            let time = 0
            for (const round of rounds) {
              for (const each of round) put(store as never, each, time++)
              store.flush()
              store.persist(changelog.rows.length)
              for (let part = 0; part < parts; part++) await nextIteration()
            }
            const copy = `${place}-copy`
            cpSync(place, copy, { recursive: true })
            await live.close()
            const restarted = openLmdbStores(copy, { clock: new ManualClock() })
            const restored = restarted.open(definition, new Changelog())
            changelog.restore(restored)
            const reference = openMemoryStore(definition, new Changelog(), {})
            changelog.restore(reference, 0)
            const rowsOf = (some: StateStore): unknown[] => [
              ...(some as unknown as { all(): Iterable<unknown> }).all(),
            ]
            expect(rowsOf(restored)).toEqual(rowsOf(reference))
            await restarted.close()
            rmSync(place, { recursive: true })
            rmSync(copy, { recursive: true })
          },
        ),
        { numRuns: 8 },
      )
    },
  )
})
