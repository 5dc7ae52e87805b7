import { assert } from '../../base/assert.ts'
import type { Bytes } from '../../base/bytes.ts'
import type { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Reads and writes one value. */
export interface Codec {
  readonly decode: (reader: Reader) => unknown
  readonly encode: (writer: Writer, value: unknown) => void
}

/** The codec of a primitive type; flexible versions have compact lengths. */
export const scalarCodec = (type: string, flexible: boolean): Codec => {
  const codec = fixed[type] ?? (flexible ? compact : classic)[type]
  assert(codec !== undefined, `the schema table names an unknown type ${type}`)
  return codec
}

const fixed: Readonly<Record<string, Codec>> = {
  boolean: {
    decode: (reader) => reader.int8() !== 0,
    encode: (writer, value) => writer.int8(value === true ? 1 : 0),
  },
  int8: { decode: (reader) => reader.int8(), encode: (writer, value) => writer.int8(value as number) },
  int16: { decode: (reader) => reader.int16(), encode: (writer, value) => writer.int16(value as number) },
  uint16: { decode: (reader) => reader.uint16(), encode: (writer, value) => writer.int16(value as number) },
  int32: { decode: (reader) => reader.int32(), encode: (writer, value) => writer.int32(value as number) },
  uint32: { decode: (reader) => reader.uint32(), encode: (writer, value) => writer.int32(value as number) },
  int64: { decode: (reader) => reader.int64(), encode: (writer, value) => writer.int64(value as number) },
  float64: {
    decode: (reader) => reader.float64(),
    encode: (writer, value) => writer.float64(value as number),
  },
  uuid: { decode: (reader) => reader.uuid(), encode: (writer, value) => writer.uuid(value as string) },
}

type ReadLength = (reader: Reader) => number
type WriteLength = (writer: Writer, length: number) => void

const stringCodec = (readLength: ReadLength, writeLength: WriteLength): Codec => ({
  decode(reader) {
    const length = readLength(reader)
    return length < 0 ? null : reader.string(length)
  },
  encode(writer, value) {
    if (value === null) {
      writeLength(writer, -1)
      return
    }
    const bytes = Writer.utf8(value as string)
    writeLength(writer, bytes.length)
    writer.raw(bytes)
  },
})

const bytesCodec = (readLength: ReadLength, writeLength: WriteLength): Codec => ({
  decode(reader) {
    const length = readLength(reader)
    return length < 0 ? null : reader.view(length)
  },
  encode(writer, value) {
    if (value === null) {
      writeLength(writer, -1)
      return
    }
    const bytes = value as Bytes
    writeLength(writer, bytes.length)
    writer.raw(bytes)
  },
})

const recordsCodec = (readLength: ReadLength, writeLength: WriteLength): Codec => ({
  decode: bytesCodec(readLength, writeLength).decode,
  encode(writer, value) {
    const chunks = value === null ? [] : Array.isArray(value) ? (value as Bytes[]) : [value as Bytes]
    writeLength(writer, value === null ? -1 : chunks.reduce((length, chunk) => length + chunk.length, 0))
    for (const chunk of chunks) writer.reference(chunk)
  },
})

const readShort: ReadLength = (reader) => reader.int16()
const writeShort: WriteLength = (writer, length) => writer.int16(length)
const readInt: ReadLength = (reader) => reader.int32()
const writeInt: WriteLength = (writer, length) => writer.int32(length)
const readCompact: ReadLength = (reader) => reader.unsignedVarint() - 1
const writeCompact: WriteLength = (writer, length) => writer.unsignedVarint(length + 1)

const classic: Readonly<Record<string, Codec>> = {
  string: stringCodec(readShort, writeShort),
  bytes: bytesCodec(readInt, writeInt),
  records: recordsCodec(readInt, writeInt),
}

const compact: Readonly<Record<string, Codec>> = {
  string: stringCodec(readCompact, writeCompact),
  bytes: bytesCodec(readCompact, writeCompact),
  records: recordsCodec(readCompact, writeCompact),
}
