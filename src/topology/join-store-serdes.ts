import { ByteReader, ByteWriter } from '../base/byte-fields.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { Header, Headers } from '../topic/headers.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { changesValues, deserialized, markChanging, serialized } from '../topic/serde.ts'

/**
 * How the helper stores of joins keep their entries, byte for byte as Kafka Streams does. Both are plain key-value
 * stores whose keys begin with the time, so that their order is the order in which entries leave.
 */

export type JoinSide = 'left' | 'right'

/** Records of a left or outer stream join that have no partner yet, by time, side (right first) and key. */
export interface WaitingKey {
  readonly timestamp: number
  readonly side: JoinSide
  readonly key: unknown
}

/** `time int64 | side (1 left, 0 right) | key`. */
export const waitingKeySerde = (key: AnySerde): Serde<WaitingKey> => ({
  name: `waitingKey(${key.name})`,
  nullable: false,
  serialize: (value) =>
    new ByteWriter()
      .int64(value.timestamp)
      .byte(sideByte(value.side))
      .bytes(serialized(key, value.key as never))
      .finish(),
  deserialize: (source, start, end) => {
    const reader = new ByteReader(source, start, end)
    const timestamp = reader.int64()
    const side = sideOf(reader.byte())
    return { timestamp, side, key: deserialized(key, source, reader.position, end) }
  },
})

/** The values of one waiting key: all of one side, in the order they came. */
export interface WaitingValues {
  readonly side: JoinSide
  readonly values: readonly unknown[]
}

/** `01 | count int32 |` per value `length int32 | side | value`. */
export const waitingValuesSerde = (left: AnySerde, right: AnySerde): Serde<WaitingValues> => ({
  name: `waitingValues(${left.name}, ${right.name})`,
  nullable: false,
  serialize: markChanging(
    ({ side, values }) => {
      const serde = side === 'left' ? left : right
      const writer = new ByteWriter().byte(variableSize).int32(values.length)
      for (const value of values) {
        const bytes = serialized(serde, value as never)
        writer
          .int32(bytes.length + 1)
          .byte(sideByte(side))
          .bytes(bytes)
      }
      return writer.finish()
    },
    changesValues(left) || changesValues(right),
  ),
  deserialize: (source, start, end) => {
    const reader = new ByteReader(source, start + 1, end)
    let side: JoinSide = 'left'
    const values = reader.items(waitingValueBytes, () => {
      const length = reader.int32() - 1
      side = sideOf(reader.byte())
      const valueStart = reader.skip(length)
      return deserialized(side === 'left' ? left : right, source, valueStart, valueStart + length)
    })
    return { side, values }
  },
})

/** Stream records that wait for the past of a versioned table, by time, key and arrival. */
export interface BufferedKey {
  readonly timestamp: number
  readonly key: unknown
  readonly sequence: number
}

/** `00 | time int64 | key | sequence int32`. */
export const bufferedKeySerde = (key: AnySerde): Serde<BufferedKey> => ({
  name: `bufferedKey(${key.name})`,
  nullable: false,
  serialize: (value) =>
    new ByteWriter()
      .byte(timeFirst)
      .int64(value.timestamp)
      .bytes(serialized(key, value.key as never))
      .int32(value.sequence)
      .finish(),
  deserialize: (source, start, end) => {
    const reader = new ByteReader(source, start + 1, end)
    const timestamp = reader.int64()
    const keyStart = reader.skip(end - reader.position - 4)
    return { timestamp, key: deserialized(key, source, keyStart, end - 4), sequence: reader.int32() }
  },
})

/** A buffered record: its value and all else that has to come out again. */
export interface BufferedValue {
  readonly value: unknown
  readonly timestamp: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly headers: Headers
}

/**
 * The context of the record (time, offset, topic, partition, headers), then prior, old and new value, of which a join
 * uses only the last, then a buffer time of 0.
 */
export const bufferedValueSerde = (value: AnySerde): Serde<BufferedValue> => ({
  name: `bufferedValue(${value.name})`,
  nullable: false,
  serialize: markChanging((record) => {
    const writer = new ByteWriter()
      .int64(record.timestamp)
      .int64(record.offset)
      .sized(utf8Encode(record.topic))
      .int32(record.partition)
      .int32(record.headers.length)
    for (const [name, bytes] of record.headers) writer.sized(utf8Encode(name)).sized(bytes)
    return writer
      .sized(null)
      .sized(null)
      .sized(serialized(value, record.value as never))
      .int64(0)
      .finish()
  }, changesValues(value)),
  deserialize: (source, start, end) => {
    const reader = new ByteReader(source, start, end)
    const timestamp = reader.int64()
    const offset = reader.int64()
    const topic = utf8Decode(reader.bytes(reader.int32()))
    const partition = reader.int32()
    const headers = reader.items(headerBytes, () => readHeader(reader))
    reader.sized()
    reader.sized()
    const length = reader.int32()
    const valueStart = reader.skip(length)
    return {
      value: deserialized(value, source, valueStart, valueStart + length),
      timestamp,
      topic,
      partition,
      offset,
      headers,
    }
  },
})

const readHeader = (reader: ByteReader): Header => [utf8Decode(reader.bytes(reader.int32())), reader.sized()]

/** What an item takes at the least: a length and a side; the lengths of a name and a value. */
const waitingValueBytes = 5
const headerBytes = 8

const variableSize = 1
const timeFirst = 0
const sideByte = (side: JoinSide): number => (side === 'left' ? 1 : 0)
const sideOf = (byte: number): JoinSide => (byte === 1 ? 'left' : 'right')
