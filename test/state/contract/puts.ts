import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Encode } from '../../../src/base/bytes.ts'
import type { KeyValueStore, StateStore } from '../../../src/state/store.ts'
import { bigLong, bytes, double, integer, long, string } from '../../../src/topic/serdes.ts'
import { json } from '../../../src/topic/json.ts'
import type { AnySerde } from '../../../src/topic/serde.ts'
import { nullable } from '../../../src/topic/serde.ts'
import { windowed } from '../../../src/topic/windowed.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'
import type { Subject } from './subject.ts'
import { Changelog } from './subject.ts'

const base = { name: 'store', key: string, value: string, changelog: true, storage: 'disk' } as const
const table: StoreDefinition = { ...base, kind: 'keyValue', timestamped: false }
const joins: StoreDefinition = { ...base, kind: 'joinWindow', windowSizeMs: 10, retentionMs: 1_000 }

type Put = (key: string, timeMs: number, timestamp?: number) => unknown
interface Puts {
  put(...given: unknown[]): unknown
}

interface Reads {
  get?(key: string): unknown
  fetch?(key: string, fromMs: number, toMs: number): unknown
}

/** Each kind of store, with a put at a time that only the kind knows how to name. */
const kinds: readonly (readonly [StoreDefinition, (store: Puts) => Put])[] = [
  [table, (store) => (key, time) => store.put(key, 'v', time)],
  [{ ...table, name: 'timestamped', timestamped: true }, (store) => (key, time) => store.put(key, 'v', time)],
  [
    { ...base, kind: 'versioned', historyRetentionMs: 1_000 },
    (store) => (key, time) => store.put(key, 'v', time),
  ],
  [
    { ...base, kind: 'window', windowSizeMs: 10, retentionMs: 1_000 },
    (store) => (key, time, timestamp) => store.put(key, 'v', time, timestamp ?? time),
  ],
  [
    { ...base, kind: 'session', retentionMs: 1_000 },
    (store) => (key, time, timestamp) => store.put(windowed(key, time, time), 'v', timestamp ?? time),
  ],
]

/** What a put refuses holds for every implementation and kind: a flush knows no record, and asks no policy. */
export const describePuts = (subject: Subject): void => {
  const opened = async (
    definition: StoreDefinition,
    work: (store: StateStore & Puts, changelog: Changelog) => void,
  ): Promise<void> => {
    const place = subject.place({})
    const changelog = new Changelog()
    work(place.open(definition, changelog) as never, changelog)
    await place.close()
  }
  const failure = (code: string): Error => expect.objectContaining({ code, actor: 'record' }) as Error

  describe.each(kinds)(`a put ${subject.name}, in a store of kind $kind`, (definition, putOf) => {
    it.each([NaN, Infinity, -Infinity, 2 ** 60, undefined, '5', new Date(5), 5n])(
      'refuses a time that is none and leaves nothing of it: %s',
      (time) =>
        opened(definition, (store, changelog) => {
          const put = putOf(store)
          put('a', 500)
          expect(() => put('b', time as number)).toThrow(failure('TIMESTAMP_INVALID'))
          if (put.length > 2) expect(() => put('b', 500, NaN)).toThrow(failure('TIMESTAMP_INVALID'))
          put('c', 501)
          store.flush()
          expect(changelog.rows.map(({ timestamp }) => timestamp)).toEqual([500, 501])
        }),
    )

    it('holds the value as it is read back', () =>
      opened({ ...definition, value: json(z.string().overwrite((text) => text.toUpperCase())) }, (store) => {
        putOf(store)('a', 500)
        const reads = store as unknown as Reads
        const held = reads.get === undefined ? reads.fetch?.('a', 500, 500) : reads.get('a')
        expect(JSON.stringify(held)).toContain('"V"')
      }))

    it('floors a fraction', () =>
      opened(definition, (store, changelog) => {
        putOf(store)('a', 500.7)
        store.flush()
        expect(changelog.rows[0]?.timestamp).toBe(500)
      }))

    it('does not move time on by a row that it refuses', () =>
      opened({ ...definition, storage: 'disk' }, (store, changelog) => {
        const put = putOf(store)
        put('a', 500)
        expect(() => put('x'.repeat(3_000), 90_000)).toThrow(failure('STORE_KEY_TOO_LARGE'))
        put('b', 501)
        store.flush()
        expect(changelog.rows.map(({ timestamp }) => timestamp)).toEqual([500, 501])
      }))
  })

  describe(`a put ${subject.name}`, () => {
    it.each<[string, AnySerde, unknown, unknown]>([
      ['a fraction', long, 1, 1.5],
      ['NaN', long, 1, NaN],
      ['33 bits', integer, 1, 2 ** 32],
      ['65 bits', bigLong, 1n, 2n ** 64n],
      ['a number for text', string, 'a', 5],
      ['text for a number', double, 1, '1'],
      ['text for bytes', bytes, Uint8Array.of(1), 'a'],
      ['a buffer for bytes', bytes, Uint8Array.of(1), new ArrayBuffer(2)],
    ])('refuses a key or value that the serde does not write: %s', async (_what, serde, good, bad) => {
      const inMemory = { ...table, storage: 'memory' } as const
      await opened({ ...inMemory, key: serde }, (store, changelog) => {
        store.put(good, 'v', 1)
        expect(() => store.put(bad, 'v', 1)).toThrow(failure('SERDE_VALUE_INVALID'))
        store.flush()
        expect(changelog.rows).toHaveLength(1)
      })
      await opened({ ...inMemory, value: serde }, (store, changelog) => {
        store.put('a', good, 1)
        expect(() => store.put('a', bad, 1)).toThrow(failure('SERDE_VALUE_INVALID'))
        store.flush()
        expect(changelog.rows).toHaveLength(1)
      })
    })

    it.each(['text', undefined, null, 5, [1], new ArrayBuffer(2)])(
      'refuses what a serde returns in place of bytes: %s',
      async (returned) => {
        const serde: AnySerde = {
          ...string,
          serialize: (value: string) => (value === 'bad' ? returned : string.serialize(value)) as never,
        }
        for (const part of ['key', 'value'] as const)
          await opened({ ...table, [part]: serde }, (store, changelog) => {
            store.put('good', 'good', 1)
            const put = (): unknown =>
              part === 'key' ? store.put('bad', 'good', 1) : store.put('good', 'bad', 1)
            expect(put).toThrow(failure('SERDE_RESULT_INVALID'))
            expect(put).toThrow(`the serde of the ${part} returned`)
            expect(put).toThrow('store store')
            store.flush()
            expect(changelog.rows).toHaveLength(1)
          })
      },
    )

    // What a store gives back is what its bytes are read as, before a restart and after it.
    it.each<[string, AnySerde, unknown, unknown]>([
      ['trimmed text', json(z.string().trim()), ' a ', 'a'],
      ['a lower-case part', json(z.object({ a: z.string().toLowerCase() })), { a: 'A' }, { a: 'a' }],
      ['a coerced part', json(z.object({ a: z.array(z.coerce.string()) })), { a: [5] }, { a: ['5'] }],
      ['a default', json(z.object({ a: z.any().default(1) })), { a: undefined }, { a: 1 }],
      ['a normal URL', json(z.url({ normalize: true })), 'HTTP://X.example', 'http://x.example/'],
      ['a value set by a check', json(z.string().check((context) => void (context.value = 'b'))), 'a', 'b'],
      ['a nullable serde', nullable(json(z.string().trim())), ' a ', 'a'],
      ['long -0', long, -0, 0],
      ['integer -0', integer, -0, 0],
      ['double -0', double, -0, -0],
      ['JSON -0', json(z.number()), -0, 0],
      ['bytes', bytes, Uint8Array.of(1), Uint8Array.of(1)],
    ])('holds a value and a key as they are read back: %s', async (_what, serde, given, expected) => {
      for (const storage of ['disk', 'memory'] as const)
        for (const frozen of [false, true]) {
          const place = subject.place({ frozen })
          const changelog = new Changelog()
          const open = (part: 'key' | 'value'): StateStore & Puts =>
            place.open({ ...table, storage, name: part, [part]: serde }, changelog) as never
          const values = open('value')
          values.put('a', given, 1)
          expect((values as unknown as KeyValueStore<string, unknown>).get('a')).toStrictEqual(expected)
          const keys = open('key')
          keys.put(given, 'v', 1)
          const all = [...(keys as unknown as KeyValueStore<unknown, string>).all()]
          expect(all.map(([key]) => key)).toStrictEqual([expected])
          values.flush()
          const restored = subject.place({ frozen })
          const copy = restored.open({ ...table, storage, value: serde }, new Changelog())
          changelog.restore(copy)
          expect((copy as unknown as KeyValueStore<string, unknown>).get('a')).toStrictEqual(expected)
          await place.close()
          await restored.close()
        }
    })

    it('holds text as it is written', () =>
      opened(table, (store) => {
        store.put('a', '\ud83d!', 1)
        expect((store as unknown as KeyValueStore<string, string>).get('a')).toBe('\ufffd!')
      }))

    it.each<[string, StoreDefinition, string, number, number]>([
      ['value', table, 'a', 1_048_576 - 515, 0],
      ['key and value', { ...table, storage: 'memory' }, 'k'.repeat(500_000), 1_048_576 - 500_512, 0],
      ['headers', table, 'a', 1_000_000, 48_000],
      ['joined value', joins, 'a', 1_048_576 - 533, 0],
    ])('takes a row up to the size of a record: %s', (_what, definition, key, valueBytes, headerBytes) =>
      opened(definition, (store, changelog) => {
        const headers = headerBytes === 0 ? [] : [['h', utf8Encode('x'.repeat(headerBytes))]]
        store.put(key, 'x'.repeat(valueBytes), 1, headers)
        const larger = 'x'.repeat(valueBytes + 100)
        expect(() => store.put(key, larger, 1, headers)).toThrow(failure('RECORD_TOO_LARGE'))
        store.flush()
        expect(changelog.rows).toHaveLength(1)
      }),
    )
  })
}
