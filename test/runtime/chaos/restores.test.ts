import { describe, expect, it } from 'vitest'
import { restoreFindings } from './restores.ts'
import type { TimedTelling } from './telling.ts'

const restore = (startingOffset: number, restoredRecords: number, remainingRecords = 0): TimedTelling => ({
  ...{ kind: 'restore', atMs: 0, store: 'counts', partition: 0 },
  ...{ startingOffset, restoredRecords, remainingRecords },
  endingOffset: startingOffset + restoredRecords + remainingRecords,
})

describe('the findings on restorations', () => {
  it('count what was found on disk and what was restored', () => {
    const findings = restoreFindings('p0', [restore(0, 10), restore(10, 0, 5), restore(10, 5)])
    expect(findings).toEqual({ problems: [], found: 1, restoredRecords: 15, recordsOfWiped: 25 })
  })

  it('name a store that was wiped', () => {
    expect(restoreFindings('p0', [restore(0, 10), restore(0, 15)]).problems).toEqual([
      'p0 restored counts 0 from 0, but had it up to 10',
    ])
  })

  it('name a store that was damaged', () => {
    const warning: TimedTelling = { kind: 'warning', atMs: 0, message: 'the state in x is damaged: y' }
    expect(restoreFindings('p0', [warning]).problems).toEqual(['p0: the state in x is damaged: y'])
  })
})
