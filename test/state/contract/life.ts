import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Decode, utf8Encode } from '../../../src/base/bytes.ts'
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  WindowStore,
} from '../../../src/state/store.ts'
import { json } from '../../../src/topic/json.ts'
import { columnsOf } from '../../../src/topic/record-columns.ts'
import { bytes, long, string } from '../../../src/topic/serdes.ts'
import { windowed } from '../../../src/topic/windowed.ts'
import type { KeyValueStoreDefinition, StoreDefinition } from '../../../src/topology/store-definition.ts'
import type { Place, PlaceOptions, Subject } from './subject.ts'
import { Changelog } from './subject.ts'

const base = { name: 'store', key: string, value: string, changelog: true, storage: 'disk' } as const
const table: KeyValueStoreDefinition = { ...base, kind: 'keyValue', timestamped: true }
const windows: StoreDefinition = { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 100 }
const sessions: StoreDefinition = { ...base, kind: 'session', retentionMs: 100 }

/** The facts about flushing, caching and walking that hold for every implementation. */
export const describeLife = (subject: Subject): void => {
  const opened = async (
    definition: StoreDefinition,
    work: (store: never, changelog: Changelog, place: Place) => void | Promise<void>,
    options: PlaceOptions = {},
  ): Promise<void> => {
    const place = subject.place(options)
    const changelog = new Changelog()
    await work(place.open(definition, changelog) as never, changelog, place)
    await place.close()
  }
  const written = (changelog: Changelog): readonly string[] =>
    changelog.rows.map(
      ({ key, value }) => `${utf8Decode(key)}=${value === null ? 'null' : utf8Decode(value)}`,
    )

  describe(`a store ${subject.name}`, () => {
    it('flushes the last value of each key, in the order of their first changes', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>, changelog) => {
        store.put('b', '1', 1)
        store.put('a', '1', 2)
        store.put('b', '2', 3)
        store.put('a', '2', 4)
        expect(changelog.rows).toEqual([])
        store.flush()
        expect(written(changelog)).toEqual(['b=2', 'a=2'])
        store.flush()
        expect(changelog.rows).toHaveLength(2)
      }))

    it('refuses a value that its serde does not write at the put, and keeps the row as it was', async () => {
      const numbers = { ...table, value: long }
      await opened(numbers, (store: TimestampedKeyValueStore<string, number>, changelog) => {
        store.put('a', 1, 1)
        expect(() => store.put('a', 0.5, 2)).toThrow('a number is not an integer')
        store.flush()
        expect(store.get('a')).toEqual({ value: 1, timestamp: 1 })
        expect(changelog.rows).toHaveLength(1)
      })
    })

    it('refuses a key that is too long for a disk at the put', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>, changelog) => {
        store.put('x'.repeat(1_977), 'longest', 1)
        const tooLong = expect.objectContaining({ code: 'STORE_KEY_TOO_LARGE', actor: 'record' }) as Error
        expect(() => store.put('x'.repeat(1_978), 'longer', 1)).toThrow(tooLong)
        store.flush()
        expect(changelog.rows).toHaveLength(1)
      }))

    it('refuses a value that is larger than a record of the changelog may be at the put', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>) => {
        const tooLarge = expect.objectContaining({ code: 'RECORD_TOO_LARGE', actor: 'record' }) as Error
        expect(() => store.put('a', 'x'.repeat(1_048_576), 1)).toThrow(tooLarge)
        expect(store.get('a')).toBeNull()
      }))

    it('takes keys with half a surrogate pair for the key that they are written as', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>) => {
        store.put('\ud83d', '1', 1)
        store.put('\ud83e', '2', 2)
        expect(store.get('\ufffd')).toEqual({ value: '2', timestamp: 2 })
        expect([...store.all()].map(([key]) => key)).toEqual(['\ufffd'])
      }))

    it('leaves no record of a row that came and went between two flushes', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>, changelog) => {
        store.put('a', '1', 1)
        store.put('a', null, 2)
        store.put('b', '1', 2)
        store.flush()
        expect(written(changelog)).toEqual(['b=1'])
        store.put('b', null, 3)
        store.flush()
        expect(written(changelog)).toEqual(['b=1', 'b=null'])
      }))

    it('merges away the sessions that grew between two flushes', () =>
      opened(sessions, (store: SessionStore<string, string>, changelog) => {
        for (let endMs = 10; endMs <= 50; endMs += 10) {
          store.put(windowed('a', 10, endMs - 10), null, endMs)
          store.put(windowed('a', 10, endMs), String(endMs), endMs)
        }
        store.flush()
        expect(changelog.rows.map(({ value }) => value && utf8Decode(value))).toEqual(['50'])
      }))

    it('flushes early when what changed outgrows its cache', () =>
      opened(
        table,
        (store: TimestampedKeyValueStore<string, string>, changelog) => {
          for (let index = 0; index < 100; index++) store.put(`key ${index}`, 'value', index)
          const early = changelog.rows.length
          expect(early).toBeGreaterThan(0)
          expect(early).toBeLessThan(100)
          store.flush()
          expect(changelog.rows).toHaveLength(100)
        },
        { cacheBytes: 2_000 },
      ))

    it('writes no changelog where it has none', () =>
      opened({ ...table, changelog: false }, (store: TimestampedKeyValueStore<string, string>, changelog) => {
        store.put('a', '1', 1)
        store.put('b', '1', 1)
        store.put('a', null, 2)
        store.flush()
        expect(changelog.rows).toEqual([])
        expect([...store.all()]).toEqual([['b', { value: '1', timestamp: 1 }]])
      }))

    it('sends the headers of a plain row', () =>
      opened({ ...table, timestamped: false }, (store: KeyValueStore<string, string>, changelog) => {
        store.put('a', '1', 7, [['trace', utf8Encode('t')]])
        store.flush()
        expect(changelog.rows[0]?.timestamp).toBe(7)
        expect(changelog.rows[0]?.headers).toEqual([['trace', utf8Encode('t')]])
      }))

    it('keeps its own copy of bytes', () =>
      opened(
        { ...table, key: bytes, value: bytes },
        (store: TimestampedKeyValueStore<Uint8Array, Uint8Array>) => {
          const key = Uint8Array.of(1)
          const value = Uint8Array.of(2)
          store.put(key, value, 1)
          key[0] = 9
          value[0] = 9
          expect([...store.all()]).toEqual([[Uint8Array.of(1), { value: Uint8Array.of(2), timestamp: 1 }]])
          expect(store.get(Uint8Array.of(1))?.timestamp).toBe(1)
        },
      ))

    it('takes two keys for one where their bytes are one', () => {
      const Id = z.object({ id: z.number() })
      return opened(
        { ...table, key: json(Id) },
        (store: TimestampedKeyValueStore<{ readonly id: number }, string>) => {
          store.put({ id: 1 }, 'one', 1)
          expect(store.get({ id: 1 })?.value).toBe('one')
          expect(store.get({ id: 2 })).toBeNull()
        },
      )
    })

    it('lets a walk go on while rows are put and deleted', () =>
      opened(table, (store: TimestampedKeyValueStore<string, string>) => {
        for (const key of ['a', 'b', 'c', 'd']) store.put(key, key, 1)
        const seen: string[] = []
        for (const [key] of store.all()) {
          seen.push(key)
          store.put(key, null, 2)
          if (key === 'a') store.put('bb', 'new', 2)
          if (key === 'b') store.put('c', null, 2)
        }
        expect(seen).toEqual(['a', 'b', 'bb', 'd'])
        expect([...store.all()]).toEqual([])
      }))

    it('lets a walk over sessions go on while they are replaced', () =>
      opened(sessions, (store: SessionStore<string, string>) => {
        for (const start of [10, 20, 30]) store.put(windowed('a', start, start), 'old', start)
        const seen: number[] = []
        for (const [session] of store.findSessions('a', 0, 100)) {
          seen.push(session.endMs)
          store.put(session, null, 40)
          if (session.endMs === 10) store.put(windowed('a', 25, 25), 'new', 40)
        }
        expect(seen).toEqual([10, 20, 25, 30])
      }))

    it('walks the same row once, though it is replaced on the way', () =>
      opened(sessions, (store: SessionStore<string, string>) => {
        store.put(windowed('a', 10, 10), 'old', 10)
        const seen: string[] = []
        for (const [session, value] of store.findByEnd(0, 100)) {
          seen.push(value)
          store.put(session, null, 10)
          store.put(session, 'new', 10)
        }
        expect(seen).toEqual(['old'])
      }))

    it('tells a record of another kind of store from its own', () =>
      opened(windows, (store: WindowStore<string, string>) => {
        const row = { key: utf8Encode('short'), value: utf8Encode('x'), timestamp: 1 }
        expect(() => store.restore(columnsOf([row]))).toThrow(
          expect.objectContaining({
            message: expect.stringContaining('too short'),
          }) as Error,
        )
      }))

    it('goes on numbering joined values behind those it restored', () =>
      opened(
        { ...base, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 100 },
        async (store: WindowStore<string, string>, changelog) => {
          const put = (each: StateStore, value: string): void =>
            (each as unknown as { put(key: string, value: string, timestamp: number): void }).put(
              'a',
              value,
              5,
            )
          put(store, 'first')
          put(store, 'second')
          const other = subject.place()
          const restored = other.open(
            { ...base, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 100 },
            changelog,
          )
          changelog.restore(restored)
          put(restored, 'third')
          expect(changelog.rows.map(({ key }) => key.at(-1))).toEqual([1, 2, 3])
          await other.close()
        },
      ))
  })
}
