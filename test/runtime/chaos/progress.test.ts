import { describe, expect, it } from 'vitest'
import { standstills, summaryOf } from './progress.ts'

const output = (doneMs: number, pid: number, readyMs = doneMs, partition = 0) => ({
  partition,
  pid,
  readyMs,
  doneMs,
})

describe('the time without progress', () => {
  it('is the longest wait of an input with nothing coming out, by disturbance and task', () => {
    const outputs = [
      ...[output(100, 1), output(110, 1), output(900, 2, 150), output(910, 2, 160)],
      ...[output(100, 3, 90, 1), output(2_000, 3, 1_990, 1)],
    ]
    const marks = [
      { what: 'one leaves', atMs: 105 },
      { what: 'one comes', atMs: 1_000 },
    ]
    expect(standstills(outputs, marks)).toEqual([
      { disturbance: 'one leaves', partition: 0, moved: true, longestMs: 750 },
      { disturbance: 'one comes', partition: 1, moved: false, longestMs: 10 },
    ])
  })

  it('has a largest and a middle value', () => {
    expect(summaryOf([5, 1, 9, 2])).toEqual({ max: 9, p50: 2, count: 4 })
    expect(summaryOf([])).toBeUndefined()
  })
})
