import type { Bytes } from '../../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../../base/bytes.ts'
import { readInt16, readInt32, writeInt16, writeInt32 } from '../record-batch/batch-header.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic } from '../topic-partition.ts'

/**
 * What members of a group of protocol type `consumer` tell each other, as Kafka's own consumers encode it, so that
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

export const decodeSubscription = (source: Bytes): Subscription => {
  const reader = new ProtocolReader(source)
  const version = reader.int16()
  const topics = Array.from({ length: reader.int32() }, () => reader.string())
  const userData = reader.bytes()
  const ownedPartitions = version >= 1 ? reader.partitions() : []
  return { topics, userData, ownedPartitions, generationId: version >= 2 ? reader.int32() : -1 }
}

export const encodeAssignment = ({ partitions, userData }: Assignment): Bytes =>
  new ProtocolWriter().int16(0).partitions(partitions).bytes(userData).done()

/** An empty array, which a member without assignment may get, is an empty assignment. */
export const decodeAssignment = (source: Bytes): Assignment => {
  if (source.length === 0) return { partitions: [], userData: null }
  const reader = new ProtocolReader(source)
  reader.int16()
  return { partitions: reader.partitions(), userData: reader.bytes() }
}

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

class ProtocolReader {
  readonly #source: Bytes
  #position = 0

  constructor(source: Bytes) {
    this.#source = source
  }

  int16(): number {
    this.#position += 2
    return readInt16(this.#source, this.#position - 2)
  }

  int32(): number {
    this.#position += 4
    return readInt32(this.#source, this.#position - 4)
  }

  string(): string {
    const length = this.int16()
    this.#position += length
    return utf8Decode(this.#source, this.#position - length, this.#position)
  }

  bytes(): Bytes | null {
    const length = this.int32()
    if (length < 0) return null
    this.#position += length
    return new Uint8Array(this.#source.subarray(this.#position - length, this.#position))
  }

  partitions(): readonly TopicPartition[] {
    return Array.from({ length: this.int32() }, () => this.#partitionsOfTopic()).flat()
  }

  #partitionsOfTopic(): TopicPartition[] {
    const topic = this.string()
    return Array.from({ length: this.int32() }, () => ({ topic, partition: this.int32() }))
  }
}
