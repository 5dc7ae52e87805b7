import type { DropReason } from '../task/ports.ts'

/** Counts of one application since it started. */
export interface MetricsSnapshot {
  readonly processedRecords: number
  readonly producedRecords: number
  readonly commits: number
  readonly restoredRecords: number
  /** Records left out on purpose, by node and reason. */
  readonly dropped: readonly {
    readonly node: string
    readonly reason: DropReason
    readonly records: number
  }[]
}

/** Counts what an application does; reading it costs nothing to those who count. */
export class Metrics {
  processedRecords = 0
  producedRecords = 0
  commits = 0
  restoredRecords = 0
  /** When the last commit was, in milliseconds since the epoch. */
  lastCommitMs: number | undefined
  /** Called with the first record that a node drops for a reason; the others are counted alone. */
  onFirstDrop: ((reason: DropReason, node: string) => void) | undefined
  readonly #dropped = new Map<
    string,
    { readonly node: string; readonly reason: DropReason; records: number }
  >()

  drop(reason: DropReason, node: string): void {
    const key = `${node}\u0000${reason}`
    const known = this.#dropped.get(key)
    if (known !== undefined) {
      known.records++
      return
    }
    this.#dropped.set(key, { node, reason, records: 1 })
    this.onFirstDrop?.(reason, node)
  }

  snapshot(): MetricsSnapshot {
    return {
      processedRecords: this.processedRecords,
      producedRecords: this.producedRecords,
      commits: this.commits,
      restoredRecords: this.restoredRecords,
      dropped: Array.from(this.#dropped.values(), (each) => ({ ...each })),
    }
  }
}
