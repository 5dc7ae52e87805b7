import { expect, it } from 'vitest'
import { ScratchBytes } from '../../src/base/scratch-bytes.ts'

it('the same bytes serve for each length, and long ones are new', () => {
  const scratch = new ScratchBytes()
  expect(scratch.take(5)).toHaveLength(5)
  expect(scratch.take(5)).toBe(scratch.take(5))
  expect(scratch.take(7).buffer).toBe(scratch.take(5).buffer)
  expect(scratch.take(4_096).buffer).toBe(scratch.take(5).buffer)
  expect(scratch.take(4_097)).toHaveLength(4_097)
  expect(scratch.take(4_097)).not.toBe(scratch.take(4_097))
})

it('memory lies outside of the heap, where native code finds it as it is', () => {
  expect(new ScratchBytes().take(1).buffer.byteLength).toBe(4_096)
})
