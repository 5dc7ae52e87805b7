import type { Fault } from '../../base/fault.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
import { decodeHeaders } from '../../topic/record-columns.ts'
import { StreamRecord } from '../../topic/record.ts'
import { bytes } from '../../topic/serdes.ts'
import type { Region, SealedBatch } from '../record-batch/batch-builder.ts'
import { BatchBuilder } from '../record-batch/batch-builder.ts'
import type { Compression } from '../record-batch/compression.ts'
import { readRecords } from '../record-batch/read-records.ts'
import type { PendingBatch } from './partition-queue.ts'
import { pendingBatch } from './partition-queue.ts'
import type { RecordError } from './produce-codec.ts'
import type { RecordSource } from './record-sources.ts'

/** A record that the broker refuses by itself, whatever batch it comes in. */
export interface RefusedRecord {
  /** Names the topic and the partition that it was to be written to. */
  readonly fault: Fault
  /** The record as it was to be written. */
  readonly record: StreamRecord<unknown, unknown>
  /** What it was made from; undefined where no sink wrote it. */
  readonly source: RecordSource | undefined
}

export interface DismantledBatch {
  readonly refused: readonly RefusedRecord[]
  /** What goes again, in order. */
  readonly pieces: readonly PendingBatch[]
  /** How large the batch was before it was compressed. */
  readonly sizeInBytes: number
}

/**
 * Takes a refused batch apart. Records that the broker names are refused, and the others go again as one batch. Where it
 * names none, as with a batch that is too large, each half goes again by itself, down to the single record.
 */
export const dismantle = (
  batch: PendingBatch,
  errors: readonly RecordError[],
  faultOf: (message: string | null) => Fault,
  compression: Compression,
): DismantledBatch => {
  const { sealed, sources } = batch
  const { columns } = readRecords(sealed.bytes, 0, sealed.bytes.length, { fetchOffset: 0 })
  const { refused, again } = splitRefused(columns, errors)
  return {
    refused: Array.from(refused, ([index, message]) => ({
      fault: faultOf(message),
      record: recordAt(columns, index),
      source: sources?.at(index),
    })),
    pieces: again.map((indexes) =>
      pendingBatch(
        sealSome(columns, indexes, compression),
        batch.generation,
        batch.createdMs,
        sources?.only(indexes),
      ),
    ),
    sizeInBytes: columns.buffer.length,
  }
}

interface BatchSplit {
  /** Why, by place in the batch. */
  readonly refused: ReadonlyMap<number, string | null>
  readonly again: readonly (readonly number[])[]
}

const splitRefused = (columns: RecordColumns, errors: readonly RecordError[]): BatchSplit => {
  const { count } = columns
  const named = errors.filter(({ index }) => index >= 0 && index < count)
  const refused = new Map(named.map(({ index, message }) => [index, message]))
  const rest = range(0, count).filter((index) => !refused.has(index))
  if (refused.size > 0) return { refused, again: rest.length === 0 ? [] : [rest] }
  if (count === 1) return { refused: new Map([[0, null]]), again: [] }
  const middle = middleOf(columns)
  return { refused, again: [range(0, middle), range(middle, count)] }
}

/** Where a batch of several records is halved, by size: neither half is empty. */
const middleOf = ({ count, keyStarts, valueEnds }: RecordColumns): number => {
  const start = keyStarts.find((at) => at >= 0) ?? 0
  const half = (start + (valueEnds[count - 1] as number)) / 2
  const middle = valueEnds.findIndex((end) => end > half)
  return Math.min(Math.max(middle, 1), count - 1)
}

const range = (start: number, end: number): readonly number[] =>
  Array.from({ length: end - start }, (_, index) => start + index)

const sealSome = (
  columns: RecordColumns,
  indexes: readonly number[],
  compression: Compression,
): SealedBatch => {
  const builder = new BatchBuilder()
  const { buffer, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = columns
  const regionOf = (start: number, end: number): Region | null => (start < 0 ? null : { buffer, start, end })
  for (const index of indexes) {
    const key = regionOf(keyStarts[index] as number, keyEnds[index] as number)
    const value = regionOf(valueStarts[index] as number, valueEnds[index] as number)
    builder.append(key, value, timestamps[index] as number, decodeHeaders(columns, index))
  }
  return builder.seal(compression)
}

const recordAt = (columns: RecordColumns, index: number): StreamRecord<unknown, unknown> =>
  StreamRecord.read(
    { columns, key: bytes, value: bytes, topic: '', partition: 0 },
    index,
    columns.timestamps[index] as number,
  )
