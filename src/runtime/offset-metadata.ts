import { concatBytes, utf8Decode, utf8Encode } from '../base/bytes.ts'

/** What is committed beside an offset. */
export interface OffsetMetadata {
  /** The largest timestamp taken from the partition; -1 where it is not known. */
  readonly partitionTimeMs: number
  /** Numbers that nodes keep, by store. */
  readonly processors: ReadonlyMap<string, number>
}

/**
 * The text Kafka Streams commits beside an offset (`TopicPartitionMetadata`, version 2), so that time does not go back
 * over a restart: base64 of 02, the partition's time as 64 bits, and where nodes keep numbers, a count and for each the
 * length of its name, the name and 64 bits.
 */
export const encodeOffsetMetadata = ({ partitionTimeMs, processors }: OffsetMetadata): string => {
  const parts: Uint8Array[] = [Uint8Array.of(currentVersion), int64(partitionTimeMs)]
  if (processors.size > 0) parts.push(int32(processors.size))
  for (const [name, value] of processors) {
    const bytes = utf8Encode(name)
    parts.push(int32(bytes.length), bytes, int64(value))
  }
  return Buffer.from(concatBytes(...parts)).toString('base64')
}

/** Reads it again; what is not of this kind says nothing. */
export const decodeOffsetMetadata = (metadata: string | null | undefined): OffsetMetadata => {
  const bytes = Buffer.from(metadata ?? '', 'base64')
  const version = bytes[0]
  if (bytes.length < headerLength || (version !== 1 && version !== currentVersion)) return nothingKnown
  const processors = new Map<string, number>()
  if (version === currentVersion && bytes.length > headerLength) readProcessors(bytes, processors)
  return { partitionTimeMs: Number(bytes.readBigInt64BE(1)), processors }
}

const currentVersion = 2
const headerLength = 9
const nothingKnown: OffsetMetadata = { partitionTimeMs: -1, processors: new Map() }

const readProcessors = (bytes: Buffer, into: Map<string, number>): void => {
  let position = headerLength + 4
  for (let left = bytes.readInt32BE(headerLength); left > 0; left--) {
    const nameEnd = position + 4 + bytes.readInt32BE(position)
    into.set(utf8Decode(bytes, position + 4, nameEnd), Number(bytes.readBigInt64BE(nameEnd)))
    position = nameEnd + 8
  }
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
