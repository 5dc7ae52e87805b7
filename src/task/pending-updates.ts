import type { AnyRecord } from '../topology/node.ts'
import type { Emit } from './step.ts'

/** The updates of one table that wait for the next commit. */
export interface CoalescedUpdates {
  readonly pending: Map<unknown, PendingUpdate>
  readonly flush: BeforeCommit
}

export interface PendingUpdate {
  readonly emit: Emit
  readonly withChange: WithChange
  readonly record: AnyRecord
  readonly newValue: unknown
  /** The value before the first update that is pending. */
  readonly oldValue: unknown
}

export type WithChange = (
  record: AnyRecord,
  newValue: unknown,
  oldValue: unknown,
  isLatest: boolean,
) => AnyRecord

/** Works until `isOver` and returns whether it is done; it is called again where it is not. */
export type BeforeCommit = (isOver: () => boolean) => boolean
