import type { ReadBatch, RecordOrigin } from '../../topic/record.ts'
import { StreamRecord } from '../../topic/record.ts'

/** The record that another one was made from, and the node that wrote it. */
export interface RecordSource {
  readonly node: string
  readonly origin: RecordOrigin | undefined
  /** The record as it was read, where such are kept. */
  readonly record: StreamRecord<unknown, unknown> | undefined
}

/** Records that stand together and come from one place, through one node. */
interface Run {
  readonly start: number
  readonly node: string | undefined
  readonly topic: string | undefined
  readonly partition: number
  /** Only where records are kept: it holds on to all that came with them. */
  readonly batch: ReadBatch | undefined
}

/**
 * What the records of one batch were made from, for the case that the broker refuses one. Each record pays for a
 * number, its row where records are kept and else its offset; the rest is said once for all that come from one place.
 */
export class RecordSources {
  readonly #keepsRecords: boolean
  readonly #numbers: number[] = []
  readonly #runs: Run[] = []
  #node: string | undefined
  #batch: ReadBatch | undefined

  constructor(keepsRecords: boolean) {
    this.#keepsRecords = keepsRecords
  }

  /** Notes the next record: the one it was made from, or undefined, and the node, undefined where no sink wrote it. */
  note(source: StreamRecord<unknown, unknown> | undefined, node: string | undefined): void {
    const batch = source?.readBatch
    if (batch !== this.#batch || node !== this.#node || this.#runs.length === 0) this.#begin(batch, node)
    const row = source === undefined ? 0 : source.row
    this.#numbers.push(
      this.#keepsRecords || batch === undefined ? row : (batch.columns.offsets[row] as number),
    )
  }

  /** What the record of this place in the batch was made from; undefined where no sink wrote it. */
  at(index: number): RecordSource | undefined {
    const run = this.#runOf(index)
    if (run?.node === undefined) return undefined
    const { node, topic, partition, batch } = run
    const number = this.#numbers[index] as number
    if (topic === undefined) return { node, origin: undefined, record: undefined }
    if (batch === undefined) return { node, origin: { topic, partition, offset: number }, record: undefined }
    const record = StreamRecord.read(batch, number, batch.columns.timestamps[number] as number)
    return { node, origin: record.origin, record }
  }

  /** The same for the records of these places alone. */
  only(indexes: readonly number[]): RecordSources {
    const some = new RecordSources(this.#keepsRecords)
    let last: Run | undefined
    for (const index of indexes) {
      const run = this.#runOf(index)
      if (run !== undefined && run !== last) some.#runs.push({ ...run, start: some.#numbers.length })
      some.#numbers.push(this.#numbers[index] as number)
      last = run
    }
    return some
  }

  #runOf(index: number): Run | undefined {
    return this.#runs.findLast(({ start }) => start <= index)
  }

  #begin(batch: ReadBatch | undefined, node: string | undefined): void {
    this.#batch = batch
    this.#node = node
    this.#runs.push({
      start: this.#numbers.length,
      node,
      topic: batch?.topic,
      partition: batch?.partition ?? 0,
      batch: this.#keepsRecords ? batch : undefined,
    })
  }
}
