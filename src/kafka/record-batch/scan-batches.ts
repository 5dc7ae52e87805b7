import type { Bytes } from '../../base/bytes.ts'
import type { Fault } from '../../base/fault.ts'
import { headerLength, readInt16 } from './batch-header.ts'
import { corruptBatch } from './corrupt-batch.ts'
import type { BatchProblem, HeaderOptions, RecordBatch } from './record-batch.ts'
import { offsetAfter, readBatchHeader } from './record-batch.ts'
import { RecordRows } from './record-rows.ts'

/**
 * Finds the batches that a fetch brought for one partition, by their headers: nothing is decompressed or decoded.
 * Control batches and what was aborted are left out, yet `nextOffset` counts them.
 */
export interface ScanOptions extends HeaderOptions {
  /** The offset that was asked for; a batch may begin before it. */
  readonly fetchOffset: number
  /** The aborted transactions that the broker named; undefined when reading uncommitted data. */
  readonly aborted?: readonly AbortedTransaction[] | undefined
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ScannedBatches {
  readonly batches: readonly RecordBatch[]
  /** Where to go on: after the last whole batch, or `fetchOffset` where there was none. */
  readonly nextOffset: number
  /** Why the batch at `nextOffset` cannot be read; undefined where the bytes end with a batch, or within a later one. */
  readonly problem: BatchProblem | undefined
}

export const scanBatches = (
  source: Bytes,
  start: number,
  end: number,
  options: ScanOptions,
): ScannedBatches => {
  const { fetchOffset } = options
  const aborted = new AbortedFilter(options.aborted)
  const batches: RecordBatch[] = []
  let nextOffset = fetchOffset
  let position = start
  let problem: BatchProblem | undefined
  while (position < end && problem === undefined) {
    const found = readBatchHeader(source, position, end, nextOffset, options)
    if ('kind' in found) problem = found
    else {
      const afterBatch = offsetAfter(found)
      if (afterBatch > fetchOffset && !aborted.skips(found) && !found.isControl) batches.push(found)
      nextOffset = Math.max(nextOffset, afterBatch)
      position = found.end
    }
  }
  if (nextOffset > fetchOffset)
    // A broker cuts the last batch off where a response is full, never the first.
    return { batches, nextOffset, problem: problem?.kind === 'cut' ? undefined : problem }
  if (position > start) problem ??= { kind: 'corrupt', fault: allBefore(options) }
  return { batches, nextOffset, problem }
}

const allBefore = ({ fetchOffset: offset, topic, partition }: ScanOptions): Fault =>
  corruptBatch({ topic, partition, offset }, 'the broker returned only batches before it')

/**
 * Kafka's own rule for reading committed data. An aborted transaction begins to hide its producer's batches at its
 * first offset and ends at that producer's next abort marker; one whose marker lies beyond the response hides them to
 * the end, and one producer may have several.
 */
class AbortedFilter {
  readonly #pending: AbortedTransaction[]
  readonly #hidden = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[] | undefined) {
    this.#pending = (aborted ?? []).toSorted((left, right) => right.firstOffset - left.firstOffset)
  }

  skips(batch: RecordBatch): boolean {
    const lastOffset = offsetAfter(batch) - 1
    for (let next = this.#pending.at(-1); next !== undefined && next.firstOffset <= lastOffset;) {
      this.#hidden.add(next.producerId)
      this.#pending.pop()
      next = this.#pending.at(-1)
    }
    if (!this.#hidden.has(batch.producerId)) return false
    if (isAbortMarker(batch)) this.#hidden.delete(batch.producerId)
    return batch.isTransactional
  }
}

/** A control record's key is a version and a type, both of 16 bits; the type 0 is an abort. */
const isAbortMarker = (batch: RecordBatch): boolean => {
  if (!batch.isControl || batch.codec !== 0 || batch.count === 0) return false
  const rows = new RecordRows(batch.source, batch.count)
  rows.read(batch, batch.start + headerLength, batch.end, batch.count, batch.baseOffset)
  const { buffer, keyStarts, keyEnds } = rows.columns()
  const start = keyStarts[0] as number
  return start >= 0 && (keyEnds[0] as number) - start >= 4 && readInt16(buffer, start + 2) === 0
}
