import type { Bytes } from '../../base/bytes.ts'
import { Fault } from '../../base/fault.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
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
import { decompress } from './compression.ts'
import { crc32c } from './crc32c.ts'

/**
 * Reads the batches that a fetch brought for one partition into columns: positions only, nothing is decoded or copied
 * (compressed batches excepted). Control batches and what was aborted are left out, yet `nextOffset` counts them.
 */
export interface ReadRecordsOptions {
  /** The offset that was asked for; a batch may begin before it. */
  readonly fetchOffset: number
  /** The aborted transactions that the broker named; undefined when reading uncommitted data. */
  readonly aborted?: readonly AbortedTransaction[] | undefined
  readonly checkCrcs?: boolean
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadRecords {
  readonly columns: RecordColumns
  /** Where to go on: after the last whole batch, or `fetchOffset` where there was none. */
  readonly nextOffset: number
}

export const readRecords = (
  source: Bytes,
  start: number,
  end: number,
  options: ReadRecordsOptions,
): ReadRecords => {
  const aborted = new AbortedFilter(options.aborted)
  const batches: Batch[] = []
  let nextOffset = options.fetchOffset
  let position = start
  while (end - position >= headerLength) {
    const batchEnd = position + 12 + readInt32(source, position + lengthAt)
    if (batchEnd > end) break
    const batch = readHeader(source, position, batchEnd, options.checkCrcs === true)
    const afterBatch = batch.baseOffset + batch.lastOffsetDelta + 1
    if (afterBatch > options.fetchOffset && !aborted.skips(batch) && !isControl(batch)) batches.push(batch)
    nextOffset = Math.max(nextOffset, afterBatch)
    position = batchEnd
  }
  return { columns: readBatches(source, batches, options.fetchOffset), nextOffset }
}

interface Batch {
  readonly source: Bytes
  readonly start: number
  readonly end: number
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly attributes: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly count: number
}

const isControl = ({ attributes }: Batch): boolean => (attributes & controlFlag) !== 0

const readHeader = (source: Bytes, start: number, end: number, checkCrc: boolean): Batch => {
  const magic = source[start + magicAt]
  const baseOffset = readInt64(source, start)
  if (magic !== 2) throw corrupt(baseOffset, `its format is ${magic}, and only 2 is read`)
  if (end - start < headerLength) throw corrupt(baseOffset, 'it is shorter than its header')
  if (
    checkCrc &&
    crc32c(source.subarray(start + attributesAt, end)) !== readInt32(source, start + crcAt) >>> 0
  )
    throw corrupt(baseOffset, 'its checksum is wrong')
  return {
    source,
    start,
    end,
    baseOffset,
    lastOffsetDelta: readInt32(source, start + lastOffsetDeltaAt),
    attributes: readInt16(source, start + attributesAt),
    baseTimestamp: readInt64(source, start + baseTimestampAt),
    maxTimestamp: readInt64(source, start + maxTimestampAt),
    producerId: readInt64(source, start + producerIdAt),
    count: readInt32(source, start + recordCountAt),
  }
}

const corrupt = (offset: number, why: string): Fault =>
  new Fault({
    code: 'BATCH_CORRUPT',
    actor: 'runtime',
    message: `a record batch cannot be read: ${why}`,
    place: { offset },
  })

/**
 * Kafka's own rule for reading committed data. An aborted transaction begins to hide its producer's batches at its
 * first offset and ends at that producer's next abort marker; one whose marker lies beyond the response hides them to
 * the end, and one producer may have several.
 */
class AbortedFilter {
  readonly #pending: AbortedTransaction[]
  readonly #hidden = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[] | undefined) {
    this.#pending = [...(aborted ?? [])].sort((left, right) => right.firstOffset - left.firstOffset)
  }

  skips(batch: Batch): boolean {
    const lastOffset = batch.baseOffset + batch.lastOffsetDelta
    for (let next = this.#pending.at(-1); next !== undefined && next.firstOffset <= lastOffset;) {
      this.#hidden.add(next.producerId)
      this.#pending.pop()
      next = this.#pending.at(-1)
    }
    if (!this.#hidden.has(batch.producerId)) return false
    if (isAbortMarker(batch)) this.#hidden.delete(batch.producerId)
    return (batch.attributes & transactionalFlag) !== 0
  }
}

/** A control record's key is a version and a type, both of 16 bits; the type 0 is an abort. */
const isAbortMarker = (batch: Batch): boolean => {
  if (!isControl(batch) || batch.count === 0) return false
  const columns = readBatches(batch.source, [batch], batch.baseOffset)
  return columns.count > 0 && readInt16(columns.buffer, (columns.keyStarts[0] as number) + 2) === 0
}

const readBatches = (source: Bytes, batches: readonly Batch[], fetchOffset: number): RecordColumns => {
  const capacity = batches.reduce((count, batch) => count + batch.count, 0)
  const anyCompressed = batches.some(({ attributes }) => (attributes & compressionMask) !== 0)
  const { buffer, sections } = anyCompressed ? decompressed(source, batches) : asTheyAre(source, batches)
  const rows = new RowReader(buffer, capacity)
  batches.forEach((batch, index) => rows.read(batch, sections[index] as Section, fetchOffset))
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

const asTheyAre = (source: Bytes, batches: readonly Batch[]): Sections => ({
  buffer: source,
  sections: batches.map(({ start, end }) => ({ start: start + headerLength, end })),
})

const decompressed = (source: Bytes, batches: readonly Batch[]): Sections => {
  const parts = batches.map(({ start, end, attributes }) => {
    const records = source.subarray(start + headerLength, end)
    const code = attributes & compressionMask
    return code === 0 ? records : decompress(code, records)
  })
  const buffer = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let position = 0
  const sections = parts.map((part) => {
    buffer.set(part, position)
    position += part.length
    return { start: position - part.length, end: position }
  })
  return { buffer, sections }
}

/** The hot loop of reading: one pass over the bytes, with the varints read in place. */
class RowReader {
  readonly #buffer: Bytes
  readonly #offsets: Float64Array
  readonly #timestamps: Float64Array
  readonly #keyStarts: Int32Array
  readonly #keyEnds: Int32Array
  readonly #valueStarts: Int32Array
  readonly #valueEnds: Int32Array
  readonly #headersStarts: Int32Array
  #count = 0
  #position = 0

  constructor(buffer: Bytes, capacity: number) {
    this.#buffer = buffer
    this.#offsets = new Float64Array(capacity)
    this.#timestamps = new Float64Array(capacity)
    this.#keyStarts = new Int32Array(capacity)
    this.#keyEnds = new Int32Array(capacity)
    this.#valueStarts = new Int32Array(capacity)
    this.#valueEnds = new Int32Array(capacity)
    this.#headersStarts = new Int32Array(capacity)
  }

  columns(): RecordColumns {
    return {
      buffer: this.#buffer,
      count: this.#count,
      offsets: this.#offsets,
      timestamps: this.#timestamps,
      keyStarts: this.#keyStarts,
      keyEnds: this.#keyEnds,
      valueStarts: this.#valueStarts,
      valueEnds: this.#valueEnds,
      headersStarts: this.#headersStarts,
    }
  }

  read(batch: Batch, { start, end }: Section, fetchOffset: number): void {
    const appendTime = (batch.attributes & logAppendTimeFlag) === 0 ? undefined : batch.maxTimestamp
    this.#position = start
    for (let index = 0; index < batch.count; index++) {
      const length = this.#varint()
      const recordEnd = this.#position + length
      if (recordEnd > end || length <= 0) throw corrupt(batch.baseOffset, 'a record exceeds its batch')
      this.#position++ // attributes, which no version uses
      const timestamp = batch.baseTimestamp + this.#varlong()
      const offset = batch.baseOffset + this.#varint()
      if (offset >= fetchOffset) this.#row(offset, appendTime ?? timestamp)
      this.#position = recordEnd
    }
  }

  #row(offset: number, timestamp: number): void {
    const row = this.#count++
    this.#offsets[row] = offset
    this.#timestamps[row] = timestamp
    const keyLength = this.#varint()
    this.#keyStarts[row] = keyLength < 0 ? -1 : this.#position
    if (keyLength > 0) this.#position += keyLength
    this.#keyEnds[row] = this.#position
    const valueLength = this.#varint()
    this.#valueStarts[row] = valueLength < 0 ? -1 : this.#position
    if (valueLength > 0) this.#position += valueLength
    this.#valueEnds[row] = this.#position
    this.#headersStarts[row] = this.#buffer[this.#position] === 0 ? -1 : this.#position
  }

  #varint(): number {
    const buffer = this.#buffer
    let byte = buffer[this.#position++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let result = byte & 0x7f
    for (let shift = 7; ; shift += 7) {
      byte = buffer[this.#position++] as number
      result |= (byte & 0x7f) << shift
      if (byte < 0x80 || shift >= 28) return (result >>> 1) ^ -(result & 1)
    }
  }

  /** 64 bits; small ones, which nearly all are, take the way of 32. */
  #varlong(): number {
    const buffer = this.#buffer
    let byte = buffer[this.#position++] as number
    let result = byte & 0x7f
    let shift = 7
    for (; byte >= 0x80 && shift < 28; shift += 7) {
      byte = buffer[this.#position++] as number
      result |= (byte & 0x7f) << shift
    }
    if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
    let wide = BigInt(result)
    for (let wideShift = 28n; byte >= 0x80; wideShift += 7n) {
      byte = buffer[this.#position++] as number
      wide |= BigInt(byte & 0x7f) << wideShift
    }
    return Number(BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n)))
  }
}
