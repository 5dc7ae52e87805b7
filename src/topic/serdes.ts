import type { Bytes } from '../base/bytes.ts'
import { utf8Decode } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import type { Serde } from './serde.ts'
import { serializeFixed, serializeText } from './serde.ts'

/**
 * Serdes for plain values, each byte for byte as Kafka's own (`org.apache.kafka.common.serialization.Serdes`), so that
 * Java and TypeScript read each other.
 */

/** UTF-8 text, as Java's `StringSerializer`. */
export const string: Serde<string> = {
  name: 'string',
  nullable: false,
  serialize: serializeText((text) => {
    if (typeof text !== 'string')
      throw badValue(
        'string',
        `${kindOfValue(text)} is no text`,
        'make it a text, or give a serde of its type',
        text,
      )
    return text
  }),
  deserialize: utf8Decode,
}

function checkLong(value: number): void {
  if (!Number.isSafeInteger(value))
    throw badValue(
      'long',
      `${kindOfValue(value)} is not an integer within ±2^53`,
      'use bigLong for all 64 bits',
      value,
    )
}

/** 64-bit big-endian integer as a number, as Java's `LongSerializer`; beyond ±2^53 it faults: use `bigLong` there. */
export const long: Serde<number> = {
  name: 'long',
  nullable: false,
  serialize: serializeFixed(8, checkLong, (target, value) => {
    // Two halves by hand: what every count goes through is worth neither a view nor a bigint.
    writeInt32(target, 0, Math.floor(value / 0x1_0000_0000))
    writeInt32(target, 4, value | 0)
  }),
  deserialize: (source, start, end) => {
    checkLength('long', 8, start, end)
    const value = readInt32(source, start) * 0x1_0000_0000 + (readInt32(source, start + 4) >>> 0)
    if (!Number.isSafeInteger(value))
      throw badValue('long', 'a value does not fit a number exactly', 'use bigLong for all 64 bits', value)
    return value
  },
}

/** 64-bit big-endian integer as a bigint, as Java's `LongSerializer`. */
export const bigLong: Serde<bigint> = {
  name: 'bigLong',
  nullable: false,
  serialize: (value) => {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
      throw badValue('bigLong', `${kindOfValue(value)} is not a bigint of 64 bits`, 'write it as text', value)
    return writeFixed(8, (view) => view.setBigInt64(0, value))
  },
  deserialize: (source, start, end) => viewOf('bigLong', 8, source, start, end).getBigInt64(0),
}

function checkInteger(value: number): void {
  if ((value | 0) !== value)
    throw badValue('integer', `${kindOfValue(value)} is not a 32-bit integer`, 'use long', value)
}

/** 32-bit big-endian integer, as Java's `IntegerSerializer`. */
export const integer: Serde<number> = {
  name: 'integer',
  nullable: false,
  serialize: serializeFixed(4, checkInteger, (target, value) => writeInt32(target, 0, value)),
  deserialize: (source, start, end) => viewOf('integer', 4, source, start, end).getInt32(0),
}

/** 64-bit IEEE 754 big-endian, as Java's `DoubleSerializer`. */
export const double: Serde<number> = {
  name: 'double',
  nullable: false,
  serialize: (value) => {
    if (typeof value !== 'number')
      throw badValue('double', `${kindOfValue(value)} is not a number`, 'make it a number', value)
    return writeFixed(8, (view) => view.setFloat64(0, value))
  },
  deserialize: (source, start, end) => viewOf('double', 8, source, start, end).getFloat64(0),
}

/** Bytes as they are. What is read is a view of the record's memory: copy what must outlive the record cheaply. */
export const bytes: Serde<Bytes> = {
  name: 'bytes',
  nullable: false,
  serialize: (value) => {
    if (!(value instanceof Uint8Array))
      throw badValue(
        'bytes',
        `${kindOfValue(value)} is no Uint8Array`,
        'make it one, or give a serde of its type',
        value,
      )
    return value
  },
  deserialize: (source, start, end) => source.subarray(start, end),
}

const writeFixed = (length: number, write: (view: DataView) => void): Bytes => {
  const result = new Uint8Array(length)
  write(new DataView(result.buffer))
  return result
}

const viewOf = (serde: string, length: number, source: Bytes, start: number, end: number): DataView => {
  checkLength(serde, length, start, end)
  return new DataView(source.buffer, source.byteOffset + start, length)
}

const checkLength = (serde: string, length: number, start: number, end: number): void => {
  if (end - start !== length)
    throw badValue(
      serde,
      `${end - start} bytes are not a ${serde} of ${length} bytes`,
      'check what is on the topic',
    )
}

const writeInt32 = (target: Bytes, at: number, value: number): void => {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

const readInt32 = (source: Bytes, at: number): number =>
  ((source[at] as number) << 24) |
  ((source[at + 1] as number) << 16) |
  ((source[at + 2] as number) << 8) |
  (source[at + 3] as number)

const badValue = (serde: string, message: string, remedy: string, value?: unknown): Fault =>
  new Fault({
    code: 'SERDE_VALUE_INVALID',
    actor: 'record',
    message: `${serde} serde: ${message}`,
    remedy,
    contents: contentsOfValue('value', value),
  })
