/** A saga as plain data: its steps in their order, which running sagas are known by. */
export interface WorkflowSnapshot {
  readonly name: string
  readonly startedBy: string
  readonly steps: readonly WorkflowStepSnapshot[]
}

/** A step of a saga in a snapshot. */
export interface WorkflowStepSnapshot {
  readonly name: string
  readonly kind: 'compensable' | 'pivot' | 'retriable'
  readonly command: WorkflowExchangeSnapshot
  /** How the step is undone; null where it is not. */
  readonly undo: WorkflowExchangeSnapshot | null
}

/** A command and the topics of its replies. */
export interface WorkflowExchangeSnapshot {
  readonly topic: string
  readonly replies: readonly string[]
  readonly timeoutMs: number | null
  readonly attempts: number
}
