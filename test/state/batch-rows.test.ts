import { describe, expect, it } from 'vitest'
import { nextBatchRows } from '../../src/state/open-lmdb-stores.ts'

describe('the rows of a batch that is written to disk', () => {
  it('become as many as are written in 160 ms, and a thousand at least', () => {
    expect(nextBatchRows(200_000, 1_000, 200_000, 200_000)).toBe(32_000)
    expect(nextBatchRows(200_000, 60_000, 200_000, 200_000)).toBe(1_000)
    expect(nextBatchRows(100_000, 155, 100_000, 200_000)).toBe(103_225)
  })

  it('become at most twice as many where a full batch was fast, up to the bound', () => {
    expect(nextBatchRows(20_000, 40, 20_000, 200_000)).toBe(40_000)
    expect(nextBatchRows(20_000, 80, 20_000, 200_000)).toBe(40_000)
    expect(nextBatchRows(150_000, 0, 150_000, 200_000)).toBe(200_000)
  })

  it('stay as they are after a small batch, unless the disk is slow', () => {
    expect(nextBatchRows(10, 1, 20_000, 200_000)).toBe(20_000)
    expect(nextBatchRows(5_000, 800, 20_000, 200_000)).toBe(1_000)
  })
})
