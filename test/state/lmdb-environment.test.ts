import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { Fault } from '../../src/base/fault.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { LmdbEnvironment } from '../../src/state/lmdb-environment.ts'
import type { LmdbOptions, LmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import type { StateStore, TimestampedKeyValueStore, WindowStore } from '../../src/state/store.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import { string } from '../../src/topic/serdes.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'
import { openToOthers } from '../support/open-to-others.ts'

const base = { key: string, value: string, changelog: true, storage: 'disk' } as const
const table = (name: string): StoreDefinition => ({ ...base, name, kind: 'keyValue', timestamped: true })
type Table = TimestampedKeyValueStore<string, string>

let directory: string
const clock = new ManualClock()
const opened: LmdbStores[] = []

const open = (options: Partial<LmdbOptions> = {}): LmdbStores => {
  const stores = openLmdbStores(directory, { clock, ...options })
  opened.push(stores)
  return stores
}
const openTable = (stores: LmdbStores, name = 'store'): Table =>
  stores.open(table(name), new Changelog()) as Table

/** What another process would find, without closing the first. */
const commit = (store: StateStore, offset: number): void => {
  store.flush()
  store.persist(offset)
}

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'millrace-state-')), '0_1')
})

afterEach(async () => {
  for (const stores of opened.splice(0)) await stores.close()
  rmSync(dirname(directory), { recursive: true })
})

describe('the stores of a task on LMDB', () => {
  it('can be read by their owner alone', () => {
    openTable(open())
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)
    expect(new Set(modes)).toEqual(new Set([0o600]))
  })

  it('write nothing before three seconds have passed, and then what was committed', async () => {
    const first = open()
    const store = openTable(first)
    const entries = (): number => store.approximateCount()
    store.put('a', '1', 1)
    commit(store, 1)
    // The row in memory counts, a second row of the disk does not yet.
    expect(entries()).toBe(1)
    clock.advance(2_999)
    commit(store, 1)
    const other = openLmdbStores(directory, { clock })
    expect(openTable(other).changelogOffset()).toBe(0)
    clock.advance(1)
    commit(store, 2)
    expect(openTable(other).get('a')).toEqual({ value: '1', timestamp: 1 })
    await other.close()
  })

  it('write before their time when much is waiting', async () => {
    const store = openTable(open({ batchRows: 3 }))
    for (const key of ['a', 'b']) store.put(key, '1', 1)
    commit(store, 2)
    const other = openLmdbStores(directory, { clock })
    expect(openTable(other).changelogOffset()).toBe(0)
    store.put('c', '1', 1)
    commit(store, 3)
    expect(openTable(other).changelogOffset()).toBe(3)
    await other.close()
  })

  it('are written in one batch, each with its own offset', async () => {
    const stores = open()
    const left = openTable(stores, 'left')
    const right = openTable(stores, 'right')
    left.put('a', '1', 1)
    commit(left, 10)
    right.put('b', '1', 1)
    clock.advance(3_000)
    commit(right, 20)
    const other = openLmdbStores(directory, { clock })
    expect(openTable(other, 'left').changelogOffset()).toBe(10)
    expect(openTable(other, 'right').changelogOffset()).toBe(20)
    await other.close()
  })

  it('tell how far they have come without being opened, and nothing where they can’t', async () => {
    expect(await LmdbEnvironment.readStates(directory)).toBeUndefined()
    const stores = open()
    commit(openTable(stores, 'one'), 7)
    commit(openTable(stores, 'other'), 9)
    await stores.close()
    expect(await LmdbEnvironment.readStates(directory)).toEqual(
      new Map([
        ['one', { changelogOffset: 7, aheadOffset: undefined, origin: undefined }],
        ['other', { changelogOffset: 9, aheadOffset: undefined, origin: undefined }],
      ]),
    )
    writeFileSync(join(directory, 'data.mdb'), 'this is no database'.repeat(1_000))
    expect(await LmdbEnvironment.readStates(directory)).toBeUndefined()
    expect(readdirSync(directory)).toContain('data.mdb')
  })

  it('never hold what was flushed but not committed', async () => {
    const stores = open()
    const store = openTable(stores)
    store.put('a', 'committed', 1)
    commit(store, 1)
    store.put('a', 'flushed', 2)
    store.flush()
    store.put('a', 'put', 3)
    await stores.close()
    const again = openTable(open())
    expect(again.get('a')).toEqual({ value: 'committed', timestamp: 1 })
    expect(again.changelogOffset()).toBe(1)
  })

  it('never hold what a full cache flushed early for the next commit', async () => {
    const stores = open({ cacheBytes: 1 })
    const store = openTable(stores)
    store.put('a', 'first', 1)
    store.flush()
    store.put('b', 'early', 2)
    store.persist(1)
    await stores.close()
    expect([...openTable(open()).all()]).toEqual([['a', { value: 'first', timestamp: 1 }]])
  })

  it('keep a restored record without a commit', async () => {
    const stores = open()
    const row = { key: utf8Encode('a'), value: utf8Encode('1'), timestamp: 5, offset: 41 }
    openTable(stores).restore(columnsOf([row]))
    await stores.close()
    const again = openTable(open())
    expect(again.changelogOffset()).toBe(42)
    expect(again.get('a')).toEqual({ value: '1', timestamp: 5 })
  })

  it('keep windows that a later, uncommitted put expired', async () => {
    const windows: StoreDefinition = {
      ...base,
      name: 'store',
      kind: 'window',
      windowSizeMs: 10,
      retentionMs: 100,
    }
    const stores = open()
    const store = stores.open(windows, new Changelog()) as WindowStore<string, string>
    store.put('a', 'kept', 0, 0)
    commit(store, 1)
    store.put('a', 'later', 1_000, 1_000)
    expect(store.fetch('a', 0)).toBeNull()
    await stores.close()
    const again = open().open(windows, new Changelog()) as WindowStore<string, string>
    expect(again.fetch('a', 0)?.value).toBe('kept')
  })

  it('hold more than the cache does', async () => {
    const stores = open({ cacheBytes: 4_096, batchIntervalMs: 0 })
    const store = openTable(stores)
    for (let index = 0; index < 500; index++) {
      store.put(`key ${index}`, `value ${index}`, index)
      if (index % 50 === 49) commit(store, index)
    }
    expect([...store.all()]).toHaveLength(500)
    for (let index = 0; index < 500; index += 7)
      expect(store.get(`key ${index}`)).toEqual({ value: `value ${index}`, timestamp: index })
    expect(store.approximateCount()).toBe(500)
  })

  it('forget the rows of another kind of store that had the name', async () => {
    const stores = open()
    const store = openTable(stores)
    store.put('a', '1', 1)
    commit(store, 7)
    await stores.close()
    const versioned = open().open(
      { ...base, name: 'store', kind: 'versioned', historyRetentionMs: 10 },
      new Changelog(),
    )
    expect(versioned.changelogOffset()).toBe(0)
    expect([...(versioned as unknown as Table).all()]).toEqual([])
  })

  it('open a store in memory where its definition says so', async () => {
    const stores = open({ batchIntervalMs: 0 })
    const store = stores.open({ ...table('store'), storage: 'memory' }, new Changelog()) as Table
    store.put('a', '1', 1)
    commit(store, 1)
    await stores.close()
    expect(openTable(open()).changelogOffset()).toBe(0)
  })

  it('refuse a key that is too large for the disk', () => {
    const store = openTable(open({ batchIntervalMs: 0 }))
    expect(() => store.put('x'.repeat(2_000), '1', 1)).toThrow(
      expect.objectContaining({ code: 'STORE_KEY_TOO_LARGE' }) as Error,
    )
  })

  it.each([
    ['garbage', (file: string) => writeFileSync(file, 'this is no database'.repeat(1_000))],
    ['a file cut short', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['a file of zeros', (file: string) => writeFileSync(file, new Uint8Array(65_536))],
  ])('set %s aside and start again', async (_what, damage) => {
    const stores = open()
    const store = openTable(stores)
    for (let index = 0; index < 2_000; index++) store.put(`key ${index}`, `value ${index}`, index)
    commit(store, 2_000)
    await stores.close()
    damage(join(directory, 'data.mdb'))
    const faults: Fault[] = []
    const again = openTable(open({ onDamaged: (fault) => faults.push(fault) }))
    expect(again.changelogOffset()).toBe(0)
    expect([...again.all()]).toEqual([])
    expect(faults.map(({ code }) => code)).toEqual(['STATE_DAMAGED'])
    expect(readdirSync(dirname(directory))).toContain(`${basename(directory)}.damaged`)
    expect(existsSync(join(directory, 'data.mdb'))).toBe(true)
  })

  it('are set aside when they are opened again after damage was found in use', async () => {
    const stores = open()
    const store = openTable(stores)
    for (let index = 0; index < 5_000; index++) store.put(`key ${index}`, `value ${index}`, index)
    commit(store, 5_000)
    await stores.close()
    overwriteMiddlePage(join(directory, 'data.mdb'))
    const damaged = openTable(open())
    const readAll = (): void => {
      for (let index = 0; index < 5_000; index++) damaged.get(`key ${index}`)
    }
    expect(readAll).toThrow(expect.objectContaining({ code: 'STATE_DAMAGED' }) as Error)
    expect(readdirSync(directory)).toContain('damaged')
    expect(openToOthers(directory)).toEqual([])
    await opened.pop()?.close()
    const faults: Fault[] = []
    const again = openTable(open({ onDamaged: (fault) => faults.push(fault) }))
    expect(again.changelogOffset()).toBe(0)
    expect(faults).toHaveLength(1)
  })
})

const overwriteMiddlePage = (file: string): void => {
  const pageBytes = 4_096
  const descriptor = openSync(file, 'r+')
  const middle = Math.floor(statSync(file).size / pageBytes / 2)
  writeSync(descriptor, new Uint8Array(pageBytes), 0, pageBytes, middle * pageBytes)
  closeSync(descriptor)
}
