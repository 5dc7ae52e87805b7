import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/fault.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { partitionName } from '../kafka/topic-partition.ts'

type Place = TopicPartition & { readonly offset: number }

export interface RepartitionPurgeOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** The topics that only this application reads: what is committed of them is of no more use. */
  readonly topics: ReadonlySet<string>
  readonly deleteRecords: (before: readonly Place[]) => Promise<unknown>
  readonly onWarning: (message: string) => void
}

/**
 * Repartition topics keep their records forever as far as Kafka goes: who has processed them deletes them, up to the
 * committed offset, about every `intervalMs`. It happens beside the work: no turn waits for it, and a purge that fails
 * is reported once and made up for by the next.
 */
export class RepartitionPurge {
  readonly #options: RepartitionPurgeOptions
  readonly #due = new Map<string, Place>()
  #lastPurgeMs: number
  #underWay = false
  #closed = false

  constructor(options: RepartitionPurgeOptions) {
    this.#options = options
    this.#lastPurgeMs = options.clock.monotonicMs()
  }

  /** Notes what has been committed, and begins to delete where it is time. */
  committed(offsets: readonly Place[]): void {
    const { topics, clock, intervalMs } = this.#options
    for (const { topic, partition, offset } of offsets)
      if (topics.has(topic)) this.#due.set(partitionName(topic, partition), { topic, partition, offset })
    if (this.#underWay || this.#due.size === 0 || clock.monotonicMs() - this.#lastPurgeMs < intervalMs) return
    this.#lastPurgeMs = clock.monotonicMs()
    this.#underWay = true
    void this.#purge()
  }

  /** Nothing more is deleted, and the end of a purge under way is of no interest. */
  close(): void {
    this.#closed = true
    this.#due.clear()
  }

  async #purge(): Promise<void> {
    const places = [...this.#due]
    try {
      await this.#options.deleteRecords(places.map(([, place]) => place))
      for (const [name, place] of places) if (this.#due.get(name) === place) this.#due.delete(name)
    } catch (error) {
      if (!this.#closed)
        this.#options.onWarning(`repartition topics could not be purged: ${messageOf(error)}`)
    } finally {
      this.#underWay = false
    }
  }
}
