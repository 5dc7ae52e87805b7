import type { Bytes } from '../../base/bytes.ts'
import { isLogAppendTime, type BatchHeader } from './record-batch.ts'
import { visitRecords, type Decompress } from './records.ts'

/** A batch where it lies in memory. */
export interface StoredBatch {
  readonly header: BatchHeader
  readonly baseOffset: number
  readonly lastOffset: number
  readonly block: Bytes
  readonly position: number
  /** How many bytes were appended before this batch, ever: differences are sizes of ranges. */
  readonly bytesBefore: number
}

export interface TimestampedOffset {
  readonly offset: number
  readonly timestamp: number
}

export const bytesOf = ({ block, position, header }: StoredBatch): Bytes =>
  block.subarray(position, position + header.sizeInBytes)

/** The first record of the batch from `fromOffset` on that is not older than `timestamp`. */
export const firstAtOrAfter = (
  batch: StoredBatch,
  timestamp: number,
  fromOffset: number,
  decompress: Decompress,
): TimestampedOffset | undefined => {
  const { header, baseOffset } = batch
  let found: TimestampedOffset | undefined
  const visited = visitRecords(bytesOf(batch), header, decompress, ({ offsetDelta, timestampDelta }) => {
    const offset = baseOffset + offsetDelta
    const at = isLogAppendTime(header) ? header.maxTimestamp : header.baseTimestamp + timestampDelta
    if (at >= timestamp && offset >= fromOffset) found = { offset, timestamp: at }
    return found === undefined
  })
  // A codec that cannot be read: the batch is the best answer there is, and readers skip what is too early.
  return visited === undefined ? { offset: baseOffset, timestamp: header.baseTimestamp } : found
}
