import type { AnyRecord } from '../topology/node.ts'
import type { Emit } from './step.ts'

/** What one table holds back until the next commit. */
export interface HeldUpdates {
  readonly held: Map<unknown, Held>
  readonly tell: BeforeCommit
}

export interface Held {
  readonly emit: Emit
  readonly withChange: WithChange
  readonly record: AnyRecord
  readonly newValue: unknown
  /** The value before the first update that is held. */
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
