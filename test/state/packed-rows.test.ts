import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diskKeyOf, pack, RowPacker, timeOf } from '../../src/state/packed-rows.ts'
import { regionOf } from '../../src/topic/record.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: 4_080, maxLength: 4_110, size: 'max' }),
)
const time = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })

describe('a row packer', () => {
  it('packs each row as it is packed alone, whatever was packed before it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, bytes, time)), (rows) => {
        const packer = new RowPacker()
        for (const [key, value, timestamp] of rows) {
          expect(packer.keyOf(regionOf(key))).toEqual(diskKeyOf(key))
          expect(packer.valueOf(regionOf(value), timestamp)).toEqual(pack({ value, timestamp }))
        }
      }),
    )
  })

  it('takes a part of a buffer', () => {
    const buffer = Uint8Array.of(1, 2, 3, 4, 5)
    expect(new RowPacker().keyOf({ buffer, start: 1, end: 3 })).toEqual(Uint8Array.of(1, 2, 3))
    const packed = new RowPacker().valueOf({ buffer, start: 3, end: 5 }, -1)
    expect(packed.subarray(8)).toEqual(Uint8Array.of(4, 5))
    expect(timeOf(packed)).toBe(-1)
  })
})
