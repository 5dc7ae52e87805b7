import { expect, it } from 'vitest'
import { sizeOfHeaders } from '../../src/topic/record-size.ts'

it('headers are as large as their names and values', () => {
  expect(sizeOfHeaders(undefined)).toBe(0)
  expect(sizeOfHeaders([])).toBe(0)
  expect(sizeOfHeaders([['name', new Uint8Array(100)]])).toBeGreaterThanOrEqual(104)
  expect(sizeOfHeaders([['ü', null]])).toBeGreaterThanOrEqual(2)
})

it('what are no headers is refused', () => {
  for (const headers of ['text', {}, [['a', 'text']], [[1, null]], [null]])
    expect(() => sizeOfHeaders(headers as never)).toThrow(
      expect.objectContaining({ code: 'HEADERS_INVALID', actor: 'record' }) as Error,
    )
})
