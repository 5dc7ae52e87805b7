import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexEncode, utf8Encode } from '../../src/base/bytes.ts'
import { murmur3 } from '../../src/topic/murmur3.ts'

const mask = (1n << 64n) - 1n
const c1 = 0x87c37b91114253d5n
const c2 = 0x4cf5ad432745937fn
const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask
const avalanche = (start: bigint): bigint => {
  const first = ((start ^ (start >> 33n)) * 0xff51afd7ed558ccdn) & mask
  const second = ((first ^ (first >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask
  return second ^ (second >> 33n)
}
const word = (data: Uint8Array, start: number): bigint =>
  Array.from({ length: 8 }, (_, index) => BigInt(data[start + index] ?? 0) << BigInt(index * 8)).reduce(
    (sum, byte) => sum | byte,
  )

/** The published algorithm (murmur3 x64 128), in whole 64-bit integers. */
const model = (data: Uint8Array): string => {
  let [first, second] = [104729n, 104729n]
  for (let start = 0; start < data.length; start += 16) {
    first ^= (rotate((word(data, start) * c1) & mask, 31n) * c2) & mask
    const whole = start + 16 <= data.length
    if (whole) first = (((rotate(first, 27n) + second) & mask) * 5n + 0x52dce729n) & mask
    second ^= (rotate((word(data, start + 8) * c2) & mask, 33n) * c1) & mask
    if (whole) second = (((rotate(second, 31n) + first) & mask) * 5n + 0x38495ab5n) & mask
  }
  first ^= BigInt(data.length)
  second ^= BigInt(data.length)
  first = (first + second) & mask
  second = (second + first) & mask
  first = avalanche(first)
  second = avalanche(second)
  first = (first + second) & mask
  second = (second + first) & mask
  return first.toString(16).padStart(16, '0') + second.toString(16).padStart(16, '0')
}

describe('murmur3', () => {
  it.each([
    ['f1|one', '0b0febd77be1ab372eb5cb8821e84f1e'],
    ['f1|two', '99e6a4c68ffcb79dd98cebc1b170f6cf'],
    ['f2|three', '7582f6a7d5a16b47c2c7240188271a9d'],
    ['f2|four', 'f842aaa51676940daf1792f35e1887ff'],
    ['|nofk', '1611198a3b987bd39bfeafddb50426df'],
  ])('hashes %s as Kafka Streams does', (text, hash) => {
    expect(hexEncode(murmur3(utf8Encode(text)))).toBe(hash)
  })

  it('agrees with the published algorithm on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (data) => {
        expect(hexEncode(murmur3(data))).toBe(model(data))
      }),
    )
  })
})
