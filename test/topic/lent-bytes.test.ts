import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Encode } from '../../src/base/bytes.ts'
import { integer, json, long, nullable, string } from '../../src/index.ts'
import { LentBytes } from '../../src/topic/lent-bytes.ts'
import type { Serializer } from '../../src/topic/serde.ts'

const written = <T>(serializer: Serializer<T>, value: T, memory = new LentBytes()): Uint8Array => {
  const { buffer, start, end } = memory.regionOf(serializer, value)
  return Uint8Array.from(buffer.subarray(start, end))
}

describe('what is serialised to be copied', () => {
  it.each(['', 'plain', 'Grüße, 世界 🚀', 'x'.repeat(5_000), '世'.repeat(400_000)])(
    'is the text as its serde writes it: %#',
    (text) => {
      expect(written(string, text)).toEqual(Uint8Array.from(string.serialize(text)))
      const Named = json(z.object({ name: z.string() }))
      expect(written(Named, { name: text })).toEqual(Uint8Array.from(Named.serialize({ name: text })))
    },
  )

  it('writes over what was there before', () => {
    const memory = new LentBytes()
    expect(written(string, 'a longer text', memory)).toEqual(Uint8Array.from(utf8Encode('a longer text')))
    expect(written(nullable(string), 'short', memory)).toEqual(Uint8Array.from(utf8Encode('short')))
    expect(written(long, 7, memory)).toEqual(long.serialize(7))
  })

  it('leaves it to a serde that has its own way, though it was made from one of text', () => {
    const shouting = { ...string, serialize: (text: string) => utf8Encode(text.toUpperCase()) }
    expect(written(shouting, 'quiet')).toEqual(Uint8Array.from(utf8Encode('QUIET')))
  })

  it('is a number as its serde writes it, whatever stood there', () => {
    const memory = new LentBytes()
    for (const value of [0, 1, -1, 2 ** 31, -(2 ** 40) - 5, Number.MAX_SAFE_INTEGER])
      expect(written(long, value, memory)).toEqual(long.serialize(value))
    for (const value of [0, 7, -1, 2 ** 31 - 1, -(2 ** 31)])
      expect(written(integer, value, memory)).toEqual(integer.serialize(value))
    expect(() => written(long, 0.5, memory)).toThrow(/not an integer/)
    expect(() => written(integer, 2 ** 31, memory)).toThrow(/not a 32-bit integer/)
  })

  it('refuses what breaks the schema', () => {
    const Id = json(z.object({ id: z.number() }))
    expect(() => written(Id, { id: 'one' } as never)).toThrow(/breaks the topic's schema/)
  })
})
