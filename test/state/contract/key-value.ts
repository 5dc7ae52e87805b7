import fc from 'fast-check'
import { expect } from 'vitest'
import { compareBytes, utf8Encode } from '../../../src/base/bytes.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../../src/state/store.ts'
import { string } from '../../../src/topic/serdes.ts'
import type { Kind } from './kind.ts'
import { describeKind } from './kind.ts'
import type { Subject } from './subject.ts'

interface Put {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}
type Row = Pick<Put, 'timestamp'> & { readonly value: string }
type Model = Map<string, Row>

const keys = ['', 'a', 'ab', 'abc', 'b', 'z', 'é', '\u{1F600}', '\uFFFD', 'a\0']
const bounds = [undefined, '', 'ab', 'm', 'é']

const puts = fc.record({
  key: fc.constantFrom(...keys),
  value: fc.option(fc.string({ maxLength: 5 }), { freq: 3 }),
  timestamp: fc.nat(100),
})

const sorted = (model: Model): readonly (readonly [string, Row])[] =>
  [...model].sort(([left], [right]) => compareBytes(utf8Encode(left), utf8Encode(right)))

const within = (key: string, from: string | undefined, to: string | undefined): boolean =>
  (from === undefined || compareBytes(utf8Encode(from), utf8Encode(key)) <= 0) &&
  (to === undefined || compareBytes(utf8Encode(key), utf8Encode(to)) <= 0)

/** Both kinds of store, with `shown` telling what a reader sees of a row. */
const kindOf = (timestamped: boolean): Kind<Put, Model> => {
  const shown = (row: Row): unknown => (timestamped ? row : row.value)
  return {
    definition: {
      kind: 'keyValue',
      name: 'store',
      key: string,
      value: string,
      changelog: true,
      storage: 'disk',
      timestamped,
    },
    commands: puts,
    model: () => new Map(),
    copy: (model) => new Map(model),
    apply: (store, model, { key, value, timestamp }) => {
      const typed = store as KeyValueStore<string, string>
      typed.put(key, value, timestamp)
      if (value === null) model.delete(key)
      else model.set(key, { value, timestamp })
      expect(typed.get(key)).toEqual(value === null ? null : shown({ value, timestamp }))
    },
    compare: (store, model) => {
      const typed = store as TimestampedKeyValueStore<string, string> | KeyValueStore<string, string>
      const all = sorted(model).map(([key, row]) => [key, shown(row)])
      expect([...typed.all()]).toEqual(all)
      expect([...typed.all({ reverse: true })]).toEqual(all.toReversed())
      for (const key of keys) {
        const row = model.get(key)
        expect(typed.get(key)).toEqual(row === undefined ? null : shown(row))
        const prefix = utf8Encode(key)
        const prefixed = all.filter(([each]) => (each as string).startsWith(key))
        expect([...typed.prefix(prefix)]).toEqual(prefixed)
      }
      for (const from of bounds)
        for (const to of bounds) {
          const expected = all.filter(([key]) => within(key as string, from, to))
          expect([...typed.range(from, to)]).toEqual(expected)
          expect([...typed.range(from, to, { reverse: true })]).toEqual(expected.toReversed())
        }
    },
  }
}

export const describeKeyValueStores = (subject: Subject): void => {
  describeKind('plain key-value', subject, kindOf(false))
  describeKind('timestamped key-value', subject, kindOf(true))
}
