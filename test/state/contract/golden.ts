import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../../src/base/bytes.ts'
import type {
  JoinWindowStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../../../src/state/store.ts'
import { long, string } from '../../../src/topic/serdes.ts'
import { windowed } from '../../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'
import joinInner from '../golden/join-inner.json' with { type: 'json' }
import kvCount from '../golden/kv-count.json' with { type: 'json' }
import reduceTombstone from '../golden/reduce-tombstone.json' with { type: 'json' }
import session from '../golden/session.json' with { type: 'json' }
import versionedTable from '../golden/versioned-table.json' with { type: 'json' }
import windowTumbling from '../golden/window-tumbling.json' with { type: 'json' }
import type { ChangelogRow, Subject } from './subject.ts'
import { Changelog } from './subject.ts'

/**
 * Changelogs that Apache Kafka Streams 4.3.1 wrote, and the puts that made them, one commit per step. Headers are pairs
 * of a name and hex.
 */
interface Golden {
  readonly store: Readonly<Record<string, unknown>>
  readonly steps: readonly (readonly GoldenPut[])[]
  readonly changelog: readonly {
    readonly key: string
    readonly value: string | null
    readonly timestamp: number
    readonly headers: readonly (readonly string[])[]
  }[]
}

interface GoldenPut {
  readonly key: string
  readonly value: string | number | null
  readonly timestamp: number
  readonly startMs?: number
  readonly endMs?: number
  readonly headers?: readonly (readonly string[])[]
}

const cases: Readonly<Record<string, Golden>> = {
  'join-inner': joinInner,
  'kv-count': kvCount,
  'reduce-tombstone': reduceTombstone,
  session,
  'versioned-table': versionedTable,
  'window-tumbling': windowTumbling,
}

const definitionOf = ({ store }: Golden): StoreDefinition =>
  ({
    ...store,
    name: 'golden',
    key: string,
    value: store['value'] === 'long' ? long : string,
    changelog: true,
    storage: 'disk',
  }) as unknown as StoreDefinition

const put = (kind: StoreDefinition['kind'], store: StateStore, given: GoldenPut): void => {
  const { key, value, timestamp, startMs = 0, endMs = 0, headers = [] } = given
  switch (kind) {
    case 'keyValue':
      return (store as TimestampedKeyValueStore<unknown, unknown>).put(key, value, timestamp)
    case 'versioned':
      return void (store as VersionedStore<unknown, unknown>).put(key, value, timestamp)
    case 'window':
      return void (store as WindowStore<unknown, unknown>).put(key, value, startMs, timestamp)
    case 'session':
      return void (store as SessionStore<unknown, unknown>).put(
        windowed(key, startMs, endMs),
        value,
        timestamp,
      )
    case 'joinWindow': {
      const decoded = headers.map(([name = '', hex = '']) => [name, hexDecode(hex)] as const)
      return (store as JoinWindowStore<unknown, unknown>).put(key, value, timestamp, decoded)
    }
  }
}

const asGolden = ({ key, value, timestamp, headers }: ChangelogRow): Golden['changelog'][number] => ({
  key: hexEncode(key),
  value: value === null ? null : hexEncode(value),
  timestamp,
  headers: headers.map(([name, bytes]) => [name, hexEncode(bytes ?? new Uint8Array())]),
})

export const describeGolden = (subject: Subject): void => {
  describe(`a store ${subject.name}`, () => {
    it.each(Object.keys(cases))('writes the changelog of %s as Kafka Streams does', async (name) => {
      const golden = cases[name] as Golden
      const definition = definitionOf(golden)
      const place = subject.place()
      const changelog = new Changelog()
      const store = place.open(definition, changelog)
      for (const puts of golden.steps) {
        for (const each of puts) put(definition.kind, store, each)
        store.flush()
        store.persist(changelog.rows.length)
      }
      expect(changelog.rows.map(asGolden)).toEqual(golden.changelog)
      await place.close()
    })
  })
}
