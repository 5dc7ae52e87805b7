import type { Change } from '../../topology/node.ts'
import { step } from '../step.ts'
import { updateSenderFor, storedTimeOf } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { ownCopyFor } from './own-copy.ts'
import { tableStore } from './table-store.ts'

/**
 * `count`, `reduce` and `aggregate` of a grouped table (`KTableAggregate`, `KTableReduce`):
 *
 * 1. The old value is subtracted, unless there is no aggregate to subtract it from.
 * 2. The new value is added, to a fresh aggregate where the subtraction left none.
 * 3. The aggregate's time is the largest of its updates; null deletes the entry, and its time with it.
 */
export const interpretTableAggregate: Interpreter<'tableAggregate'> = (node, inputs, context) => {
  const store = tableStore(context, node.name, node.store)
  const sendUpdate = updateSenderFor(context, node)
  const ownCopy = ownCopyFor(context, node.store)
  context.views.set(node.name, store.view)
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    const { newValue: joins, oldValue: leaves } = record.value as Change<unknown>
    const { key } = record
    const old = store.get(key)
    const own = ownCopy(old?.value)
    const rest = leaves === null || old === null ? own : node.subtract(own, leaves, key)
    const value = (joins === null ? rest : node.add(rest ?? node.initial(), joins, key)) ?? null
    const timestamp = Math.max(record.timestamp, old?.timestamp ?? record.timestamp)
    const put = store.put(record, value, timestamp)
    if (put === 'refused') return
    const sentTime = node.emit === 'onCommit' ? storedTimeOf(record, value, timestamp) : timestamp
    const oldValue = old?.value ?? null
    sendUpdate(emit, record.withTimestamp(sentTime), value, oldValue, oldValue, put === 'latest')
  })
}
