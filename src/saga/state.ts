import type { StoredValue } from './stored-value.ts'
import type { Direction } from './step.ts'

/**
 * Where a saga stands.
 *
 * - `RUNNING`, `COMPENSATING`: under way, forward or back.
 * - `COMPLETED`: every step succeeded.
 * - `COMPENSATED`: a step failed, and all that was done before is undone.
 * - `REJECTED`: a step refused before anything was done.
 * - `STUCK`: a step that must succeed, or an undo, has failed as often as allowed; a late reply or an operator moves it.
 */
export type SagaStatus = 'RUNNING' | 'COMPENSATING' | 'COMPLETED' | 'COMPENSATED' | 'REJECTED' | 'STUCK'

/**
 * Where a step stands: its command is out (`sent`) or about to be sent again (`waiting`), it was `done` or `refused`;
 * the same again for its undo. A step whose outcome is in doubt is undone like one that was done.
 */
export type StepStatus = 'sent' | 'waiting' | 'done' | 'refused' | 'undoing' | 'undoWaiting' | 'undone'

/** The state of one step of a saga. */
export interface StepState {
  readonly name: string
  readonly status: StepStatus
  /** How often the command of the current direction has gone out. */
  readonly attempt: number
  /** When the reply is overdue or the next attempt is due; null where nothing is waited for. */
  readonly dueMs: number | null
  /** True once a reply has said that the step succeeded. */
  readonly succeeded: boolean
  /** The topic of its command, by which a step that was renamed is found again. */
  readonly command?: string
  /** The name in the idempotency keys of its commands, where it was renamed since. */
  readonly sentAs?: string
}

/** Everything that is known of one saga: what its store holds. */
export interface SagaState {
  readonly sagaId: string
  readonly status: SagaStatus
  /** @internal */
  readonly start: StoredValue
  readonly startedAtMs: number
  /** In the order in which their commands first went out. */
  readonly steps: readonly StepState[]
  /**
   * The latest reply by topic.
   *
   * @internal
   */
  readonly replies: Readonly<Record<string, StoredValue>>
  readonly failure: { readonly step: string; readonly reason: string } | null
  /** The outcome published last, so that none is published twice. */
  readonly publishedOutcome: SagaStatus | null
}

/** What comes to a saga. Time is in the message: a saga reads no clock. */
export type SagaMessage =
  | { readonly type: 'start'; readonly sagaId: string; readonly start: StoredValue; readonly atMs: number }
  | {
      readonly type: 'reply'
      readonly topic: string
      /** What the reply is classified by. */
      readonly value: unknown
      /** What the state stores of it. */
      readonly stored: StoredValue
      readonly atMs: number
    }
  | { readonly type: 'time'; readonly atMs: number }
  /** A command could not be built when a timer asked for it. */
  | { readonly type: 'fault'; readonly reason: string; readonly atMs: number }

/** What a saga decides: facts, from which its state and its commands follow. */
export type SagaEvent =
  | {
      readonly type: 'SagaStarted'
      readonly sagaId: string
      readonly start: StoredValue
      readonly atMs: number
    }
  /** Journalled before the command goes out: from here on the step may have happened. */
  | {
      readonly type: 'CommandSent'
      readonly step: string
      readonly direction: Direction
      readonly attempt: number
      readonly dueMs: number
    }
  | {
      readonly type: 'RetryScheduled'
      readonly step: string
      readonly direction: Direction
      readonly dueMs: number
    }
  | { readonly type: 'ReplyStored'; readonly topic: string; readonly value: StoredValue }
  | { readonly type: 'StepDone'; readonly step: string }
  | { readonly type: 'StepRefused'; readonly step: string }
  | { readonly type: 'StepUndone'; readonly step: string }
  /** A step that was given up has succeeded after all. */
  | { readonly type: 'StepSucceededLate'; readonly step: string }
  | { readonly type: 'CompensationStarted'; readonly step: string; readonly reason: string }
  | { readonly type: 'SagaCompleted' }
  | { readonly type: 'SagaCompensated' }
  | { readonly type: 'SagaRejected' }
  | { readonly type: 'SagaStuck'; readonly step: string; readonly reason: string }
