import fc from 'fast-check'
import { expect } from 'vitest'
import type { JoinWindowStore } from '../../../src/state/store.ts'
import { string } from '../../../src/topic/serdes.ts'
import { describeKind } from './kind.ts'
import type { Subject } from './subject.ts'

interface Put {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}
interface Model {
  rows: (Put & { readonly value: string })[]
  observed: number
}

const retentionMs = 25
const keys = ['', 'a', 'ab', 'é']
const ranges = [
  [-Infinity, Infinity],
  [0, 5],
  [10, 30],
  [31, 60],
] as const

const puts = fc.record({
  key: fc.constantFrom(...keys),
  value: fc.option(fc.string({ maxLength: 3 }), { freq: 5 }),
  timestamp: fc.nat(60),
})

/** By time, then in the order they were put: sorting is stable. */
const alive = (model: Model): Model['rows'] =>
  model.rows
    .filter(({ timestamp }) => timestamp > model.observed - retentionMs)
    .sort((left, right) => left.timestamp - right.timestamp)

export const describeJoinWindowStore = (subject: Subject): void =>
  describeKind<Put, Model>('join window', subject, {
    definition: {
      kind: 'joinWindow',
      name: 'store',
      key: string,
      value: string,
      changelog: true,
      storage: 'disk',
      windowSizeMs: 10,
      retentionMs,
    },
    commands: puts,
    model: () => ({ rows: [], observed: -Infinity }),
    copy: ({ rows, observed }) => ({ rows: [...rows], observed }),
    apply: (store, model, { key, value, timestamp }) => {
      ;(store as JoinWindowStore<string, string>).put(key, value, timestamp)
      // A null is only written to the changelog: it is not kept, and makes nothing older.
      if (value === null) return
      model.observed = Math.max(model.observed, timestamp)
      if (timestamp > model.observed - retentionMs) model.rows.push({ key, value, timestamp })
    },
    compare: (store, model) => {
      const typed = store as JoinWindowStore<string, string>
      const rows = alive(model)
      expect([...typed.all()]).toEqual(rows.map(({ key, value, timestamp }) => [key, { value, timestamp }]))
      for (const key of keys)
        for (const [from, to] of ranges) {
          const own = rows.filter((row) => row.key === key && row.timestamp >= from && row.timestamp <= to)
          expect([...typed.fetch(key, from, to)]).toEqual(
            own.map(({ value, timestamp }) => ({ value, timestamp })),
          )
        }
    },
  })
