import type { Observable } from 'rxjs'
import type { AnyRecord, NodeKind, NodeOf } from '../../topology/node.ts'
import type { NodeContext } from '../node-context.ts'

/**
 * Interprets one kind of node: given the outputs of its parents (in the order of `from`), the observable of what it
 * hands on. Called once per task. State that is not in a store lives in the closure and belongs to the task.
 */
export type Interpreter<Kind extends NodeKind> = (
  node: NodeOf<Kind>,
  inputs: readonly Observable<AnyRecord>[],
  context: NodeContext,
) => Observable<AnyRecord>

/** The only parent of a node. */
export const onlyInput = (inputs: readonly Observable<AnyRecord>[]): Observable<AnyRecord> =>
  inputs[0] as Observable<AnyRecord>
