import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { checkPageRequest } from '../../../src/app/queries/page-place.ts'
import { utf8Encode } from '../../../src/base/bytes.ts'
import { isFault } from '../../../src/base/fault.ts'
import { json, string, windowed } from '../../../src/index.ts'
import { openMemoryStore } from '../../../src/state/open-memory-store.ts'
import { readPage } from '../../../src/state/read-page.ts'
import type {
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../../../src/state/store.ts'
import type { RowPlace, StoreQuery } from '../../../src/state/store-query.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'

const base = { name: 'store', key: string, value: string, changelog: false, storage: 'memory' } as const
const keys = ['', 'a', 'aa', 'ab', 'b', 'é']
const times = [0, 10, 20, 30]

interface Kind {
  readonly definition: StoreDefinition
  readonly fill: (store: StateStore) => void
  readonly query: fc.Arbitrary<StoreQuery>
}

const key = fc.constantFrom(...keys).map(utf8Encode)
const time = fc.constantFrom(...times)
const optional = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(each, { nil: undefined })
const range = fc.record({
  kind: fc.constant('range' as const),
  from: optional(key),
  to: optional(key),
  reverse: optional(fc.boolean()),
})
const ofKey = fc.record({
  kind: fc.constant('key' as const),
  key,
  fromMs: optional(time),
  toMs: optional(time),
})
const ofTime = fc.record({ kind: fc.constant('time' as const), fromMs: optional(time), toMs: optional(time) })
const everywhere = (put: (key: string, time: number) => void): void => {
  for (const each of keys) for (const at of times) put(each, at)
}

const kinds: readonly Kind[] = [
  {
    definition: { ...base, kind: 'keyValue', timestamped: true },
    fill: (store) =>
      everywhere((each, at) => (store as TimestampedKeyValueStore<string, string>).put(each, each, at)),
    query: fc.oneof(range, fc.record({ kind: fc.constant('prefix' as const), prefix: key })),
  },
  {
    definition: { ...base, kind: 'versioned', historyRetentionMs: 1_000 },
    fill: (store) =>
      everywhere((each, at) => void (store as VersionedStore<string, string>).put(each, `${at}`, at)),
    query: fc.oneof(range, ofKey),
  },
  {
    definition: { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 1_000 },
    fill: (store) =>
      everywhere((each, at) => void (store as WindowStore<string, string>).put(each, each, at, at)),
    query: fc.oneof(ofKey, ofTime),
  },
  {
    definition: { ...base, kind: 'session', retentionMs: 1_000 },
    fill: (store) =>
      everywhere((each, at) =>
        (store as SessionStore<string, string>).put(windowed(each, at, at + 5), each, at),
      ),
    query: fc.oneof(ofKey, ofTime),
  },
]

const forgedPlace: fc.Arbitrary<RowPlace> = fc.record({
  key: fc.oneof(key, fc.uint8Array({ maxLength: 4 })),
  time: optional(fc.oneof(time, fc.maxSafeInteger())),
  second: optional(fc.oneof(time, fc.maxSafeInteger())),
})

describe('a forged place', () => {
  it.each(kinds)(
    'in a $definition.kind store skips rows of its request, and adds none',
    ({ definition, fill, query }) => {
      const store = openMemoryStore(definition, { append: () => undefined })
      fill(store)
      const listing = { definition, partitions: 1, isGlobal: false }
      let accepted = 0
      fc.assert(
        fc.property(query, forgedPlace, (asked, after) => {
          const whole = readPage(store, definition, { query: asked, limit: 1_000 }).rows
          try {
            checkPageRequest(listing, { query: asked, after })
          } catch (error) {
            expect(isFault(error, 'QUERY_INVALID')).toBe(true)
            return
          }
          accepted++
          const { rows } = readPage(store, definition, { query: asked, limit: 1_000, after })
          for (const row of rows) expect(whole).toContainEqual(row)
        }),
        { numRuns: 1_000 },
      )
      expect(accepted).toBeGreaterThan(50)
    },
  )

  it.each(kinds)(
    'in a $definition.kind store is refused where a genuine one is not',
    ({ definition, fill, query }) => {
      const store = openMemoryStore(definition, { append: () => undefined })
      fill(store)
      const listing = { definition, partitions: 1, isGlobal: false }
      fc.assert(
        fc.property(query, fc.integer({ min: 1, max: 5 }), (asked, limit) => {
          const { after } = readPage(store, definition, { query: asked, limit })
          if (after !== undefined) checkPageRequest(listing, { query: asked, after })
        }),
      )
    },
  )
})

describe('keys of JSON', () => {
  const definition: StoreDefinition = {
    ...base,
    kind: 'keyValue',
    timestamped: true,
    key: json(z.object({ id: z.string(), at: z.number() })),
  }
  const listing = { definition, partitions: 1, isGlobal: false }

  it('a key that is none is a wrong request, and no broken state', () => {
    for (const bytes of [utf8Encode('{"id"'), utf8Encode('{"id":5}'), Uint8Array.of(0xff)]) {
      const wrong = expect.objectContaining({ code: 'QUERY_INVALID' })
      expect(() => checkPageRequest(listing, { query: { kind: 'range' }, after: { key: bytes } })).toThrow(
        wrong,
      )
      expect(() => checkPageRequest(listing, { query: { kind: 'get', key: bytes } })).toThrow(wrong)
      expect(() => checkPageRequest(listing, { query: { kind: 'range', to: bytes } })).toThrow(wrong)
    }
  })

  it('the order of properties makes no difference to where a page begins', () => {
    const from = utf8Encode('{"at":1,"id":"a"}')
    const after = { key: utf8Encode('{"id":"a","at":1}') }
    expect(() => checkPageRequest(listing, { query: { kind: 'range', from }, after })).not.toThrow()
  })
})
