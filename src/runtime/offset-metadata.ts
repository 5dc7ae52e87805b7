import { utf8Decode, utf8Encode } from '../base/bytes.ts'

/**
 * What Kafka Streams commits beside an offset (`TopicPartitionMetadata`, version 2): the partition's time, so that a
 * timestamp extractor finds it again after a restart, and numbers of processors, so that a window that was told once it
 * had closed is not told again. base64 of 02, the time as 64 bits, and where there are numbers their count as 32 bits
 * and for each its name (a length as 32 bits, UTF-8) and 64 bits. The numbers belong to the task and stand beside every
 * one of its offsets.
 */
export const encodeOffsetMetadata = (
  partitionTimeMs: number,
  processors: ReadonlyMap<string, number> = new Map(),
): string => {
  const entries = [...processors].map(([name, value]) => ({ name: utf8Encode(name), value }))
  const size = entries.reduce((sum, { name }) => sum + 12 + name.length, entries.length === 0 ? 9 : 13)
  const bytes = Buffer.alloc(size)
  bytes[0] = version
  bytes.writeBigInt64BE(BigInt(partitionTimeMs), 1)
  if (entries.length > 0) bytes.writeInt32BE(entries.length, 9)
  let position = 13
  for (const { name, value } of entries) {
    position = bytes.writeInt32BE(name.length, position)
    bytes.set(name, position)
    position = bytes.writeBigInt64BE(BigInt(value), position + name.length)
  }
  return bytes.toString('base64')
}

/** The partition's time; -1 where the metadata is not of this kind. */
export const decodeOffsetMetadata = (metadata: string | null | undefined): number => {
  const bytes = bytesOf(metadata)
  return bytes === undefined ? -1 : Number(bytes.readBigInt64BE(1))
}

/** The numbers of processors; none where the metadata is not of this kind. */
export const decodeProcessorMetadata = (metadata: string | null | undefined): ReadonlyMap<string, number> => {
  const bytes = bytesOf(metadata)
  const numbers = new Map<string, number>()
  if (bytes === undefined || bytes[0] !== version || bytes.length < 13) return numbers
  let position = 13
  for (let count = bytes.readInt32BE(9); count > 0 && position + 12 <= bytes.length; count--) {
    const nameEnd = position + 4 + bytes.readInt32BE(position)
    if (nameEnd + 8 > bytes.length) break
    numbers.set(utf8Decode(bytes, position + 4, nameEnd), Number(bytes.readBigInt64BE(nameEnd)))
    position = nameEnd + 8
  }
  return numbers
}

const version = 2

const bytesOf = (metadata: string | null | undefined): Buffer | undefined => {
  const bytes = Buffer.from(metadata ?? '', 'base64')
  return bytes.length >= 9 && (bytes[0] === 1 || bytes[0] === version) ? bytes : undefined
}
