import { ByteReader, ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { bytesEqual, copyBytes, utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { Header, Headers } from '../topic/headers.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import { changesValues, deserialized, markChanging, serialized } from '../topic/serde.ts'

/**
 * An update of a table that waits in a suppression: the row as it was before the first update that waits, the last
 * update, and where that came from, so that the result leaves with its time and headers.
 */
export interface BufferedChange {
  readonly timestamp: number
  readonly offset: number
  readonly topic: string
  readonly partition: number
  readonly headers: Headers
  /** What a lookup of the row sees while the update waits. */
  readonly priorValue: unknown
  readonly oldValue: unknown
  readonly newValue: unknown
  /** When its turn is counted from: the window's end, or the time of the first update that waits. */
  readonly bufferTimeMs: number
}

export interface BufferedChangeSerde extends AnySerde {
  /** Of the table's values. */
  readonly inner: AnySerde
}

/**
 * As Kafka Streams keeps it on the changelog of a suppression (version 3, which its header `v` says): the context (time
 * i64, offset i64, topic, partition i32, headers), the prior, old and new values, and the buffer time i64. Texts and
 * values stand behind their length as i32, -1 for null; -2 says that the old value is the prior one.
 */
export const bufferedChangeSerde = (value: AnySerde): BufferedChangeSerde => {
  const inner = value as unknown as Serde<unknown>
  const bytesOf = (part: unknown): Bytes | null =>
    part === null || part === undefined ? null : serialized(inner, part)
  return {
    name: `bufferedChange(${value.name})`,
    nullable: false,
    inner: value,
    serialize: markChanging((change: BufferedChange) => {
      const prior = bytesOf(change.priorValue)
      const old = bytesOf(change.oldValue)
      const writer = new ByteWriter()
        .int64(change.timestamp)
        .int64(change.offset)
        .sized(utf8Encode(change.topic))
        .int32(change.partition)
        .int32(change.headers.length)
      for (const [name, content] of change.headers) writer.sized(utf8Encode(name)).sized(content)
      writer.sized(prior)
      if (old !== null && bytesEqual(old, prior)) writer.int32(samePrior)
      else writer.sized(old)
      return writer.sized(bytesOf(change.newValue)).int64(change.bufferTimeMs).finish()
    }, changesValues(value)),
    deserialize: (source: Bytes, start: number, end: number) => read(inner, source, start, end),
  }
}

/**
 * The bytes that an update counts for `maxBytes`, without its key: Kafka Streams' estimate of its memory. An old value
 * equal to the prior one counts once.
 */
export const bufferedSizeOf = ({ inner }: BufferedChangeSerde, change: BufferedChange): number => {
  const serde = inner as unknown as Serde<unknown>
  const bytesOf = (part: unknown): Bytes | null =>
    part === null || part === undefined ? null : serialized(serde, part)
  const prior = bytesOf(change.priorValue)
  const old = bytesOf(change.oldValue)
  const values = [prior, bytesEqual(old, prior) ? null : old, bytesOf(change.newValue)]
  const headers = change.headers.reduce(
    (size, [name, content]) => size + name.length + (content?.length ?? 0),
    0,
  )
  return (
    fixedFieldsSize +
    change.topic.length +
    headers +
    values.reduce((size, bytes) => size + (bytes?.length ?? 0), 0)
  )
}

/** Buffer time, timestamp and offset (8 bytes each), and the partition (4 bytes). */
const fixedFieldsSize = 28

/** What the changelog records of a suppression carry, so that Kafka Streams knows how to read them. */
export const bufferedChangeHeaders: Headers = [['v', Uint8Array.of(3)]]

const samePrior = -2

const read = (serde: Serde<unknown>, source: Bytes, start: number, end: number): BufferedChange => {
  const reader = new ByteReader(source, start, end)
  const readText = (): string => utf8Decode(reader.bytes(reader.int32()))
  const readBytes = (): Bytes | null => {
    const bytes = reader.sized()
    return bytes === null ? null : copyBytes(bytes)
  }
  const readValue = (prior: unknown): unknown => {
    const length = reader.int32()
    if (length === samePrior) return prior
    if (length < 0) return null
    const from = reader.skip(length)
    return deserialized(serde, source, from, from + length)
  }
  const context = {
    timestamp: reader.int64(),
    offset: reader.int64(),
    topic: readText(),
    partition: reader.int32(),
  }
  const headers = reader.items(headerBytes, (): Header => [readText(), readBytes()])
  const priorValue = readValue(null)
  const oldValue = readValue(priorValue)
  return {
    ...context,
    headers,
    priorValue,
    oldValue,
    newValue: readValue(null),
    bufferTimeMs: reader.int64(),
  }
}

/** The lengths of a header's name and value. */
const headerBytes = 8
