/** Something that is wrong with a topology, or looks it. */
export interface TopologyProblem {
  /** An `error` cannot run; a `warning` can, and is most likely a mistake. */
  readonly severity: 'error' | 'warning'
  /** Stable, machine-readable: `UPPER_SNAKE_CASE`. */
  readonly code: string
  readonly node?: string | undefined
  readonly store?: string | undefined
  /** What is wrong, in a sentence without a final stop. */
  readonly message: string
  /** The way out, in a sentence without a final stop. */
  readonly remedy: string
}

export const nodeError = (code: string, node: string, message: string, remedy: string): TopologyProblem => ({
  severity: 'error',
  code,
  node,
  message,
  remedy,
})

export const storeError = (
  code: string,
  store: string,
  message: string,
  remedy: string,
): TopologyProblem => ({
  severity: 'error',
  code,
  store,
  message,
  remedy,
})
