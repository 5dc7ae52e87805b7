import type { Bytes } from '../../base/bytes.ts'
import type { Api } from '../apis.ts'
import type { AbortedTransaction } from '../record-batch/scan-batches.ts'
import { WireReader, WireWriter } from '../wire-bytes.ts'

/**
 * Fetch 17, by hand: the library's decoder makes an object per record and throws away all partitions where one has an
 * error. Records stay where they are; an answer says from where to where.
 */
export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolationLevel: number
  readonly topics: readonly FetchTopic[]
}

export interface FetchTopic {
  readonly topicId: string
  readonly partitions: readonly FetchPartition[]
}

export interface FetchPartition {
  readonly partition: number
  readonly leaderEpoch: number
  readonly fetchOffset: number
  readonly maxBytes: number
}

export interface FetchResponse {
  readonly errorCode: number
  readonly body: Bytes
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Where the batches stand in `body`. */
  readonly start: number
  readonly end: number
}

/** Without a session: every fetch names all it wants. */
const encodeFetch = (request: FetchRequest): Bytes => {
  const writer = new WireWriter()
  writer.int32(request.maxWaitMs).int32(request.minBytes).int32(request.maxBytes)
  writer.int8(request.isolationLevel).int32(0).int32(-1)
  writer.compactArray(request.topics, (topic) => {
    writer.uuid(topic.topicId)
    writer.compactArray(topic.partitions, (each) => encodePartition(writer, each)).noTags()
  })
  return writer
    .compactArray(noForgottenTopics, () => undefined)
    .compactString('')
    .noTags().bytes
}

const noForgottenTopics: readonly never[] = []

const encodePartition = (writer: WireWriter, each: FetchPartition): void => {
  writer.int32(each.partition).int32(each.leaderEpoch).int64(each.fetchOffset)
  writer.int32(-1).int64(-1).int32(each.maxBytes).noTags()
}

const decodeFetch = (body: Bytes): FetchResponse => {
  const reader = new WireReader(body)
  reader.int32() // throttle time
  const errorCode = reader.int16()
  reader.int32() // session id
  const partitions: FetchedPartition[] = []
  reader.compactArray(() => {
    const topicId = reader.uuid()
    reader.compactArray(() => partitions.push(decodePartition(reader, topicId)))
    reader.skipTags()
  })
  return { errorCode, body, partitions }
}

const decodePartition = (reader: WireReader, topicId: string): FetchedPartition => {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.int64()
  const lastStableOffset = reader.int64()
  const logStartOffset = reader.int64()
  const aborted = reader.compactArray(() => {
    const transaction = { producerId: reader.int64(), firstOffset: reader.int64() }
    reader.skipTags()
    return transaction
  })
  reader.int32() // preferred read replica
  const length = Math.max(0, reader.unsignedVarint() - 1)
  const start = reader.skip(length)
  reader.skipTags()
  return {
    topicId,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    start,
    end: start + length,
  }
}

export const fetchApi: Api<[FetchRequest], FetchResponse> = {
  name: 'Fetch',
  key: 1,
  version: 17,
  encode: encodeFetch,
  decode: decodeFetch,
  taggedRequestHeader: true,
  taggedResponseHeader: true,
}
