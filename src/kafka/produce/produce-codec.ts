import type { Bytes } from '../../base/bytes.ts'
import type { Api } from '../apis.ts'
import { WireReader, WireWriter } from '../wire-bytes.ts'

/** Produce 11, and 12 with the same bytes, which lets transactions of version 2 add partitions by themselves. */
export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly acks: number
  readonly timeoutMs: number
  readonly topics: readonly ProduceTopic[]
  /** About how many bytes it will take, to allocate once. */
  readonly sizeInBytes: number
}

export interface ProduceTopic {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly batch: Bytes }[]
}

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
  /** Where the broker says which records of the batch it refuses. */
  readonly recordErrors: readonly RecordError[]
  /** The offset of the batch's first record; -1 where the broker does not say. */
  readonly baseOffset: number
}

/** Why one record was refused, by its place in the batch. */
export interface RecordError {
  readonly index: number
  readonly message: string | null
}

const encodeProduce = (request: ProduceRequest): Bytes => {
  const writer = new WireWriter(request.sizeInBytes + 256)
  writer.compactString(request.transactionalId).int16(request.acks).int32(request.timeoutMs)
  writer.compactArray(request.topics, ({ topic, partitions }) => {
    writer.compactString(topic)
    writer.compactArray(partitions, ({ partition, batch }) => {
      writer.int32(partition).compactBytes(batch).noTags()
    })
    writer.noTags()
  })
  return writer.noTags().bytes
}

const decodeProduce = (body: Bytes): readonly ProducedPartition[] => {
  const reader = new WireReader(body)
  const produced: ProducedPartition[] = []
  reader.compactArray(() => {
    const topic = reader.compactString() ?? ''
    reader.compactArray(() => produced.push(decodePartition(reader, topic)))
    reader.skipTags()
  })
  return produced
}

const decodePartition = (reader: WireReader, topic: string): ProducedPartition => {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.int64()
  reader.int64() // log append time
  reader.int64() // log start offset
  const recordErrors = reader.compactArray(() => {
    const index = reader.int32()
    const message = reader.compactString()
    reader.skipTags()
    return { index, message }
  })
  const errorMessage = reader.compactString() ?? recordErrors.find(({ message }) => message !== null)?.message
  reader.skipTags()
  return { topic, partition, errorCode, errorMessage: errorMessage ?? null, baseOffset, recordErrors }
}

const produceApi = (version: number): Api<[ProduceRequest], readonly ProducedPartition[]> => ({
  name: 'Produce',
  key: 0,
  version,
  encode: encodeProduce,
  decode: decodeProduce,
  taggedRequestHeader: true,
  taggedResponseHeader: true,
})

export const produceV11Api: Api<[ProduceRequest], readonly ProducedPartition[]> = produceApi(11)
export const produceV12Api: Api<[ProduceRequest], readonly ProducedPartition[]> = produceApi(12)
