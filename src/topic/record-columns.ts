import type { Bytes } from '../base/bytes.ts'
import { joinBytes, utf8Decode, utf8Encode } from '../base/bytes.ts'
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

/** About how many bytes the rows take: their part of the buffer, and the columns. */
export const sizeOfRows = ({ count, keyEnds, valueEnds }: RecordColumns): number =>
  count === 0 ? 0 : (valueEnds[count - 1] as number) - (keyEnds[0] as number) + count * rowBytes

/** Two columns of eight bytes, and five of four. */
export const rowBytes = 36

/** Decodes the headers of one record; called only on access. */
export const decodeHeaders = (columns: RecordColumns, row: number): Headers => {
  const start = columns.headersStarts[row] as number
  if (start < 0) return noHeaders
  const cursor = { buffer: columns.buffer, position: start }
  const count = readVarint(cursor)
  if (count <= 0) return noHeaders
  // Each header has at least the lengths of its name and its value.
  const most = (columns.buffer.length - cursor.position) / 2
  return Array.from({ length: Math.min(count, most) }, () => readHeader(cursor))
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
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = cursor.buffer[cursor.position++] as number
    result |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return (result >>> 1) ^ -(result & 1)
}

/** One record as bytes: what a test, a restore or a transfer between tasks hands over. */
export interface RecordRow {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly timestamp: number
  readonly headers?: Headers
  readonly offset?: number
}

/** Rows as columns; offsets count from 0 where a row brings none. */
export const columnsOf = (rows: readonly RecordRow[]): RecordColumns => {
  const parts: Bytes[] = []
  let position = 0
  const add = (part: Bytes | null): number => {
    if (part === null) return -1
    parts.push(part)
    position += part.length
    return position - part.length
  }
  const columns = emptyColumns(rows.length)
  rows.forEach((row, index) => {
    columns.offsets[index] = row.offset ?? index
    columns.timestamps[index] = row.timestamp
    columns.keyStarts[index] = add(row.key)
    columns.keyEnds[index] = position
    columns.valueStarts[index] = add(row.value)
    columns.valueEnds[index] = position
    const headers = row.headers ?? noHeaders
    columns.headersStarts[index] = headers.length === 0 ? -1 : add(encodeHeaders(headers))
  })
  return { ...columns, count: rows.length, buffer: joinBytes(parts) }
}

/** One row of columns, over the same buffer. */
export const oneRow = (columns: RecordColumns, row: number): RecordColumns => ({
  buffer: columns.buffer,
  count: 1,
  offsets: columns.offsets.subarray(row, row + 1),
  timestamps: columns.timestamps.subarray(row, row + 1),
  keyStarts: columns.keyStarts.subarray(row, row + 1),
  keyEnds: columns.keyEnds.subarray(row, row + 1),
  valueStarts: columns.valueStarts.subarray(row, row + 1),
  valueEnds: columns.valueEnds.subarray(row, row + 1),
  headersStarts: columns.headersStarts.subarray(row, row + 1),
})

/** The headers of a record as Kafka writes them: a varint count, then varint-sized names and values. */
export const encodeHeaders = (headers: Headers): Bytes => {
  const parts = [varint(headers.length)]
  for (const [name, value] of headers) {
    const bytes = utf8Encode(name)
    parts.push(varint(bytes.length), bytes, varint(value === null ? -1 : value.length))
    if (value !== null) parts.push(value)
  }
  return joinBytes(parts)
}

const emptyColumns = (count: number): Omit<RecordColumns, 'buffer' | 'count'> => ({
  offsets: new Float64Array(count),
  timestamps: new Float64Array(count),
  keyStarts: new Int32Array(count),
  keyEnds: new Int32Array(count),
  valueStarts: new Int32Array(count),
  valueEnds: new Int32Array(count),
  headersStarts: new Int32Array(count),
})

/** A zigzag varint of 32 bits. */
const varint = (value: number): Bytes => {
  const result: number[] = []
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest >= 0x80) {
    result.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  result.push(rest)
  return Uint8Array.from(result)
}
