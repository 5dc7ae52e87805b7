import { concatBytes, utf8Decode, utf8Encode } from '../base/bytes.ts'

/** What is committed beside an offset. */
export interface OffsetMetadata {
  /** The largest timestamp taken from the partition; -1 where it is not known. */
  readonly partitionTimeMs: number
  /** Numbers that nodes keep, by store. */
  readonly processors: ReadonlyMap<string, number>
  /** The topic that the offset belongs to; undefined where it is not known. */
  readonly topic?: CommittedTopic | undefined
}

export interface CommittedTopic {
  readonly id: string
  readonly partitions: number
}

/**
 * The text Kafka Streams commits beside an offset (`TopicPartitionMetadata`, version 2), so that time does not go back
 * over a restart: base64 of 02, the partition's time as 64 bits, and where nodes keep numbers, a count and for each the
 * length of its name, the name and 64 bits. The 16 bytes of the topic's id and its partitions as 32 bits follow, which
 * Kafka Streams does not read.
 */
export const encodeOffsetMetadata = ({ partitionTimeMs, processors, topic }: OffsetMetadata): string => {
  const parts: Uint8Array[] = [Uint8Array.of(currentVersion), int64(partitionTimeMs)]
  if (processors.size > 0 || topic !== undefined) parts.push(int32(processors.size))
  for (const [name, value] of processors) {
    const bytes = utf8Encode(name)
    parts.push(int32(bytes.length), bytes, int64(value))
  }
  if (topic !== undefined)
    parts.push(Buffer.from(topic.id.replaceAll('-', ''), 'hex'), int32(topic.partitions))
  return Buffer.from(concatBytes(...parts)).toString('base64')
}

/** Reads it again; what is not of this kind says nothing. */
export const decodeOffsetMetadata = (metadata: string | null | undefined): OffsetMetadata => {
  const bytes = Buffer.from(metadata ?? '', 'base64')
  const version = bytes[0]
  if (bytes.length < headerLength || (version !== 1 && version !== currentVersion)) return nothingKnown
  const processors = new Map<string, number>()
  const partitionTimeMs = Number(bytes.readBigInt64BE(1))
  if (version !== currentVersion || bytes.length === headerLength) return { partitionTimeMs, processors }
  const end = readProcessors(bytes, processors)
  return { partitionTimeMs, processors, topic: readTopic(bytes, end) }
}

const currentVersion = 2
const headerLength = 9
const nothingKnown: OffsetMetadata = { partitionTimeMs: -1, processors: new Map() }

/** Returns where they end. */
const readProcessors = (bytes: Buffer, into: Map<string, number>): number => {
  let position = headerLength + 4
  for (let left = bytes.readInt32BE(headerLength); left > 0; left--) {
    const nameEnd = position + 4 + bytes.readInt32BE(position)
    into.set(utf8Decode(bytes, position + 4, nameEnd), Number(bytes.readBigInt64BE(nameEnd)))
    position = nameEnd + 8
  }
  return position
}

const topicIdLength = 16

const readTopic = (bytes: Buffer, at: number): CommittedTopic | undefined => {
  const end = at + topicIdLength
  if (bytes.length !== end + 4) return undefined
  const id = bytes.toString('hex', at, end).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
  return { id, partitions: bytes.readInt32BE(end) }
}

const int32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value)
  return bytes
}

const int64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value))
  return bytes
}
