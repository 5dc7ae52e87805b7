import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Decode } from '../../src/base/bytes.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

describe('decoding UTF-8', () => {
  it('reads what a decoder reads, wherever the text stands and whatever the bytes are', () => {
    const shortOrLong = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 20 }))
    const bytes = fc.oneof(
      shortOrLong.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
    )
    fc.assert(
      fc.property(bytes, bytes, bytes, (before, text, after) => {
        const all = Buffer.concat([before, text, after])
        const end = before.length + text.length
        expect(utf8Decode(all, before.length, end)).toBe(decoder.decode(text))
      }),
    )
  })

  it('reads two short texts of one length apart from each other', () => {
    const first = utf8Decode(Buffer.from('order-1'))
    expect([first, utf8Decode(Buffer.from('order-2'))]).toEqual(['order-1', 'order-2'])
  })

  it('reads no further than its bytes', () => {
    expect(utf8Decode(Buffer.from('abc'), 1)).toBe('bc')
    expect(utf8Decode(new Uint8Array(0))).toBe('')
    expect(utf8Decode(Buffer.from('abc'), 2, 2)).toBe('')
  })
})
