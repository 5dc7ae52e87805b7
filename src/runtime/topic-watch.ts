import type { Clock } from '../base/clock.ts'
import { isFault, messageOf } from '../base/fault.ts'
import type { TopicSizes } from './application-plan.ts'

export interface TopicWatchOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** The source topics there are now, with their partitions. */
  readonly look: () => Promise<TopicSizes>
  /** Those that the plan in force was made for. */
  readonly planned: () => TopicSizes
  readonly onChange: (what: string) => void
  readonly onWarning: (message: string) => void
}

/** A topic that a broker denies is looked for at most so often. */
const soonMs = 1_000

/**
 * Notices that a pattern matches other topics than it did, or that a topic has more partitions: it looks every
 * `intervalMs`, and soon after a broker has denied a topic. What follows is a rebalance, in which the leader plans again.
 */
export class TopicWatch {
  readonly #options: TopicWatchOptions
  #cancel: (() => void) | undefined
  #dueMs = Infinity
  #isLooking = false
  #closed = false

  constructor(options: TopicWatchOptions) {
    this.#options = options
    this.#lookIn(options.intervalMs)
  }

  /** A broker has answered with this fault: if it is about a topic, the plan may be outdated. */
  noticed(fault: unknown): void {
    if (isFault(fault) && topicDenied.has(fault.code)) this.#lookIn(soonMs)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  /** Unless it is about to look before that anyway. */
  #lookIn(delayMs: number): void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + delayMs
    if (this.#closed || this.#isLooking || dueMs >= this.#dueMs) return
    this.#cancel?.()
    this.#dueMs = dueMs
    this.#cancel = clock.setTimer(() => void this.#look(), delayMs)
  }

  async #look(): Promise<void> {
    const { look, planned, onChange, onWarning, intervalMs } = this.#options
    this.#isLooking = true
    try {
      const change = changeOf(planned(), await look())
      if (change !== undefined && !this.#closed) onChange(change)
    } catch (error) {
      if (!this.#closed) onWarning(`can't look for new topics: ${messageOf(error)}`)
    }
    this.#isLooking = false
    this.#dueMs = Infinity
    this.#lookIn(intervalMs)
  }
}

const topicDenied = new Set(['TOPIC_MISSING', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'])

/** What has changed, in words; undefined where nothing has. */
export const changeOf = (before: TopicSizes, now: TopicSizes): string | undefined => {
  const changes = [
    ...Array.from(now, ([topic, size]) => {
      const had = before.get(topic)
      if (had === undefined) return `topic '${topic}' is new`
      return had === size ? undefined : `topic '${topic}' has ${size} partitions now, not ${had}`
    }),
    ...Array.from(before.keys(), (topic) => (now.has(topic) ? undefined : `topic '${topic}' is gone`)),
  ].filter((change) => change !== undefined)
  return changes.length === 0 ? undefined : changes.join(', ')
}
