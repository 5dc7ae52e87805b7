import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SavedValue, TrackedRow } from '../../src/state/change-tracker.ts'
import { ChangeTracker } from '../../src/state/change-tracker.ts'

class Row implements TrackedRow {
  readonly key: number
  value = 0
  timestamp = 0
  dirty = false
  logged = false
  gone = false
  pending = 0
  waitingAt = -1

  constructor(key: number) {
    this.key = key
  }
}

const never = (): boolean => false

describe('a tracker of changes', () => {
  let refused: Row | undefined
  let logged: number[]
  let tracker: ChangeTracker<Row>

  beforeEach(() => {
    refused = undefined
    logged = []
    const log = (row: Row): SavedValue => {
      if (row === refused) throw new Error(`row ${row.key} cannot be serialised`)
      logged.push(row.key)
      return row.value
    }
    tracker = new ChangeTracker({ log, settle: () => undefined }, true, {})
  })

  const put = (row: Row, value: number): void => {
    row.value = value
    row.timestamp = value
    tracker.touch(row)
  }

  const written = (): readonly (readonly [number, SavedValue])[] => {
    const rows: [number, SavedValue][] = []
    tracker.writeCommitted((row, value) => rows.push([row.key, value]), never)
    return rows
  }

  it('keeps a row that cannot be serialised first, and those behind it', () => {
    const rows = [0, 1, 2, 3].map((key) => new Row(key))
    for (const row of rows) put(row, 1)
    refused = rows[1]
    expect(() => tracker.flush()).toThrow('row 1 cannot be serialised')
    expect(logged).toEqual([0])
    refused = undefined
    put(rows[0] as Row, 2)
    tracker.flush()
    expect(logged).toEqual([0, 1, 2, 3, 0])
    tracker.commit()
    expect(written()).toEqual([
      [0, 2],
      [1, 1],
      [2, 1],
      [3, 1],
    ])
  })

  it('hands over the last committed value of each row once, however its lists were filled before', () => {
    const rows = Array.from({ length: 20_000 }, (_, key) => new Row(key))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put'), from: fc.nat(19_999), count: fc.constantFrom(1, 50, 20_000) }),
      fc.record({ kind: fc.constantFrom('flush', 'commit', 'write') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        tracker.flush()
        tracker.commit()
        tracker.writeCommitted(() => undefined, never)
        const [changed, flushed, committed] = [
          new Map<number, number>(),
          new Map<number, number>(),
          new Map<number, number>(),
        ]
        const move = (from: Map<number, number>, to: Map<number, number>): void => {
          for (const [key, value] of from) to.set(key, value)
          from.clear()
        }
        steps.forEach((each, value) => {
          if (each.kind === 'flush') {
            tracker.flush()
            move(changed, flushed)
          } else if (each.kind === 'commit') {
            tracker.commit()
            move(flushed, committed)
          } else if (each.kind === 'write') {
            expect(new Map(written())).toEqual(committed)
            committed.clear()
          } else if ('from' in each)
            for (const row of rows.slice(each.from, each.from + each.count)) {
              put(row, value)
              changed.set(row.key, value)
            }
          expect(tracker.committedCount).toBe(committed.size)
        })
      }),
    )
    tracker.flush()
    tracker.commit()
    tracker.writeCommitted(() => undefined, never)
    expect(rows.every((row) => tracker.isClean(row) && row.waitingAt === -1)).toBe(true)
  })

  it('hands over a batch in parts, each row as it was committed when the batch began', () => {
    const rows = Array.from({ length: 100 }, (_, key) => new Row(key))
    const commitAll = (value: number): void => {
      for (const row of rows) put(row, value)
      tracker.flush()
      tracker.commit()
    }
    const batch: [number, SavedValue][] = []
    const writePart = (): boolean =>
      tracker.writeCommitted(
        (row, value) => batch.push([row.key, value]),
        () => true,
      )
    commitAll(1)
    expect(writePart()).toBe(false)
    expect(batch).toHaveLength(32)
    expect(tracker.committedCount).toBe(68)
    commitAll(2)
    expect(tracker.committedCount).toBe(168)
    expect(tracker.isClean(rows[0] as Row)).toBe(false)
    while (!writePart());
    expect(batch).toEqual(rows.map(({ key }) => [key, 1]))
    expect(written()).toEqual(rows.map(({ key }) => [key, 2]))
    expect(rows.every((row) => tracker.isClean(row))).toBe(true)
  })
})
