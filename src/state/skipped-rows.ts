/** The rows that a restoration left out because no disk takes their keys: an earlier version put them, or kept them in memory. */
export class SkippedRows {
  readonly store: string
  #rows = 0
  #largestKeyBytes = 0

  constructor(store: string) {
    this.store = store
  }

  add(keyBytes: number): void {
    this.#rows++
    this.#largestKeyBytes = Math.max(this.#largestKeyBytes, keyBytes)
  }

  /** What was left out since the last call; undefined for nothing. */
  take(): SkippedRowsReport | undefined {
    if (this.#rows === 0) return undefined
    const report = { store: this.store, rows: this.#rows, largestKeyBytes: this.#largestKeyBytes }
    this.#rows = 0
    return report
  }
}

export interface SkippedRowsReport {
  readonly store: string
  readonly rows: number
  readonly largestKeyBytes: number
}

/** The warning about rows that were left out. */
export const skippedRowsText = (
  { store, rows, largestKeyBytes }: SkippedRowsReport,
  partition: number,
): string =>
  `${rows === 1 ? '1 row of store' : `${rows} rows of store`} '${store}', partition ${partition}, cannot be restored to disk: the keys are too long (the largest has ${largestKeyBytes} bytes); the changelog keeps them. Keep the store in memory with storage: 'memory' to have them`
