import type { Bytes } from '../base/bytes.ts'
import { utf8Decode } from '../base/bytes.ts'
import type { Header, Headers } from './headers.ts'
import { noHeaders } from './headers.ts'

/**
 * Many records of one partition as columns over one buffer. An object is made only when a record's turn comes: arrays
 * of thousands of live objects per response cost the collector a fifth of the processor.
 *
 * A start of -1 means null. `headersStart` points at the headers in Kafka's record format (a varint count, then
 * varint-sized names and values); -1 means none. The buffer is never written to again, so a record may be kept.
 */
export interface RecordColumns {
  readonly buffer: Bytes
  readonly count: number
  readonly offsets: Float64Array
  readonly timestamps: Float64Array
  readonly keyStarts: Int32Array
  readonly keyEnds: Int32Array
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  readonly headersStarts: Int32Array
}

/** Decodes the headers of one record; called only where somebody asks for them. */
export const decodeHeaders = (columns: RecordColumns, row: number): Headers => {
  const start = columns.headersStarts[row] as number
  if (start < 0) return noHeaders
  const cursor = { buffer: columns.buffer, position: start }
  const count = readVarint(cursor)
  if (count <= 0) return noHeaders
  return Array.from({ length: count }, () => readHeader(cursor))
}

interface Cursor {
  readonly buffer: Bytes
  position: number
}

const readHeader = (cursor: Cursor): Header => {
  const nameLength = readVarint(cursor)
  const name = utf8Decode(cursor.buffer, cursor.position, cursor.position + nameLength)
  cursor.position += nameLength
  const valueLength = readVarint(cursor)
  if (valueLength < 0) return [name, null]
  const value = cursor.buffer.subarray(cursor.position, cursor.position + valueLength)
  cursor.position += valueLength
  return [name, value]
}

const readVarint = (cursor: Cursor): number => {
  let result = 0
  let shift = 0
  for (;;) {
    const byte = cursor.buffer[cursor.position++] as number
    result |= (byte & 0x7f) << shift
    if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
    shift += 7
  }
}
