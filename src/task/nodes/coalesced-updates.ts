import { mapKeyOf } from '../../topic/map-key.ts'
import type { AnyRecord, Change, EmitPolicy } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext } from '../node-context.ts'
import type { BeforeCommit, CoalescedUpdates, PendingUpdate, WithChange } from '../pending-updates.ts'
import type { Emit } from '../step.ts'
import { changeOf } from '../node-context.ts'

/**
 * Sends an update of a table to the nodes below it. `before` is what the new value was made from: as in Kafka Streams the
 * initial aggregate counts as the old value of a first one, unless updates are coalesced.
 */
export type SendUpdate = (
  emit: Emit,
  record: AnyRecord,
  newValue: unknown,
  oldValue: unknown,
  before?: unknown,
  /** False for an update of a versioned table that is older than its newest version. */
  isLatest?: boolean,
) => void

/**
 * How a node sends its updates: at once, or the last of each key before the next commit. Old values go along only where
 * a node below needs them.
 */
export const updateSenderFor = (
  context: NodeContext,
  node: { readonly name: string; readonly store: string; readonly emit: EmitPolicy },
): SendUpdate => {
  const sendsOldValues = tableSemanticsOf(context.topology).sendsOldValues.has(node.name)
  const withChange: WithChange = (record, newValue, oldValue, isLatest) =>
    record.withValue(changeOf(newValue, sendsOldValues ? oldValue : null, isLatest))
  if (node.emit === 'onCommit') return coalesce(context, node.store, withChange)
  return (emit, record, newValue, oldValue, before = oldValue, isLatest = true) =>
    emit.next(withChange(record, newValue, before, isLatest))
}

/**
 * The time of an update where it is stored or coalesced: that of the aggregate. A deletion has no aggregate
 * any more, so its time is that of the record that caused it, even if older.
 */
export const storedTimeOf = (cause: AnyRecord, newValue: unknown, aggregateTime: number): number =>
  newValue === null ? cause.timestamp : aggregateTime

/**
 * Coalesces the updates of a key between two commits into one: from the old value of the first to the new value of the
 * last. They leave in the order of their last update. A row that came and went in between is not sent at all.
 */
const coalesce = (context: NodeContext, store: string, withChange: WithChange): SendUpdate => {
  const { pending } = coalescedUpdatesOf(context, store)
  return (emit, record, newValue, oldValue, _before, isLatest = true) => {
    // An update that is older than the newest version must not replace it.
    if (!isLatest) return emit.next(withChange(record, newValue, oldValue, false))
    const identity = mapKeyOf(record.key)
    const first = pending.get(identity)
    pending.delete(identity)
    const oldest = first === undefined ? oldValue : first.oldValue
    pending.set(identity, { emit, withChange, record, newValue, oldValue: oldest })
  }
}

/**
 * The inputs of a cogroup share a store, and its coalesced updates: separate ones would send an older
 * value last. All of it leaves where the last of them stands, so that nothing above them still adds to it.
 */
const coalescedUpdatesOf = (context: NodeContext, store: string): CoalescedUpdates => {
  const { beforeCommit, coalescedUpdates } = context
  const known = coalescedUpdates.get(store)
  if (known !== undefined) beforeCommit.splice(beforeCommit.indexOf(known.flush), 1)
  const updates = known ?? newCoalescedUpdates(context)
  coalescedUpdates.set(store, updates)
  beforeCommit.push(updates.flush)
  return updates
}

const newCoalescedUpdates = (context: NodeContext): CoalescedUpdates => {
  const pending = new Map<unknown, PendingUpdate>()
  const flush: BeforeCommit = (isOver) => {
    for (const [identity, { emit, withChange, record, newValue, oldValue }] of pending) {
      pending.delete(identity)
      if (newValue === null && oldValue === null) continue
      emit.next(withChange(record, newValue, oldValue, true))
      // A failure is that of this row alone; the others follow in the next iteration.
      if (isOver() || context.failure !== undefined) break
    }
    return pending.size === 0
  }
  return { pending, flush }
}

/** The change a record of a table carries. */
export const changeIn = (record: AnyRecord): Change<unknown> => record.value as Change<unknown>
