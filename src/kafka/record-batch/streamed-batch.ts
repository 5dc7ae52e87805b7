import type { Bytes } from '../../base/bytes.ts'
import { joinBytes } from '../../base/bytes.ts'
import type { RecordColumns } from '../../topic/record-columns.ts'
import { headerLength } from './batch-header.ts'
import { batchTooLarge, corruptBatch, notDecompressed } from './corrupt-batch.ts'
import { countRecords } from './count-records.ts'
import { decompressPieces, workingBytesOf } from './decompress-batch.ts'
import { noRoom } from './record-batch.ts'
import type { RecordBatch } from './record-batch.ts'
import { RecordRows } from './record-rows.ts'

/** A batch that is too large to be decompressed at once: its records come a slice at a time. */
export class StreamedBatch {
  /** What its decompressor keeps until it is done or closed. */
  readonly workingBytes: number
  readonly #batch: RecordBatch
  readonly #fetchOffset: number
  readonly #maxRecordBytes: number
  readonly #pieces: AsyncGenerator<Bytes, void, undefined>
  /** What is decompressed and not read. */
  #rest: Bytes = new Uint8Array(0)
  #recordsLeft: number
  #unpackedBytes = 0

  constructor(batch: RecordBatch, fetchOffset: number, maxRecordBytes: number) {
    const { source, start, end, codec, count } = batch
    this.#batch = batch
    this.#fetchOffset = fetchOffset
    this.#maxRecordBytes = maxRecordBytes
    this.#recordsLeft = count
    const bytes = source.subarray(start + headerLength, end)
    this.workingBytes = workingBytesOf(codec, bytes)
    this.#pieces = decompressPieces(codec, bytes, maxRecordBytes, (size) => this.#tooLarge(size))
  }

  /** True where its last records have been read. */
  get isDone(): boolean {
    return this.#recordsLeft === 0
  }

  /** How large it was as far as it was read. */
  get unpackedBytes(): number {
    return this.#unpackedBytes
  }

  /** The next records; some of them may lie before the offset that was asked for, and are left out. */
  async next(): Promise<RecordColumns> {
    let wanted = sliceBytes
    for (;;) {
      const bytes = await this.#take(wanted)
      const { count, end, nextBytes } = countRecords(bytes, this.#recordsLeft)
      if (nextBytes < 0) throw corruptBatch(this.#batch.place, 'a record has no length')
      this.#rest = bytes.subarray(end)
      if (count > 0) return await this.#read(bytes, end, count)
      if (bytes.length < wanted) throw corruptBatch(this.#batch.place, noRoom)
      if (nextBytes > this.#maxRecordBytes) this.#tooLarge(nextBytes)
      wanted = Math.max(nextBytes, bytes.length + 1)
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return()
  }

  async #read(bytes: Bytes, end: number, count: number): Promise<RecordColumns> {
    const rows = new RecordRows(bytes, count)
    rows.read(this.#batch, 0, end, count, this.#fetchOffset)
    this.#recordsLeft -= count
    if (this.#recordsLeft === 0 && (await this.#take(1)).length > 0)
      throw corruptBatch(this.#batch.place, 'it holds more than the records it counts')
    return rows.columns()
  }

  /** So many bytes or more, together with the rest; fewer only at the end. */
  async #take(wanted: number): Promise<Bytes> {
    const parts = [this.#rest]
    let length = this.#rest.length
    while (length < wanted) {
      const piece = await this.#nextPiece()
      if (piece === undefined) break
      parts.push(piece)
      length += piece.length
      this.#unpackedBytes += piece.length
    }
    return parts.length === 1 ? this.#rest : joinBytes(parts)
  }

  async #nextPiece(): Promise<Bytes | undefined> {
    try {
      const { value } = await this.#pieces.next()
      return value ?? undefined
    } catch (cause) {
      throw notDecompressed(this.#batch.place, cause)
    }
  }

  #tooLarge(size: number): never {
    throw batchTooLarge(
      this.#batch.place,
      `a record or block of it has up to ${size} bytes when it is decompressed, and ${this.#maxRecordBytes} are allowed`,
    )
  }
}

const sliceBytes = 1_048_576
