import type { Bytes } from '../../base/bytes.ts'
import { joinBytes } from '../../base/bytes.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
import { rowBytes } from '../../topic/record-columns.ts'
import { headerLength } from './batch-header.ts'
import { corruptBatch, notDecompressed } from './corrupt-batch.ts'
import { decompressWhole } from './decompress-batch.ts'
import type { RecordBatch } from './record-batch.ts'
import { hasRoomFor, noRoom, offsetAfter } from './record-batch.ts'
import { RecordRows } from './record-rows.ts'
import type { ScannedBatches } from './scan-batches.ts'
import { StreamedBatch } from './streamed-batch.ts'

/** Some records of a partition, in their order. */
export interface RecordSlice {
  readonly columns: RecordColumns
  /** Where to go on after them. */
  readonly nextOffset: number
  /** What was made for it beside the response. */
  readonly unpackedBytes: number
}

/**
 * The batches that a fetch brought for one partition, read when their turn comes. A slice holds a run of batches that are
 * not compressed, over the response's own bytes; or some compressed ones, decompressed; or a part of a large one. So
 * what is in memory has a bound, whatever a batch becomes.
 */
export class BatchSlices {
  readonly #batches: readonly RecordBatch[]
  readonly #fetchOffset: number
  readonly #endOffset: number
  readonly #maxRecordBytes: number
  #next = 0
  #nextOffset: number
  #streamed: StreamedBatch | undefined
  /** The place of a batch that is known to be large, or follows one that was. */
  #largeAt = -1
  #isDone = false

  constructor({ batches, nextOffset }: ScannedBatches, fetchOffset: number, maxRecordBytes: number) {
    this.#batches = batches
    this.#fetchOffset = fetchOffset
    this.#endOffset = nextOffset
    this.#maxRecordBytes = maxRecordBytes
    this.#nextOffset = Math.max(fetchOffset, batches[0]?.baseOffset ?? fetchOffset)
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** True where some of it was read, and some was not. */
  get isBegun(): boolean {
    return !this.#isDone && (this.#next > 0 || this.#streamed !== undefined)
  }

  /** What the decompressor of a batch that was begun keeps. */
  get workingBytes(): number {
    return this.#isDone ? 0 : (this.#streamed?.workingBytes ?? 0)
  }

  /** The offset of the next record, or shortly before it; undefined where there is none. */
  get firstOffset(): number | undefined {
    return this.#batches.length === 0 ? undefined : this.#nextOffset
  }

  /** The next slice; without records where only markers and aborted records lay before `nextOffset`. */
  next(): RecordSlice | Promise<RecordSlice> {
    if (this.#streamed !== undefined) return this.#nextOf(this.#streamed)
    const batch = this.#batches[this.#next]
    if (batch === undefined) return this.#slice(noRows(), 0, this.#endOffset)
    if (batch.codec === 0) return this.#plainRun()
    return this.#largeAt === this.#next ? this.#stream(batch) : this.#compressedRun()
  }

  close(): void {
    this.#isDone = true
    void this.#streamed?.close()
  }

  #plainRun(): RecordSlice {
    const first = this.#next
    let next = first
    while (this.#batches[next]?.codec === 0) next++
    const run = this.#batches.slice(first, next)
    const { source } = run[0] as RecordBatch
    return this.#read(
      run.map((batch) => ({ batch, start: batch.start + headerLength, end: batch.end })),
      source,
      0,
    )
  }

  /** Small batches share a slice, as each slice has arrays of its own. */
  #compressedRun(): RecordSlice | Promise<RecordSlice> {
    const parts: Bytes[] = []
    const sections: Section[] = []
    let size = 0
    for (let next = this.#next; size < groupBytes; next++) {
      const batch = this.#batches[next]
      if (batch === undefined || batch.codec === 0) break
      const part = this.#decompress(batch, next)
      if (part === undefined) break
      parts.push(part)
      sections.push({ batch, start: size, end: size + part.length })
      size += part.length
    }
    if (sections.length === 0) return this.#stream(this.#batches[this.#next] as RecordBatch)
    return this.#read(sections, parts.length === 1 ? (parts[0] as Bytes) : joinBytes(parts), size)
  }

  /** Undefined where the batch is too large, or where it fails and is not the first: its turn comes then. */
  #decompress(batch: RecordBatch, index: number): Bytes | undefined {
    const { source, start, end, codec, count, place } = batch
    try {
      const bytes = decompressWhole(codec, source.subarray(start + headerLength, end), wholeBytes)
      if (bytes === undefined) this.#largeAt = index
      else if (!hasRoomFor(count, bytes.length)) throw corruptBatch(place, noRoom)
      return bytes
    } catch (cause) {
      if (index > this.#next) return undefined
      throw notDecompressed(place, cause)
    }
  }

  /** A batch that cannot be read ends the slice before it, and fails where it is the first. */
  #read(sections: readonly Section[], buffer: Bytes, unpackedBytes: number): RecordSlice {
    const rows = new RecordRows(
      buffer,
      sections.reduce((sum, { batch }) => sum + batch.count, 0),
    )
    let whole = 0
    for (const { batch, start, end } of sections) {
      const before = rows.count
      try {
        rows.read(batch, start, end, batch.count, this.#fetchOffset)
      } catch (error) {
        if (whole === 0) throw error
        rows.truncate(before)
        break
      }
      whole++
    }
    this.#next += whole
    const { batch } = sections[whole - 1] as Section
    const columns = rows.columns()
    return this.#slice(columns, unpackedBytes === 0 ? 0 : sizeOf(columns), offsetAfter(batch))
  }

  #stream(batch: RecordBatch): Promise<RecordSlice> {
    this.#streamed = new StreamedBatch(batch, this.#fetchOffset, this.#maxRecordBytes)
    return this.#nextOf(this.#streamed)
  }

  async #nextOf(streamed: StreamedBatch): Promise<RecordSlice> {
    let columns = await streamed.next()
    while (columns.count === 0 && !streamed.isDone) columns = await streamed.next()
    const { count, offsets } = columns
    if (!streamed.isDone) return this.#slice(columns, sizeOf(columns), (offsets[count - 1] as number) + 1)
    const batch = this.#batches[this.#next++] as RecordBatch
    this.#streamed = undefined
    if (streamed.unpackedBytes > wholeBytes) this.#largeAt = this.#next
    return this.#slice(columns, sizeOf(columns), offsetAfter(batch))
  }

  #slice(columns: RecordColumns, unpackedBytes: number, nextOffset: number): RecordSlice {
    this.#isDone = this.#next >= this.#batches.length
    this.#nextOffset = this.#isDone ? this.#endOffset : nextOffset
    return { columns, nextOffset: this.#nextOffset, unpackedBytes }
  }
}

/** Where the records of a batch stand in the buffer of a slice. */
interface Section {
  readonly batch: RecordBatch
  readonly start: number
  readonly end: number
}

/** A batch that becomes more than this is read piece by piece. */
const wholeBytes = 4_194_304
/** Batches are put together as long as they are less than this. */
const groupBytes = 262_144
const sizeOf = ({ buffer, count }: RecordColumns): number => buffer.length + count * rowBytes
const noBytes = new Uint8Array(0)
const noRows = (): RecordColumns => new RecordRows(noBytes, 0).columns()
