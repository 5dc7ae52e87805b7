import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../src/base/fault.ts'
import { printable, printableLine, quoted } from '../../src/base/printable.ts'

const hostile = fc.array(
  fc.constantFrom(
    'a',
    '\u001b',
    '\r',
    '\n',
    '\t',
    '\u202e',
    '\u2028',
    '\u0085',
    '\ud800',
    '\u{e0001}',
    '"',
    '\\',
    'ö',
    '😀',
  ),
)

/** What drives a terminal, ends a line or turns the direction of text. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u

describe('printable text', () => {
  it('holds no control character, no end of a line and no override of the direction', () => {
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join('')
        for (const shown of [printable(text), printableLine(text), quoted(text), messageOf(new Error(text))])
          expect(shown).not.toMatch(unsafe)
      }),
    )
  })

  it('leaves letters, accents and emoji of several parts as they are', () => {
    expect(printable('Grüße 👨‍👩‍👧 می‌خواهم')).toBe('Grüße 👨‍👩‍👧 می‌خواهم')
  })

  it('escapes as JSON does', () => {
    expect(printable('a\u001b[2Jb\nc\u202ed')).toBe('a\\u001b[2Jb\\nc\\u202ed')
  })
})

describe('the message of a foreign error', () => {
  it('is cut, as it may quote a whole record', () => {
    expect(messageOf(new Error('x'.repeat(1_000_000))).length).toBeLessThan(5_000)
  })

  it('is without the text that JSON.parse quotes', () => {
    const thrown = (() => {
      try {
        return JSON.parse('{"pan":"4111')
      } catch (error) {
        return error
      }
    })()
    expect(messageOf(thrown)).not.toContain('4111')
    expect(messageOf(new SyntaxError('Unexpected token \'x\', "4111" is not valid JSON'))).toBe(
      'the text is not valid JSON',
    )
  })
})
