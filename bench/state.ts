import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/system-clock.ts'
import { openLmdbStores } from '../src/state/open-lmdb-stores.ts'
import { openMemoryStore } from '../src/state/open-memory-store.ts'
import type {
  ChangelogSink,
  JoinWindowStore,
  StateStore,
  TimestampedKeyValueStore,
  WindowStore,
} from '../src/state/store.ts'
import { long, string } from '../src/topic/serdes.ts'
import type { StoreDefinition } from '../src/topology/store-definition.ts'

/**
 * What state costs: a million reads and updates over 100,000 keys, committed every 50,000, for each kind of store in
 * memory and on LMDB. Costs are processor time, as wall time depends on who else is at work. By hand: `node bench/state.ts`.
 */
const keyCount = 100_000
const updates = 1_000_000
const updatesPerCommit = 50_000

const base = { name: 'bench', key: string, value: long, changelog: true, storage: 'disk' } as const
const keys = Array.from({ length: keyCount }, (_, index) => `customer-${index}`)
const keyAt = (index: number): string => keys[(index * 7919) % keyCount] as string

let appended = 0
const changelog: ChangelogSink = {
  append: () => {
    appended++
  },
}

const measure = (name: string, count: number, work: () => void): void => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  const nanoseconds = ((user + system) * 1_000) / count
  const perSecond = Math.round(1e9 / nanoseconds / 1_000)
  console.log(
    `${name.padEnd(46)} ${nanoseconds.toFixed(0).padStart(7)} ns ${String(perSecond).padStart(7)} k/s`,
  )
}

type Open = (definition: StoreDefinition) => StateStore

const commitEvery = (store: StateStore, index: number): void => {
  if (index % updatesPerCommit !== 0) return
  store.flush()
  store.persist(appended)
}

const benchTable = (where: string, open: Open): void => {
  const store = open({ ...base, kind: 'keyValue', timestamped: true }) as TimestampedKeyValueStore<
    string,
    number
  >
  measure(`${where}: put, new keys`, keyCount, () => {
    for (let index = 0; index < keyCount; index++) store.put(keyAt(index), index, index)
  })
  measure(`${where}: get and put (count by key), commits`, updates, () => {
    for (let index = 1; index <= updates; index++) {
      const key = keyAt(index)
      store.put(key, (store.get(key)?.value ?? 0) + 1, index)
      commitEvery(store, index)
    }
  })
  measure(`${where}: get`, updates, () => {
    for (let index = 0; index < updates; index++) store.get(keyAt(index))
  })
  measure(`${where}: range over all, by row`, keyCount, () => {
    for (const _ of store.all());
  })
  store.close()
}

const benchWindows = (where: string, open: Open): void => {
  const store = open({ ...base, kind: 'window', windowSizeMs: 10_000, retentionMs: 20_000 }) as WindowStore<
    string,
    number
  >
  measure(`${where}: tumbling count, 10 k keys, commits`, updates, () => {
    for (let index = 1; index <= updates; index++) {
      const key = keys[index % 10_000] as string
      const startMs = Math.floor(index / 100_000) * 10_000
      store.put(key, (store.fetch(key, startMs)?.value ?? 0) + 1, startMs, index)
      commitEvery(store, index)
    }
  })
  store.close()
}

const benchJoins = (where: string, open: Open): void => {
  const store = open({
    ...base,
    kind: 'joinWindow',
    windowSizeMs: 2_000,
    retentionMs: 3_000,
  }) as JoinWindowStore<string, number>
  measure(`${where}: join put and fetch, 10 k keys, commits`, updates, () => {
    for (let index = 1; index <= updates; index++) {
      const key = keys[index % 10_000] as string
      const timestamp = Math.floor(index / 10)
      store.put(key, index, timestamp)
      for (const _ of store.fetch(key, timestamp - 1_000, timestamp + 1_000));
      commitEvery(store, index)
    }
  })
  store.close()
}

const benchAll = (where: string, open: Open): void => {
  benchTable(where, open)
  benchWindows(where, (definition) => open({ ...definition, name: 'windows' }))
  benchJoins(where, (definition) => open({ ...definition, name: 'joins' }))
}

benchAll('memory', (definition) => openMemoryStore(definition, changelog))
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const stores = openLmdbStores(directory, { clock: systemClock, cacheBytes: 64 * 1024 * 1024 })
benchAll('LMDB', (definition) => stores.open(definition, changelog))
const small = openLmdbStores(join(directory, 'small'), { clock: systemClock, cacheBytes: 4 * 1024 * 1024 })
benchAll('LMDB, cache for a sixth of the keys', (definition) => small.open(definition, changelog))
await stores.close()
await small.close()
rmSync(directory, { recursive: true })
