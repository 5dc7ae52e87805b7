import fc from 'fast-check'
import { expect } from 'vitest'
import { compareBytes, utf8Encode } from '../../../src/base/bytes.ts'
import type { SessionStore } from '../../../src/state/store.ts'
import { string } from '../../../src/topic/serdes.ts'
import { windowed } from '../../../src/topic/windowed.ts'
import { describeKind } from './kind.ts'
import type { Subject } from './subject.ts'

interface Put {
  readonly key: string
  readonly startMs: number
  readonly endMs: number
  readonly value: string | null
}
interface Model {
  rows: (Put & { readonly value: string })[]
  observed: number
  /** Sessions that end before this are let go. */
  freedBefore: number
}

const retentionMs = 25
const keys = ['', 'a', 'ab', 'é']

const puts = fc
  .record({
    key: fc.constantFrom(...keys),
    startMs: fc.nat(60),
    lengthMs: fc.constantFrom(0, 0, 3, 10),
    value: fc.option(fc.string({ maxLength: 3 }), { freq: 3 }),
  })
  .map(({ key, startMs, lengthMs, value }) => ({ key, startMs, endMs: startMs + lengthMs, value }))

const ordered = (rows: Model['rows']): Model['rows'] =>
  rows.toSorted(
    (left, right) =>
      left.endMs - right.endMs ||
      left.startMs - right.startMs ||
      compareBytes(utf8Encode(left.key), utf8Encode(right.key)),
  )

const entryOf = ({ key, startMs, endMs, value }: Model['rows'][number]): unknown => [
  windowed(key, startMs, endMs),
  value,
]

export const describeSessionStore = (subject: Subject): void =>
  describeKind<Put, Model>('session', subject, {
    definition: {
      kind: 'session',
      name: 'store',
      key: string,
      value: string,
      changelog: true,
      storage: 'disk',
      retentionMs,
    },
    commands: puts,
    model: () => ({ rows: [], observed: -Infinity, freedBefore: -Infinity }),
    copy: (model) => ({ ...model, rows: [...model.rows] }),
    apply: (store, model, { key, startMs, endMs, value }) => {
      ;(store as SessionStore<string, string>).put(windowed(key, startMs, endMs), value, endMs)
      if (endMs > model.observed) {
        model.freedBefore = model.observed - retentionMs
        model.observed = endMs
      }
      if (endMs < model.observed - retentionMs) return
      model.rows = model.rows.filter(
        (row) => row.key !== key || row.startMs !== startMs || row.endMs !== endMs,
      )
      if (value !== null) model.rows.push({ key, startMs, endMs, value })
    },
    compare: (store, model, after) => {
      const typed = store as SessionStore<string, string>
      const rows = ordered(model.rows)
      const alive = rows.filter(({ endMs }) => endMs > model.observed - retentionMs)
      expect([...typed.all()]).toEqual(alive.map(entryOf))
      expect(
        [...typed.findByEnd(20, 50)].filter(([{ endMs }]) => endMs > model.observed - retentionMs),
      ).toEqual(alive.filter(({ endMs }) => endMs >= 20 && endMs <= 50).map(entryOf))
      if (after === 'commands')
        expect([...typed.findByEnd(-Infinity, Infinity)]).toEqual(
          rows.filter(({ endMs }) => endMs >= model.freedBefore).map(entryOf),
        )
      for (const key of keys)
        for (const [earliestEnd, latestStart] of [
          [-Infinity, Infinity],
          [10, 40],
          [30, 30],
        ] as const)
          expect([...typed.findSessions(key, earliestEnd, latestStart)]).toEqual(
            alive
              .filter((row) => row.key === key && row.endMs >= earliestEnd && row.startMs <= latestStart)
              .map(entryOf),
          )
      for (const row of rows)
        expect(typed.fetch(row.key, row.startMs, row.endMs)).toBe(alive.includes(row) ? row.value : null)
    },
  })
