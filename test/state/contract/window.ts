import fc from 'fast-check'
import { expect } from 'vitest'
import { compareBytes, utf8Encode } from '../../../src/base/bytes.ts'
import type { WindowStore } from '../../../src/state/store.ts'
import { string } from '../../../src/topic/serdes.ts'
import { windowed } from '../../../src/topic/windowed.ts'
import { describeKind } from './kind.ts'
import type { Subject } from './subject.ts'

interface Put {
  readonly key: string
  readonly startMs: number
  readonly value: string | null
  readonly timestamp: number
}
type Row = Put & { readonly value: string }
interface Model {
  rows: Row[]
  observed: number
}

const retentionMs = 25
const windowSizeMs = 10
const keys = ['', 'a', 'ab', 'é']
const ranges = [
  [-Infinity, Infinity],
  [0, 5],
  [10, 30],
  [31, 60],
  [40, 20],
] as const

const puts = fc.record({
  key: fc.constantFrom(...keys),
  startMs: fc.nat(60),
  value: fc.option(fc.string({ maxLength: 3 }), { freq: 3 }),
  timestamp: fc.nat(100),
})

const isExpired = (model: Model, startMs: number): boolean => startMs <= model.observed - retentionMs

const alive = (model: Model, from: number, to: number): Row[] =>
  model.rows
    .filter(({ startMs }) => !isExpired(model, startMs) && startMs >= from && startMs <= to)
    .sort(
      (left, right) =>
        left.startMs - right.startMs || compareBytes(utf8Encode(left.key), utf8Encode(right.key)),
    )

export const describeWindowStore = (subject: Subject): void =>
  describeKind<Put, Model>('window', subject, {
    definition: {
      kind: 'window',
      name: 'store',
      key: string,
      value: string,
      changelog: true,
      storage: 'disk',
      windowSizeMs,
      retentionMs,
    },
    commands: puts,
    model: () => ({ rows: [], observed: -Infinity }),
    copy: ({ rows, observed }) => ({ rows: [...rows], observed }),
    apply: (store, model, { key, value, startMs, timestamp }) => {
      model.observed = Math.max(model.observed, startMs)
      const accepted = !isExpired(model, startMs)
      expect((store as WindowStore<string, string>).put(key, value, startMs, timestamp)).toBe(accepted)
      if (!accepted) return
      model.rows = model.rows.filter((row) => row.key !== key || row.startMs !== startMs)
      if (value !== null) model.rows.push({ key, value, startMs, timestamp })
    },
    compare: (store, model) => {
      const typed = store as WindowStore<string, string>
      const entryOf = (row: Row): unknown => [
        windowed(row.key, row.startMs, row.startMs + windowSizeMs),
        expect.objectContaining({ value: row.value, timestamp: row.timestamp }),
      ]
      expect([...typed.all()]).toEqual(alive(model, -Infinity, Infinity).map(entryOf))
      for (const [from, to] of ranges) {
        const rows = alive(model, from, to)
        expect([...typed.fetchAll(from, to)]).toEqual(rows.map(entryOf))
        for (const key of keys) {
          const own = rows
            .filter((row) => row.key === key)
            .map(({ value, startMs, timestamp }) => ({ value, startMs, timestamp }))
          expect([...typed.fetchRange(key, from, to)]).toEqual(own)
          expect([...typed.fetchRange(key, from, to, { reverse: true })]).toEqual(own.toReversed())
        }
      }
      for (const key of keys)
        for (let startMs = 0; startMs <= 60; startMs += 4) {
          const row = alive(model, startMs, startMs).find((each) => each.key === key)
          expect(typed.fetch(key, startMs)).toEqual(
            row === undefined
              ? null
              : expect.objectContaining({ value: row.value, timestamp: row.timestamp }),
          )
        }
    },
  })
