import fc from 'fast-check'
import { expect } from 'vitest'
import { compareBytes, utf8Encode } from '../../../src/base/bytes.ts'
import type { VersionedRecord, VersionedStore } from '../../../src/state/store.ts'
import { string } from '../../../src/topic/serdes.ts'
import { describeKind } from './kind.ts'
import type { Subject } from './subject.ts'

interface Put {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}

/** Every version ever accepted, by key and time; what history hides is hidden when it is read. */
interface Model {
  readonly versions: Map<string, Map<number, string | null>>
  /** Times, by key, at which a deletion holds as soon as the value of that time is deleted. */
  readonly deletions: Map<string, Set<number>>
  observed: number
}

const historyRetentionMs = 20
const keys = ['', 'a', 'ab', 'é']

const puts = fc.record({
  key: fc.constantFrom(...keys),
  value: fc.option(fc.string({ maxLength: 3 }), { freq: 3 }),
  // Half of the times meet: deletions at the time of a value, and values at the time of a deletion, have rules of their own.
  timestamp: fc.oneof(
    fc.nat(80),
    fc.nat(10).map((step) => 40 + step * 4),
  ),
})

const add = (model: Model, { key, value, timestamp }: Put): number | 'latest' | 'refused' => {
  if (timestamp < model.observed - historyRetentionMs) return 'refused'
  model.observed = Math.max(model.observed, timestamp)
  const versions = model.versions.get(key) ?? new Map<number, string | null>()
  const deletions = model.deletions.get(key) ?? new Set<number>()
  const later = [...versions.keys()].filter((time) => time > timestamp)
  const earlier = Math.max(...[...versions.keys()].filter((time) => time < timestamp))
  const isNewest = later.length === 0
  const endsNothing = versions.get(earlier) == null
  // A value at the time of a deletion that ended nothing stands beside it.
  if (value !== null && isNewest && endsNothing && versions.get(timestamp) === null) deletions.add(timestamp)
  // A deletion right before the newest value ends with it, so there is a deletion at the time of that value, too.
  const [next] = later
  if (value === null && later.length === 1 && versions.get(next as number) != null)
    deletions.add(next as number)
  // A deletion at the very time of the latest value takes it away, where no other value ended with it.
  const isForgotten =
    value === null && isNewest && endsNothing && versions.get(timestamp) != null && !deletions.has(timestamp)
  if (isForgotten) versions.delete(timestamp)
  else versions.set(timestamp, value)
  model.versions.set(key, versions)
  model.deletions.set(key, deletions)
  return isNewest ? 'latest' : Math.min(...later)
}

const recordsOf = (model: Model, key: string): VersionedRecord<string>[] => {
  const versions = [...(model.versions.get(key) ?? [])].sort(([left], [right]) => left - right)
  return versions.flatMap(([timestamp, value], index) =>
    value === null ? [] : [{ value, timestamp, validToMs: versions[index + 1]?.[0] }],
  )
}

const asOf = (model: Model, key: string, time: number): VersionedRecord<string> | null => {
  const record = recordsOf(model, key).find(
    ({ timestamp, validToMs = Infinity }) => timestamp <= time && time < validToMs,
  )
  if (record === undefined) return null
  const isWithinHistory = time >= model.observed - historyRetentionMs
  return record.validToMs === undefined || isWithinHistory ? record : null
}

export const describeVersionedStore = (subject: Subject): void =>
  describeKind<Put, Model>('versioned', subject, {
    definition: {
      kind: 'versioned',
      name: 'store',
      key: string,
      value: string,
      changelog: true,
      storage: 'disk',
      historyRetentionMs,
    },
    commands: puts,
    model: () => ({ versions: new Map(), deletions: new Map(), observed: -Infinity }),
    copy: ({ versions, deletions, observed }) => ({
      versions: new Map([...versions].map(([key, each]) => [key, new Map(each)])),
      deletions: new Map([...deletions].map(([key, each]) => [key, new Set(each)])),
      observed,
    }),
    apply: (store, model, put) => {
      const typed = store as VersionedStore<string, string>
      expect(typed.put(put.key, put.value, put.timestamp)).toBe(add(model, put))
    },
    compare: (store, model) => {
      const typed = store as VersionedStore<string, string>
      const latest = keys
        .toSorted((left, right) => compareBytes(utf8Encode(left), utf8Encode(right)))
        .flatMap((key) =>
          recordsOf(model, key)
            .filter(({ validToMs }) => validToMs === undefined)
            .map((record) => [key, record]),
        )
      expect([...typed.all()]).toEqual(latest)
      for (const key of keys) {
        expect(typed.get(key)).toEqual(latest.find(([each]) => each === key)?.[1] ?? null)
        for (let time = 0; time <= 81; time += 3) expect(typed.get(key, time)).toEqual(asOf(model, key, time))
        const oldest = model.observed - historyRetentionMs
        for (const [from, to] of [
          [undefined, undefined],
          [10, 40],
          [50, 51],
        ] as const) {
          const expected = recordsOf(model, key).filter(
            ({ timestamp, validToMs = Infinity }) =>
              timestamp <= (to ?? Infinity) && validToMs > Math.max(oldest, from ?? -Infinity),
          )
          expect([...typed.versions(key, from, to)]).toEqual(expected)
        }
      }
    },
  })
