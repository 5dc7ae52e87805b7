import { ByteReader, ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import { isFault } from '../base/fault.ts'
import { uuidBytes, uuidDecode, uuidEncode } from '../base/uuid.ts'

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
  const writer = new ByteWriter().byte(currentVersion).int64(partitionTimeMs)
  if (processors.size > 0 || topic !== undefined) writer.int32(processors.size)
  for (const [name, value] of processors) writer.sized(utf8Encode(name)).int64(value)
  if (topic !== undefined) writer.bytes(uuidEncode(topic.id)).int32(topic.partitions)
  return base64Encode(writer.finish())
}

/** Reads it again; what is not of this kind says nothing, as any client may commit any text for the group. */
export const decodeOffsetMetadata = (metadata: string | null | undefined): OffsetMetadata => {
  try {
    return read(Buffer.from(metadata ?? '', 'base64'))
  } catch (error) {
    if (isFault(error, 'BYTES_MALFORMED')) return nothingKnown
    throw error
  }
}

const read = (bytes: Bytes): OffsetMetadata => {
  const reader = new ByteReader(bytes)
  const version = reader.byte()
  if (version !== 1 && version !== currentVersion) return nothingKnown
  const partitionTimeMs = reader.int64()
  if (version !== currentVersion || reader.position === bytes.length)
    return { partitionTimeMs, processors: new Map() }
  const processors = new Map(
    reader.items(processorBytes, () => [utf8Decode(reader.bytes(reader.int32())), reader.int64()] as const),
  )
  const topic = bytes.length - reader.position === topicBytes ? readTopic(reader) : undefined
  return { partitionTimeMs, processors, topic }
}

const currentVersion = 2
const nothingKnown: OffsetMetadata = { partitionTimeMs: -1, processors: new Map() }

/** What a number takes at the least: the length of its name, and itself. */
const processorBytes = 12
const topicBytes = uuidBytes + 4

const readTopic = (reader: ByteReader): CommittedTopic => {
  const id = uuidDecode(reader.bytes(uuidBytes))
  return { id, partitions: reader.int32() }
}

const base64Encode = (bytes: Bytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
