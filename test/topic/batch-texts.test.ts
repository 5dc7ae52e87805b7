import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8Decode, utf8Encode } from '../../src/base/bytes.ts'
import { BatchTexts } from '../../src/topic/batch-texts.ts'

/** Texts as records have them: between bytes of other kinds, at any place in memory. */
const batches = fc.record({
  skipped: fc.nat(9),
  parts: fc.array(
    fc.record({
      between: fc.uint8Array({ maxLength: 12 }),
      text: fc.oneof(
        { weight: 3, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 200 }).map(utf8Encode) },
        { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map(utf8Encode) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
        { weight: 1, arbitrary: fc.constantFrom(new Uint8Array(5_000).fill(97), new Uint8Array(0)) },
      ),
      isRead: fc.boolean(),
    }),
    { maxLength: 40 },
  ),
})

describe('the texts of a batch', () => {
  it('are those that its bytes have alone, in whatever order they are read', () => {
    fc.assert(
      fc.property(batches, fc.boolean(), ({ skipped, parts }, isReverse) => {
        const bytes = concatBytes(
          new Uint8Array(skipped),
          ...parts.flatMap(({ between, text }) => [between, text]),
        ).subarray(skipped)
        let at = 0
        const places = parts.map(({ between, text, isRead }) => {
          const start = at + between.length
          at = start + text.length
          return { start, end: at, isRead }
        })
        const texts = new BatchTexts(bytes)
        for (const { start, end } of (isReverse ? places.toReversed() : places).filter(
          ({ isRead }) => isRead,
        ))
          expect(texts.textOf(start, end)).toBe(utf8Decode(bytes, start, end))
        for (const { start, end } of places)
          expect(texts.textOf(start, end)).toBe(utf8Decode(bytes, start, end))
      }),
      { numRuns: 300 },
    )
  })

  it('are found beyond the first window of a large batch', () => {
    const one = utf8Encode('{"name":"a text that is not short"}\u0000')
    const bytes = concatBytes(...Array.from({ length: 5_000 }, () => one))
    const texts = new BatchTexts(bytes)
    for (let row = 0; row < 5_000; row++)
      expect(texts.textOf(row * one.length, (row + 1) * one.length - 1)).toBe(
        '{"name":"a text that is not short"}',
      )
  })

  it('reads short bytes at the end of a buffer, where no whole word is left', () => {
    const buffer = new ArrayBuffer(16)
    for (let offset = 8; offset < 16; offset++) {
      const bytes = new Uint8Array(buffer, offset).fill(0x61)
      expect(new BatchTexts(bytes).textOf(0, bytes.length)).toBe('a'.repeat(bytes.length))
      expect(new BatchTexts(bytes).textOf(0, 1)).toBe('a')
    }
  })
})
