import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { restoreReport } from '../../src/cli/restore-report.ts'

const trial = () => {
  const clock = new ManualClock(0)
  const lines: string[] = []
  const report = restoreReport(clock, (line) => lines.push(line))
  const tell = (partition: number, restoredRecords: number, remainingRecords: number): void =>
    report({
      store: 'counts',
      partition,
      startingOffset: 0,
      endingOffset: restoredRecords + remainingRecords,
      restoredRecords,
      remainingRecords,
      recordsPerSecond: 0,
      remainingMs: undefined,
    })
  return { clock, lines, tell }
}

describe('the report of a restoration', () => {
  it('is a line a second over all stores, and one at the end', () => {
    const { clock, lines, tell } = trial()
    tell(0, 0, 600_000)
    tell(1, 0, 400_000)
    clock.advance(500)
    tell(0, 100_000, 500_000)
    clock.advance(500)
    tell(1, 150_000, 250_000)
    clock.advance(900)
    tell(0, 600_000, 0)
    clock.advance(1_100)
    tell(1, 400_000, 0)
    expect(lines).toEqual([
      'restoring 2 partitions of stores: 250,000 records done, 750,000 to go, 250,000/s, about 3.0 s left',
      'restored 1,000,000 records of 2 partitions of stores in 3.0 s',
    ])
  })

  it('says nothing where nothing had to be restored, and starts again with the next restoration', () => {
    const { clock, lines, tell } = trial()
    tell(0, 0, 0)
    expect(lines).toEqual([])
    clock.advance(5_000)
    tell(0, 0, 10)
    clock.advance(2_000)
    tell(0, 10, 0)
    expect(lines).toEqual(['restored 10 records of 1 partition of stores in 2.0 s'])
  })
})
