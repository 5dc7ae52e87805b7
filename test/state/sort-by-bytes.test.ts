import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes } from '../../src/base/bytes.ts'
import { sortByBytes } from '../../src/state/sort-by-bytes.ts'

describe('items sorted by their bytes', () => {
  const few = fc.constantFrom(0, 1, 255)
  const bytes = fc.array(few, { maxLength: 9 }).map((each) => Uint8Array.from(each))
  const common = fc.array(few, { maxLength: 5 })

  it('are in the order of a comparison', () => {
    fc.assert(
      fc.property(common, fc.array(bytes, { maxLength: 300, size: 'max' }), (prefix, ends) => {
        const items = ends.map((end) => ({ bytes: Uint8Array.from([...prefix, ...end]) }))
        const sorted = sortByBytes(items, (item) => item.bytes)
        expect(new Set(sorted)).toEqual(new Set(items))
        expect(sorted.map((item) => [...item.bytes])).toEqual(
          items
            .toSorted((left, right) => compareBytes(left.bytes, right.bytes))
            .map((item) => [...item.bytes]),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('are many with the same bytes', () => {
    const items = Array.from({ length: 1_000 }, (_, index) => ({ index, bytes: Uint8Array.of(7, index % 2) }))
    const sorted = sortByBytes(items, (item) => item.bytes)
    expect(sorted.map((item) => item.bytes[1])).toEqual(items.map((_, index) => (index < 500 ? 0 : 1)))
  })
})
