import type { Bytes } from '../../base/bytes.ts'
import { utf8Encode } from '../../base/bytes.ts'
import { writeInt16, writeInt32 } from '../record-batch/batch-header.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic } from '../topic-partition.ts'
import { WireReader } from '../wire-bytes.ts'

/**
 * The data that members of a group of protocol type `consumer` exchange, as Kafka's own consumers encode it, so that
 * Kafka's tools can show who reads what. The user data in it is Millrace's own.
 */
export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Bytes | null
  /** What the member holds from its last generation; cooperative rebalancing builds on it. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** -1 where the member holds nothing. */
  readonly generationId: number
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  readonly userData: Bytes | null
}

export const encodeSubscription = (subscription: Subscription): Bytes => {
  const writer = new ProtocolWriter().int16(3).int32(subscription.topics.length)
  for (const topic of subscription.topics) writer.string(topic)
  writer.bytes(subscription.userData).partitions(subscription.ownedPartitions)
  return writer.int32(subscription.generationId).int16(-1).done()
}

/** Throws `BYTES_MALFORMED` where these are no subscription: any client that may join the group can send any bytes. */
export const decodeSubscription = (source: Bytes): Subscription => {
  const reader = new WireReader(source)
  const version = reader.int16()
  const topics = reader.array(stringBytes, () => reader.string())
  const userData = reader.nullableBytes()
  const ownedPartitions = version >= 1 ? readPartitions(reader) : []
  return { topics, userData, ownedPartitions, generationId: version >= 2 ? reader.int32() : -1 }
}

export const encodeAssignment = ({ partitions, userData }: Assignment): Bytes =>
  new ProtocolWriter().int16(0).partitions(partitions).bytes(userData).done()

/**
 * An empty array, which a member without assignment may get, is an empty assignment. Throws `BYTES_MALFORMED` where these
 * are no assignment.
 */
export const decodeAssignment = (source: Bytes): Assignment => {
  if (source.length === 0) return { partitions: [], userData: null }
  const reader = new WireReader(source)
  reader.int16()
  return { partitions: readPartitions(reader), userData: reader.nullableBytes() }
}

const readPartitions = (reader: WireReader): readonly TopicPartition[] =>
  reader
    .array(stringBytes + countBytes, () => {
      const topic = reader.string()
      return reader.array(partitionBytes, () => ({ topic, partition: reader.int32() }))
    })
    .flat()

/** What a field takes at the least: a text its length, a list its count. */
const stringBytes = 2
const countBytes = 4
const partitionBytes = 4

class ProtocolWriter {
  readonly #parts: Bytes[] = []

  int16(value: number): this {
    const part = new Uint8Array(2)
    writeInt16(part, 0, value)
    this.#parts.push(part)
    return this
  }

  int32(value: number): this {
    const part = new Uint8Array(4)
    writeInt32(part, 0, value)
    this.#parts.push(part)
    return this
  }

  string(text: string): this {
    const bytes = utf8Encode(text)
    this.int16(bytes.length)
    this.#parts.push(bytes)
    return this
  }

  bytes(bytes: Bytes | null): this {
    if (bytes === null) return this.int32(-1)
    this.int32(bytes.length)
    this.#parts.push(bytes)
    return this
  }

  partitions(partitions: readonly TopicPartition[]): this {
    const groups = byTopic(partitions)
    this.int32(groups.size)
    for (const [topic, group] of groups) {
      this.string(topic).int32(group.length)
      for (const { partition } of group) this.int32(partition)
    }
    return this
  }

  done(): Bytes {
    return Buffer.concat(this.#parts)
  }
}
