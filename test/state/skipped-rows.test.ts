import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { keyValueStore, sessionStore, string, versionedStore, windowStore } from '../../src/index.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import { openMemoryStore } from '../../src/state/open-memory-store.ts'
import type {
  JoinWindowStore,
  KeyValueStore,
  SessionStore,
  StateStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'

const value = { value: string }
const keyValue = keyValueStore('rows', value)
const kinds: readonly {
  readonly definition: StoreDefinition
  readonly put: (store: StateStore, key: string, value: string | null) => void
}[] = [
  {
    definition: keyValue,
    put: (store, key, row) => (store as KeyValueStore<string, string>).put(key, row, 0),
  },
  {
    definition: versionedStore('rows', { ...value, historyRetention: 100 }),
    put: (store, key, row) => void (store as VersionedStore<string, string>).put(key, row, 0),
  },
  {
    definition: windowStore('rows', { ...value, size: 10, retention: 100 }),
    put: (store, key, row) => void (store as WindowStore<string, string>).put(key, row, 0, 0),
  },
  {
    definition: sessionStore('rows', { ...value, retention: 100 }),
    put: (store, key, row) => (store as SessionStore<string, string>).put(windowed(key, 0, 0), row, 0),
  },
  {
    definition: { ...keyValue, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 100 },
    put: (store, key, row) => (store as JoinWindowStore<string, string>).put(key, row, 0),
  },
]

describe('a restoration to disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-skipped-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(kinds.map((kind) => [kind.definition.kind, kind] as const))(
    'leaves out rows whose keys are too long for it, and reports them once: %s',
    async (name, { definition, put }) => {
      const changelog = new Changelog()
      const writer = openMemoryStore({ ...definition, storage: 'memory' }, changelog)
      for (const key of ['a', 'b'.repeat(2_000), 'c'.repeat(3_000)]) put(writer, key, 'row')
      writer.flush()
      const reports: unknown[] = []
      const stores = openLmdbStores(join(folder, name), {
        clock: new ManualClock(),
        onSkipped: (report) => reports.push(report),
      })
      const store = stores.open(definition, changelog)
      changelog.restore(store)
      stores.caughtUp(0)
      stores.caughtUp(60_000)
      expect([...(store as KeyValueStore<unknown, unknown>).all()]).toHaveLength(1)
      await stores.close()
      expect(reports).toEqual([{ store: 'rows', rows: 2, largestKeyBytes: 3_000 }])
    },
  )
})
