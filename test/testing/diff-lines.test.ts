import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffOf } from '../../src/testing/diff-lines.ts'

const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 })
const diff = (expected: readonly string[], received: readonly string[]) =>
  diffOf(expected, received, (left, right) => left === right, { expected: String, received: String })
const side = (lines: readonly string[], sign: string): readonly string[] =>
  lines.filter((line) => line.startsWith(sign) || line.startsWith(' ')).map((line) => line.slice(2))

describe('diffOf', () => {
  it('holds both lists in its lines, each in order', () => {
    fc.assert(
      fc.property(letters, letters, (expected, received) => {
        const { lines } = diff(expected, received)
        expect(side(lines, '-')).toEqual(expected)
        expect(side(lines, '+')).toEqual(received)
      }),
    )
  })

  it('is equal where the lists are', () => {
    fc.assert(
      fc.property(letters, letters, (expected, received) => {
        expect(diff(expected, received).equal).toBe(JSON.stringify(expected) === JSON.stringify(received))
      }),
    )
  })

  it('shows one missing entry as one line', () => {
    expect(diff(['a', 'b', 'c'], ['a', 'c']).lines).toEqual(['  a', '- b', '  c'])
  })
})
