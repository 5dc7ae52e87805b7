import type { Bytes } from '../../base/bytes.ts'
import { crc32c } from '../../base/crc32c.ts'
import { getInt64, setInt64 } from '../protocol/int64.ts'

/**
 * The header of a record batch (magic 2), read and patched in place. Base offset and leader epoch lie outside the
 * checksum on purpose: a broker fills them in without touching the rest.
 */
export const BATCH_HEADER_LENGTH = 61
export const NO_PRODUCER_ID = -1

const COMPRESSION_MASK = 7
const LOG_APPEND_TIME = 8
const TRANSACTIONAL = 16
const CONTROL = 32
export const ZSTD = 4

export interface BatchHeader {
  readonly baseOffset: number
  readonly sizeInBytes: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

const viewOf = (bytes: Bytes): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The length of the batch whose header this is, as the header says it. */
export const sizeOfBatch = (header: Bytes): number => viewOf(header).getInt32(8) + 12

/** Reads the batch that starts at `at`; undefined where the bytes end before the batch does. */
export const readBatchHeader = (bytes: Bytes, at = 0): BatchHeader | undefined => {
  if (at + BATCH_HEADER_LENGTH > bytes.length) return undefined
  const view = viewOf(bytes)
  const sizeInBytes = view.getInt32(at + 8) + 12
  if (sizeInBytes < BATCH_HEADER_LENGTH || at + sizeInBytes > bytes.length) return undefined
  return {
    baseOffset: getInt64(view, at),
    sizeInBytes,
    magic: view.getInt8(at + 16),
    crc: view.getUint32(at + 17),
    attributes: view.getInt16(at + 21),
    lastOffsetDelta: view.getInt32(at + 23),
    baseTimestamp: getInt64(view, at + 27),
    maxTimestamp: getInt64(view, at + 35),
    producerId: getInt64(view, at + 43),
    producerEpoch: view.getInt16(at + 51),
    baseSequence: view.getInt32(at + 53),
    recordCount: view.getInt32(at + 57),
  }
}

export const compressionOf = (header: BatchHeader): number => header.attributes & COMPRESSION_MASK
export const isLogAppendTime = (header: BatchHeader): boolean => (header.attributes & LOG_APPEND_TIME) !== 0
export const isTransactional = (header: BatchHeader): boolean => (header.attributes & TRANSACTIONAL) !== 0
export const isControl = (header: BatchHeader): boolean => (header.attributes & CONTROL) !== 0

/** Sequences wrap from 2^31 - 1 to 0. */
const SEQUENCE_COUNT = 2 ** 31

export const sequenceAfter = (sequence: number, increment: number): number =>
  (sequence + increment) % SEQUENCE_COUNT

export const lastSequenceOf = (header: BatchHeader): number =>
  header.producerId === NO_PRODUCER_ID ? -1 : sequenceAfter(header.baseSequence, header.lastOffsetDelta)

export const checksumHolds = (bytes: Bytes, header: BatchHeader): boolean =>
  crc32c(bytes, 21, header.sizeInBytes) === header.crc

export const patchOffset = (bytes: Bytes, baseOffset: number, leaderEpoch: number): void => {
  const view = viewOf(bytes)
  setInt64(view, 0, baseOffset)
  view.setInt32(12, leaderEpoch)
}

/** `message.timestamp.type=LogAppendTime`: the broker's time replaces the producer's, and the checksum follows. */
export const patchLogAppendTime = (bytes: Bytes, timestamp: number): void => {
  const view = viewOf(bytes)
  view.setInt16(21, view.getInt16(21) | LOG_APPEND_TIME)
  setInt64(view, 35, timestamp)
  view.setUint32(17, crc32c(bytes, 21))
}

/** The end of a transaction in one partition: a control batch of one record, which clients act on and never show. */
export const transactionMarker = (
  commit: boolean,
  producerId: number,
  producerEpoch: number,
  coordinatorEpoch: number,
  timestamp: number,
): Bytes => {
  // One record: length, attributes, two deltas, key (version 0, type), value (version 0, coordinator epoch), headers.
  const record = [32, 0, 0, 0, 8, 0, 0, 0, commit ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0]
  const bytes = new Uint8Array(BATCH_HEADER_LENGTH + record.length)
  bytes.set(record, BATCH_HEADER_LENGTH)
  const view = viewOf(bytes)
  view.setInt32(BATCH_HEADER_LENGTH + 12, coordinatorEpoch)
  view.setInt32(8, bytes.length - 12)
  view.setInt8(16, 2)
  view.setInt16(21, TRANSACTIONAL | CONTROL)
  for (const at of [27, 35]) setInt64(view, at, timestamp)
  setInt64(view, 43, producerId)
  view.setInt16(51, producerEpoch)
  view.setInt32(53, -1)
  view.setInt32(57, 1)
  view.setUint32(17, crc32c(bytes, 21))
  return bytes
}

/** True for a commit, false for an abort; undefined for a control batch of another kind. */
export const markerOutcome = (bytes: Bytes): boolean | undefined => {
  const type = viewOf(bytes).getInt16(BATCH_HEADER_LENGTH + 7)
  return type === 1 ? true : type === 0 ? false : undefined
}
