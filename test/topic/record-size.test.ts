import { expect, it } from 'vitest'
import { sizeOfHeaders } from '../../src/topic/record-size.ts'

it('headers are as large as their names and values', () => {
  expect(sizeOfHeaders(undefined)).toBe(0)
  expect(sizeOfHeaders([])).toBe(0)
  expect(sizeOfHeaders([['name', new Uint8Array(100)]])).toBeGreaterThanOrEqual(104)
  expect(sizeOfHeaders([['ü', null]])).toBeGreaterThanOrEqual(2)
})
