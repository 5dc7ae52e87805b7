import type { Bytes } from '../base/bytes.ts'
import type { RecordColumns } from './record-columns.ts'

/**
 * Leaves out the records that a later one of the same key makes old, of all that the batches hold together; a record
 * without a key stays. Keys are distinguished by their bytes, in a table of slots over them: no text and no object is made
 * for a record.
 *
 * @example
 * latestByKey([columnsOf([a1, b1]), columnsOf([a2])]) // [b1] and [a2]
 */
export const latestByKey = (batches: readonly RecordColumns[]): readonly RecordColumns[] => {
  const seen = new SeenKeys(batches)
  const results: RecordColumns[] = []
  for (let index = batches.length - 1; index >= 0; index--) {
    const columns = batches[index] as RecordColumns
    const rows: number[] = []
    for (let row = columns.count - 1; row >= 0; row--) if (seen.add(index, row)) rows.push(row)
    results.push(rows.length === columns.count ? columns : rowsOf(columns, rows.toReversed()))
  }
  return results.toReversed()
}

/** Keys by their bytes, with open addressing; at most half of the slots are taken. */
class SeenKeys {
  readonly #batches: readonly RecordColumns[]
  readonly #mask: number
  /** Where a slot's key stands: a row, from 1 on, of a batch. 0 is a free slot. */
  readonly #rows: Int32Array
  readonly #batchOfSlot: Int32Array
  readonly #hashes: Int32Array

  constructor(batches: readonly RecordColumns[]) {
    const count = batches.reduce((sum, columns) => sum + columns.count, 0)
    const size = 2 ** Math.ceil(Math.log2(Math.max(1, count) * 2))
    this.#batches = batches
    this.#mask = size - 1
    this.#rows = new Int32Array(size)
    this.#batchOfSlot = new Int32Array(size)
    this.#hashes = new Int32Array(size)
  }

  /** False for a key that is known. */
  add(batch: number, row: number): boolean {
    const { buffer, keyStarts, keyEnds } = this.#batches[batch] as RecordColumns
    const start = keyStarts[row] as number
    if (start < 0) return true
    const end = keyEnds[row] as number
    const hash = hashOf(buffer, start, end)
    let slot = hash & this.#mask
    while (this.#rows[slot] !== 0) {
      if (this.#hashes[slot] === hash && this.#isAt(slot, buffer, start, end)) return false
      slot = (slot + 1) & this.#mask
    }
    this.#rows[slot] = row + 1
    this.#batchOfSlot[slot] = batch
    this.#hashes[slot] = hash
    return true
  }

  #isAt(slot: number, buffer: Bytes, start: number, end: number): boolean {
    const other = this.#batches[this.#batchOfSlot[slot] as number] as RecordColumns
    const row = (this.#rows[slot] as number) - 1
    const otherStart = other.keyStarts[row] as number
    if ((other.keyEnds[row] as number) - otherStart !== end - start) return false
    for (let index = start; index < end; index++)
      if (buffer[index] !== other.buffer[otherStart + index - start]) return false
    return true
  }
}

/** FNV-1a, with its bits mixed once more, as keys that count up differ in their last bytes alone. */
const hashOf = (buffer: Bytes, start: number, end: number): number => {
  let hash = 0x811c_9dc5 | 0
  for (let index = start; index < end; index++)
    hash = Math.imul(hash ^ (buffer[index] as number), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d)
  return hash ^ (hash >>> 13)
}

/** Some rows of columns, over the same buffer. */
export const rowsOf = (columns: RecordColumns, rows: readonly number[]): RecordColumns => ({
  buffer: columns.buffer,
  count: rows.length,
  offsets: Float64Array.from(rows, (row) => columns.offsets[row] as number),
  timestamps: Float64Array.from(rows, (row) => columns.timestamps[row] as number),
  keyStarts: Int32Array.from(rows, (row) => columns.keyStarts[row] as number),
  keyEnds: Int32Array.from(rows, (row) => columns.keyEnds[row] as number),
  valueStarts: Int32Array.from(rows, (row) => columns.valueStarts[row] as number),
  valueEnds: Int32Array.from(rows, (row) => columns.valueEnds[row] as number),
  headersStarts: Int32Array.from(rows, (row) => columns.headersStarts[row] as number),
})
