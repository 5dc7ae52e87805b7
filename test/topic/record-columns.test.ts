import { describe, expect, it } from 'vitest'
import { utf8Decode, utf8Encode } from '../../src/base/bytes.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'

describe('rows as columns', () => {
  it('hold more rows than the stack holds arguments', () => {
    const value = utf8Encode('v')
    const rows = Array.from({ length: 150_000 }, () => ({ key: null, value, timestamp: 1 }))
    const { count, buffer, valueStarts, valueEnds } = columnsOf(rows)
    expect(count).toBe(150_000)
    expect(utf8Decode(buffer, valueStarts[149_999], valueEnds[149_999])).toBe('v')
  })
})
