import { mapKeyOf } from '../../topic/map-key.ts'
import type { AnyRecord, Change, EmitPolicy } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext } from '../node-context.ts'
import type { BeforeCommit, Held, HeldUpdates, WithChange } from '../held-updates.ts'
import type { Emit } from '../step.ts'
import { changeOf } from '../node-context.ts'

/**
 * Tells an update of a table to whoever follows it. `before` is what the new value was made from: as in Kafka Streams the
 * initial aggregate counts as the old value of a first one, unless updates are held back.
 */
export type Tell = (
  emit: Emit,
  record: AnyRecord,
  newValue: unknown,
  oldValue: unknown,
  before?: unknown,
  /** False for an update of a versioned table that is older than its newest version. */
  isLatest?: boolean,
) => void

/**
 * How a node tells its updates: at once, or the last of each key before the next commit. Old values go along only where
 * somebody below asked for them.
 */
export const tellerFor = (
  context: NodeContext,
  node: { readonly name: string; readonly store: string; readonly emit: EmitPolicy },
): Tell => {
  const sendsOldValues = tableSemanticsOf(context.topology).sendsOldValues.has(node.name)
  const withChange: WithChange = (record, newValue, oldValue, isLatest) =>
    record.withValue(changeOf(newValue, sendsOldValues ? oldValue : null, isLatest))
  if (node.emit === 'onCommit') return holdBack(context, node.store, withChange)
  return (emit, record, newValue, oldValue, before = oldValue, isLatest = true) =>
    emit.next(withChange(record, newValue, before, isLatest))
}

/**
 * The time of an update where it is kept, and where it is held back: that of the aggregate. A deletion has no aggregate
 * any more, so its time is that of the record that caused it, even if older.
 */
export const timeKept = (cause: AnyRecord, newValue: unknown, aggregateTime: number): number =>
  newValue === null ? cause.timestamp : aggregateTime

/**
 * Coalesces the updates of a key between two commits into one: from the old value of the first to the new value of the
 * last. They leave in the order of their last update. A row that came and went in between is not told at all.
 */
const holdBack = (context: NodeContext, store: string, withChange: WithChange): Tell => {
  const { held } = heldUpdatesOf(context, store)
  return (emit, record, newValue, oldValue, _before, isLatest = true) => {
    // An update that is older than the newest version must not replace it.
    if (!isLatest) return emit.next(withChange(record, newValue, oldValue, false))
    const identity = mapKeyOf(record.key)
    const first = held.get(identity)
    held.delete(identity)
    const oldest = first === undefined ? oldValue : first.oldValue
    held.set(identity, { emit, withChange, record, newValue, oldValue: oldest })
  }
}

/**
 * The inputs of a cogroup share a store, and what is held back of its rows: each of them with its own would tell an older
 * value last. All of it leaves where the last of them stands, so that nothing above them still adds to it.
 */
const heldUpdatesOf = (context: NodeContext, store: string): HeldUpdates => {
  const { beforeCommit, heldUpdates } = context
  const known = heldUpdates.get(store)
  if (known !== undefined) beforeCommit.splice(beforeCommit.indexOf(known.tell), 1)
  const updates = known ?? newHeldUpdates(context)
  heldUpdates.set(store, updates)
  beforeCommit.push(updates.tell)
  return updates
}

const newHeldUpdates = (context: NodeContext): HeldUpdates => {
  const held = new Map<unknown, Held>()
  const tell: BeforeCommit = (isOver) => {
    for (const [identity, { emit, withChange, record, newValue, oldValue }] of held) {
      held.delete(identity)
      if (newValue === null && oldValue === null) continue
      emit.next(withChange(record, newValue, oldValue, true))
      // A failure is that of this row alone; the others follow in a turn of their own.
      if (isOver() || context.failure !== undefined) break
    }
    return held.size === 0
  }
  return { held, tell }
}

/** The change a record of a table carries. */
export const changeIn = (record: AnyRecord): Change<unknown> => record.value as Change<unknown>
