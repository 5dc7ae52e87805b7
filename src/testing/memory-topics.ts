import type { Bytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { RecordRow } from '../topic/record-columns.ts'

/** One record as it lies in a topic of the test. */
export interface StoredRecord extends RecordRow {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly timestamp: number
  readonly headers: Headers
  readonly offset: number
  readonly partition: number
}

/** Topics in memory: every record ever written, by topic and partition, in the order it was written. */
export class MemoryTopics {
  readonly #records = new Map<string, StoredRecord[]>()
  readonly #nextOffsets = new Map<string, number>()

  append(topic: string, partition: number, record: RecordRow): StoredRecord {
    const place = `${topic}-${partition}`
    const offset = this.#nextOffsets.get(place) ?? 0
    this.#nextOffsets.set(place, offset + 1)
    const stored = { ...record, headers: record.headers ?? [], offset, partition }
    this.of(topic).push(stored)
    return stored
  }

  /** All records of a topic, over its partitions, in the order they were written. */
  of(topic: string): StoredRecord[] {
    const known = this.#records.get(topic)
    if (known !== undefined) return known
    const records: StoredRecord[] = []
    this.#records.set(topic, records)
    return records
  }

  names(): readonly string[] {
    return [...this.#records.keys()].sort()
  }
}
