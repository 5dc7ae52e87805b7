import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hexEncode } from '../../src/base/bytes.ts'
import { WireReader, WireWriter } from '../../src/kafka/wire-bytes.ts'

type Field = (writer: WireWriter) => WireWriter

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.integer({ min: -128, max: 127 }).map(
    (value): Field =>
      (writer) =>
        writer.int8(value),
  ),
  fc.integer({ min: -32_768, max: 32_767 }).map(
    (value): Field =>
      (writer) =>
        writer.int16(value),
  ),
  fc.integer().map(
    (value): Field =>
      (writer) =>
        writer.int32(value),
  ),
  fc.maxSafeInteger().map(
    (value): Field =>
      (writer) =>
        writer.int64(value),
  ),
  fc.nat().map(
    (value): Field =>
      (writer) =>
        writer.unsignedVarint(value),
  ),
  fc.uuid().map(
    (value): Field =>
      (writer) =>
        writer.uuid(value),
  ),
  fc.uint8Array({ maxLength: 20 }).map(
    (value): Field =>
      (writer) =>
        writer.compactBytes(value),
  ),
  fc.string({ unit: 'binary', maxLength: 10 }).map(
    (value): Field =>
      (writer) =>
        writer.compactString(value),
  ),
)

it('a request is the same bytes, however often its buffer had to grow', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (fields, capacity) => {
      const written = (writer: WireWriter): string => {
        for (const write of fields) write(writer)
        return hexEncode(writer.bytes)
      }
      expect(written(new WireWriter(capacity))).toBe(written(new WireWriter(100_000)))
    }),
  )
})

it('no topic id is all zeros, whatever the memory held before', () => {
  for (let attempt = 0; attempt < 100; attempt++)
    new WireWriter(16).uuid('ffffffff-ffff-ffff-ffff-ffffffffffff')
  expect(hexEncode(new WireWriter(16).uuid('').bytes)).toBe('00'.repeat(16))
})

it('what is written is read back', () => {
  const { bytes } = new WireWriter(1)
    .int32(-5)
    .int64(2 ** 40)
    .int16(7)
  const reader = new WireReader(bytes)
  expect([reader.int32(), reader.int64(), reader.int16()]).toEqual([-5, 2 ** 40, 7])
})

it.each([
  ['an int16', '00', (reader: WireReader) => reader.int16()],
  ['an int32', '000000', (reader: WireReader) => reader.int32()],
  ['an int64', '00000000000000', (reader: WireReader) => reader.int64()],
  ['a uuid', '00', (reader: WireReader) => reader.uuid()],
  ['a varint that the bytes end in', 'ff', (reader: WireReader) => reader.unsignedVarint()],
  ['a varint that does not end', 'ffffffffffff', (reader: WireReader) => reader.unsignedVarint()],
  ['a text longer than the bytes', '05616263', (reader: WireReader) => reader.compactString()],
  ['a text of a negative length', 'ffff', (reader: WireReader) => reader.string()],
  ['bytes longer than the bytes', '7fffffff00', (reader: WireReader) => reader.nullableBytes()],
  [
    'a list of more than the bytes hold',
    'ffffffff0f0102',
    (reader: WireReader) => reader.compactArray(() => 0),
  ],
  ['more tags than the bytes hold', 'ffffffff0f', (reader: WireReader) => reader.skipTags()],
  ['a tag longer than the bytes', '0100ffffffff0f', (reader: WireReader) => reader.skipTags()],
] as const)('%s is refused and read no further', (_, hex, read) => {
  const reader = new WireReader(Buffer.from(hex, 'hex'))
  expect(() => read(reader)).toThrow(expect.objectContaining({ code: 'BYTES_MALFORMED' }))
  expect(reader.position).toBeLessThanOrEqual(reader.bytes.length)
})
