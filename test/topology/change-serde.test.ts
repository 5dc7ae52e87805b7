import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import { string } from '../../src/topic/serdes.ts'
import { changeSerde } from '../../src/topology/change-serde.ts'

const serde = changeSerde(string)
const write = (newValue: string | null, oldValue: string | null): string =>
  hexEncode(serde.serialize({ newValue, oldValue, isLatest: true } as never))

describe('the change format', () => {
  it('is that of Kafka Streams: the last byte says which values there are', () => {
    expect(write('one', null)).toBe('6f6e6501')
    expect(write(null, 'one')).toBe('6f6e6500')
    expect(write('two', 'one')).toBe('0674776f6f6e6502')
  })

  it('gives back what was written, wherever it stands in a batch', () => {
    const value = fc.option(fc.string({ maxLength: 200 }), { nil: null })
    fc.assert(
      fc.property(value, value, fc.nat(4), (newValue, oldValue, offset) => {
        fc.pre(newValue !== null || oldValue !== null)
        const bytes = serde.serialize({ newValue, oldValue } as never)
        const batch = new Uint8Array(bytes.length + offset + 2)
        batch.set(bytes, offset)
        const read = serde.deserialize(batch, offset, offset + bytes.length)
        expect(read).toEqual({ newValue, oldValue, isLatest: true })
      }),
    )
  })

  it.each(['', '6f6e6509', '067402', 'ffffffffff02'])('refuses %s, which is none', (hex) => {
    const bytes = hexDecode(hex)
    expect(() => serde.deserialize(bytes, 0, bytes.length)).toThrow('no change of a table')
  })
})
