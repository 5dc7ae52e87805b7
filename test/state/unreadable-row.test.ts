import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { Fault } from '../../src/base/fault.ts'
import type {
  JoinWindowStore,
  KeyValueStore,
  SessionStore,
  VersionedStore,
  WindowStore,
} from '../../src/state/store.ts'
import { json } from '../../src/topic/json.ts'
import { long, string } from '../../src/topic/serdes.ts'
import { windowed } from '../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import { Changelog } from './contract/subject.ts'
import { lmdbSubject } from './lmdb-subject.ts'

const base = { name: 'totals', key: string, changelog: true, storage: 'disk' } as const
const old = json(z.object({ n: z.number() }))
const changed = json(z.object({ n: z.number(), currency: z.string() }))

interface Kind {
  readonly definition: StoreDefinition
  readonly put: (store: never) => void
  readonly reads: readonly ((store: never) => unknown)[]
}

const kindsOf = (value: typeof old): Readonly<Record<string, Kind>> => ({
  'a key-value store': {
    definition: { ...base, value, kind: 'keyValue', timestamped: false },
    put: (store: KeyValueStore<string, object>) => store.put('eur', { n: 1 }, 1),
    reads: [
      (store: KeyValueStore<string, object>) => store.get('eur'),
      (store: KeyValueStore<string, object>) => [...store.all()],
    ],
  },
  'a versioned store': {
    definition: { ...base, value, kind: 'versioned', historyRetentionMs: 100 },
    put: (store: VersionedStore<string, object>) => void store.put('eur', { n: 1 }, 1),
    reads: [(store: VersionedStore<string, object>) => store.get('eur')],
  },
  'a window store': {
    definition: { ...base, value, kind: 'window', windowSizeMs: 10, retentionMs: 100 },
    put: (store: WindowStore<string, object>) => void store.put('eur', { n: 1 }, 10, 10),
    reads: [
      (store: WindowStore<string, object>) => store.fetch('eur', 10),
      (store: WindowStore<string, object>) => [...store.all()],
    ],
  },
  'a session store': {
    definition: { ...base, value, kind: 'session', retentionMs: 100 },
    put: (store: SessionStore<string, object>) => store.put(windowed('eur', 0, 10), { n: 1 }, 10),
    reads: [(store: SessionStore<string, object>) => [...store.findSessions('eur', 0, 100)]],
  },
  'a join window store': {
    definition: { ...base, value, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 100 },
    put: (store: JoinWindowStore<string, object>) => store.put('eur', { n: 1 }, 10),
    reads: [
      (store: JoinWindowStore<string, object>) => store.fetch('eur', 0, 20),
      (store: JoinWindowStore<string, object>) => [...store.all()],
    ],
  },
})

const faultOf = (read: () => unknown): unknown => {
  try {
    return read()
  } catch (error) {
    return error
  }
}

/** What a read of a store of `after` says where `before` wrote its row. */
const reread = async (before: Kind, definition: StoreDefinition, read: (store: never) => unknown) => {
  const place = lmdbSubject('', 0).place()
  const changelog = new Changelog()
  const store = place.open(before.definition, changelog)
  before.put(store as never)
  store.flush()
  store.persist(1)
  await place.restart()
  const fault = faultOf(() => read(place.open(definition, changelog) as never))
  await place.close()
  return fault
}

describe('a row on disk that its store does not read', () => {
  const changedKinds = kindsOf(changed as unknown as typeof old)
  const cases = Object.entries(kindsOf(old)).flatMap(([name, kind]) =>
    kind.reads.map((read, index) => ({
      name: `${name} (read ${index + 1})`,
      kind,
      read,
      after: changedKinds[name],
    })),
  )

  it.each(cases)(
    'in $name is a fault that names the store, keeps the key apart, and blames no record',
    async ({ kind, read, after }) => {
      const fault = await reread(kind, (after as Kind).definition, read)
      expect(fault).toBeInstanceOf(Fault)
      expect(fault).toMatchObject({
        code: 'STORE_ROW_UNREADABLE',
        actor: 'runtime',
        place: { store: 'totals' },
        contents: expect.objectContaining({ key: '"eur"' }),
        message: expect.stringMatching(/a row, which an earlier version .* wrote: .*currency.*millrace diff/),
      })
    },
  )

  it('is one, too, where its key has another schema', async () => {
    const kind = kindsOf(old)['a key-value store'] as Kind
    const fault = await reread(
      kind,
      { ...kind.definition, key: long },
      (store: KeyValueStore<string, object>) => [...store.all()],
    )
    expect(fault).toMatchObject({ code: 'STORE_ROW_UNREADABLE', place: { store: 'totals' } })
    expect((fault as Fault).contents).toMatchObject({ key: '"eur"' })
  })
})
