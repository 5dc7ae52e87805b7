import type { Bytes } from '../../base/bytes.ts'
import { BATCH_HEADER_LENGTH, checksumHolds, readBatchHeader, sizeOfBatch } from '../log/record-batch.ts'

/** A partition's file, read in pieces. */
export interface LogReader {
  readonly length: number
  read(position: number, length: number): Bytes
}

/** Where and why the batches of a file end before the file does. */
export interface LogDamage {
  readonly position: number
  readonly offset: number
  /** Undefined where nothing but zeros follows. */
  readonly problem: string | undefined
}

/** No request is larger, so no batch is. */
const LARGEST_BATCH_BYTES = 104857600

/**
 * The batches of a log as they were appended, one at a time, so that its size does not matter. Ends at the first batch
 * that is not what was written, which `damaged` then describes: offsets behind it cannot be trusted.
 */
export function* recoverBatches(
  log: LogReader,
  logStartOffset: number,
  damaged: (damage: LogDamage) => void,
): Generator<Bytes> {
  let offset = 0
  for (let position = 0; position < log.length;) {
    const batch = readBatch(log, position)
    const problem = typeof batch === 'string' ? batch : problemOf(batch, offset, logStartOffset)
    if (typeof batch === 'string' || problem !== undefined) {
      // Zeros are what a killed process leaves of a write that it did not begin: nothing of it was acknowledged.
      if (isEmpty(log, position)) damaged({ position, offset, problem: undefined })
      else damaged({ position, offset, problem })
      return
    }
    yield batch
    const header = readBatchHeader(batch)
    offset = (header?.baseOffset ?? 0) + (header?.lastOffsetDelta ?? 0) + 1
    position += batch.length
  }
}

const readBatch = (log: LogReader, position: number): Bytes | string => {
  if (log.length - position < BATCH_HEADER_LENGTH) return 'the last batch was not written to its end'
  const size = sizeOfBatch(log.read(position, BATCH_HEADER_LENGTH))
  if (size < BATCH_HEADER_LENGTH || size > LARGEST_BATCH_BYTES) return 'the length of the batch is damaged'
  if (size > log.length - position) return 'the last batch was not written to its end'
  return log.read(position, size)
}

const isEmpty = (log: LogReader, position: number): boolean => {
  const rest = Math.min(log.length - position, LARGEST_ZERO_TAIL)
  return rest === log.length - position && log.read(position, rest).every((byte) => byte === 0)
}

const LARGEST_ZERO_TAIL = 1 << 20

const problemOf = (batch: Bytes, offset: number, logStartOffset: number): string | undefined => {
  const header = readBatchHeader(batch)
  if (header === undefined || header.magic !== 2) return 'the header of the batch is damaged'
  if (!checksumHolds(batch, header)) return 'the checksum (CRC) of the batch does not hold'
  // After a loss that DeleteRecords had made irrelevant, the log continues at its start offset.
  const follows =
    header.baseOffset === offset || (header.baseOffset > offset && header.baseOffset <= logStartOffset)
  return follows ? undefined : `the batch says offset ${header.baseOffset}`
}
