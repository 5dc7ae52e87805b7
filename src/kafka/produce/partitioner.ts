import type { Bytes } from '../../base/bytes.ts'
import { partitionForKey } from '../../topic/murmur2.ts'

/**
 * Which partition a record goes to by default: by the murmur2 of its key, as the Java producer does. Records
 * without a key stay with one partition of their topic until its batch is full, then move on: fewer, fuller batches.
 */
export class Partitioner {
  readonly #sticky = new Map<string, number>()

  partitionFor(topic: string, partitionCount: number, key: Bytes | null, start: number, end: number): number {
    if (key !== null) return partitionForKey(key, partitionCount, start, end)
    const partition = (this.#sticky.get(topic) ?? 0) % partitionCount
    this.#sticky.set(topic, partition)
    return partition
  }

  /** A batch of this partition has been sealed: keyless records that went there move on. */
  batchSealed(topic: string, partition: number): void {
    if (this.#sticky.get(topic) === partition) this.#sticky.set(topic, partition + 1)
  }
}
