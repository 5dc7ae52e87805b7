import { describe, expect, it } from 'vitest'
import { nextBatchRows } from '../../src/state/open-lmdb-stores.ts'

describe('the rows of a batch that is written to disk', () => {
  it('become as many as are written in 100 ms, and a thousand at least', () => {
    expect(nextBatchRows(200_000, 1_000, 200_000, 200_000)).toBe(20_000)
    expect(nextBatchRows(200_000, 60_000, 200_000, 200_000)).toBe(1_000)
  })

  it('become more again where a full batch takes less than half of that, up to the bound', () => {
    expect(nextBatchRows(20_000, 40, 20_000, 200_000)).toBe(40_000)
    expect(nextBatchRows(150_000, 40, 150_000, 200_000)).toBe(200_000)
    expect(nextBatchRows(10, 1, 20_000, 200_000)).toBe(20_000)
    expect(nextBatchRows(20_000, 80, 20_000, 200_000)).toBe(20_000)
  })
})
