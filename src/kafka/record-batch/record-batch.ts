import type { Bytes } from '../../base/bytes.ts'
import type { Fault } from '../../base/fault.ts'
import {
  attributesAt,
  baseTimestampAt,
  compressionMask,
  controlFlag,
  crcAt,
  headerLength,
  lastOffsetDeltaAt,
  lengthAt,
  logAppendTimeFlag,
  magicAt,
  maxTimestampAt,
  producerIdAt,
  readInt16,
  readInt32,
  readInt64,
  recordCountAt,
  transactionalFlag,
} from './batch-header.ts'
import type { BatchPlace } from './corrupt-batch.ts'
import { corruptBatch } from './corrupt-batch.ts'
import { crc32c } from './crc32c.ts'

/** The header of a batch, and where its records stand in `source`. */
export interface RecordBatch {
  readonly source: Bytes
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly codec: number
  readonly count: number
  readonly baseTimestamp: number
  /** The time of all records where the broker sets it. */
  readonly appendTime: number | undefined
  readonly producerId: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly place: BatchPlace
}

export const offsetAfter = ({ baseOffset, lastOffsetDelta }: RecordBatch): number =>
  baseOffset + lastOffsetDelta + 1

/** A batch that is not whole may come as a whole where more bytes are asked for. */
export type BatchProblem =
  | { readonly kind: 'corrupt'; readonly fault: Fault }
  | { readonly kind: 'cut'; readonly sizeInBytes: number }

export interface HeaderOptions {
  /** Defaults to true, as `check.crcs` does. */
  readonly checkCrcs?: boolean | undefined
  /** Named in faults. */
  readonly topic?: string | undefined
  readonly partition?: number | undefined
}

/** Reads the header at `start`; the bytes of the response end at `responseEnd`, and `nextOffset` is expected. */
export const readBatchHeader = (
  source: Bytes,
  start: number,
  responseEnd: number,
  nextOffset: number,
  { topic, partition, checkCrcs = true }: HeaderOptions,
): RecordBatch | BatchProblem => {
  const bytesLeft = responseEnd - start
  const end =
    bytesLeft < lengthAt + 4 ? responseEnd + 1 : start + lengthAt + 4 + readInt32(source, start + lengthAt)
  if (bytesLeft < headerLength) return { kind: 'cut', sizeInBytes: Math.max(headerLength, end - start) }
  const baseOffset = readInt64(source, start)
  const lastOffsetDelta = readInt32(source, start + lastOffsetDeltaAt)
  const afterBatch = baseOffset + lastOffsetDelta + 1
  const place = { topic, partition, offset: nextOffset, nextOffset: Math.max(afterBatch, nextOffset + 1) }
  const corrupt = (why: string): BatchProblem => ({ kind: 'corrupt', fault: corruptBatch(place, why) })
  const magic = source[start + magicAt]
  if (magic !== 2) return corrupt(`its format is ${magic}, and only 2 is read`)
  if (end - start < headerLength) return corrupt('it is shorter than its header')
  if (end > responseEnd) return { kind: 'cut', sizeInBytes: end - start }
  if (checkCrcs && crc32c(source, start + attributesAt, end) !== readInt32(source, start + crcAt) >>> 0)
    return corrupt('its checksum is wrong')
  const attributes = readInt16(source, start + attributesAt)
  const count = readInt32(source, start + recordCountAt)
  const codec = attributes & compressionMask
  if (baseOffset < 0 || lastOffsetDelta < 0 || count < 0) return corrupt('its header has a negative number')
  if (codec === 0 && !hasRoomFor(count, end - start - headerLength)) return corrupt(noRoom)
  return {
    source,
    start,
    end,
    baseOffset,
    lastOffsetDelta,
    codec,
    count,
    baseTimestamp: readInt64(source, start + baseTimestampAt),
    appendTime:
      (attributes & logAppendTimeFlag) === 0 ? undefined : readInt64(source, start + maxTimestampAt),
    producerId: readInt64(source, start + producerIdAt),
    isTransactional: (attributes & transactionalFlag) !== 0,
    isControl: (attributes & controlFlag) !== 0,
    place,
  }
}

export const noRoom = 'it has no room for as many records as its header says'

/** False where so many records are more than the bytes can hold, decompressed: nothing is allocated for them. */
export const hasRoomFor = (count: number, sizeInBytes: number): boolean =>
  count * smallestRecordBytes <= sizeInBytes

/** A record's length, attributes, time and offset, and three parts of no bytes. */
const smallestRecordBytes = 7
