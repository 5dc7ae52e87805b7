import type { Bytes } from '../../base/bytes.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
import { headerLength } from './batch-header.ts'
import { decompress } from './compression.ts'
import type { BatchPlace } from './corrupt-batch.ts'
import { corruptBatch, notDecompressed } from './corrupt-batch.ts'
import type { RecordBatch } from './record-batch.ts'
import { hasRoomFor, noRoom } from './record-batch.ts'
import { RecordRows } from './record-rows.ts'
import type { ScanOptions } from './scan-batches.ts'
import { scanBatches } from './scan-batches.ts'

/**
 * Reads batches into columns: positions only, nothing is decoded or copied (compressed batches excepted). Throws where the
 * first one cannot be read.
 */
export interface ReadRecords {
  readonly columns: RecordColumns
  /** Where to go on: after the last whole batch, or `fetchOffset` where there was none. */
  readonly nextOffset: number
}

export const readRecords = (source: Bytes, start: number, end: number, options: ScanOptions): ReadRecords => {
  const { batches, nextOffset, problem } = scanBatches(source, start, end, options)
  if (batches.length === 0 && problem?.kind === 'corrupt') throw problem.fault
  return { columns: readBatches(source, batches, options.fetchOffset), nextOffset }
}

const readBatches = (source: Bytes, batches: readonly RecordBatch[], fetchOffset: number): RecordColumns => {
  const isCompressed = batches.some(({ codec }) => codec !== 0)
  const { buffer, sections } = isCompressed ? joined(batches) : asTheyAre(source, batches)
  const rows = new RecordRows(
    buffer,
    batches.reduce((sum, { count }) => sum + count, 0),
  )
  batches.forEach((batch, index) => {
    const { start, end } = sections[index] as Section
    rows.read(batch, start, end, batch.count, fetchOffset)
  })
  return rows.columns()
}

/** Where the records of a batch stand in the buffer of the columns. */
interface Section {
  readonly start: number
  readonly end: number
}

interface Sections {
  readonly buffer: Bytes
  readonly sections: readonly Section[]
}

const asTheyAre = (source: Bytes, batches: readonly RecordBatch[]): Sections => ({
  buffer: source,
  sections: batches.map(({ start, end }) => ({ start: start + headerLength, end })),
})

const joined = (batches: readonly RecordBatch[]): Sections => {
  const parts = batches.map(recordsOf)
  const buffer = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let position = 0
  const sections = parts.map((part) => {
    buffer.set(part, position)
    position += part.length
    return { start: position - part.length, end: position }
  })
  return { buffer, sections }
}

/** The bytes of the records of a batch, decompressed. */
const recordsOf = (batch: RecordBatch): Bytes => {
  const { source, start, end, codec, count, place } = batch
  const bytes = source.subarray(start + headerLength, end)
  if (codec === 0) return bytes
  const records = decompressOrFail(codec, bytes, place)
  if (!hasRoomFor(count, records.length)) throw corruptBatch(place, noRoom)
  return records
}

const decompressOrFail = (codec: number, bytes: Bytes, place: BatchPlace): Bytes => {
  try {
    return decompress(codec, bytes)
  } catch (cause) {
    throw notDecompressed(place, cause)
  }
}
