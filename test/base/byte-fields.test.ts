import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/base/byte-fields.ts'

const fields = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('int32' as const), value: fc.integer() }),
    fc.record({ kind: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
    fc.record({ kind: fc.constant('sized' as const), value: fc.uint8Array({ maxLength: 200 }) }),
  ),
  { maxLength: 60 },
)

test('fields of any number and size are read as they were written', () => {
  fc.assert(
    fc.property(fields, (written) => {
      const writer = new ByteWriter()
      for (const field of written)
        if (field.kind === 'sized') writer.sized(field.value)
        else writer[field.kind](field.value)
      const reader = new ByteReader(writer.finish())
      for (const { kind, value } of written) expect(reader[kind]()).toEqual(value)
    }),
  )
})

test.each([
  ['a field behind the end', '0000', (reader: ByteReader) => reader.int32()],
  ['bytes of a negative length', '0000000000000000', (reader: ByteReader) => reader.bytes(-4)],
  ['bytes longer than there are', '00000009ff', (reader: ByteReader) => reader.sized()],
  ['more items than the bytes hold', '7fffffff00', (reader: ByteReader) => reader.items(1, () => 0)],
] as const)('%s is refused', (_, hex, read) => {
  expect(() => read(new ByteReader(Buffer.from(hex, 'hex')))).toThrow(
    expect.objectContaining({ code: 'BYTES_MALFORMED' }),
  )
})
