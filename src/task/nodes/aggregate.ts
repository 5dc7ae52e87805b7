import { step } from '../step.ts'
import { updateSenderFor, storedTimeOf } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { ownCopyFor } from './own-copy.ts'
import { tableStore } from './table-store.ts'

/**
 * `count`, `reduce` and `aggregate` of a grouped stream (`KStreamAggregate`, `KStreamReduce`). Null keys and null values
 * are dropped and counted. The row's time is the largest time of its records; null from the aggregator deletes the row.
 */
export const interpretAggregate: Interpreter<'aggregate'> = (node, inputs, context) => {
  const store = tableStore(context, node.name, node.store)
  context.views.set(node.name, store.view)
  const sendUpdate = updateSenderFor(context, node)
  const ownCopy = ownCopyFor(context, node.store)
  // What is only counted is never decoded.
  const counts = node.verb === 'count'
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    if (record.hasNullValue) return context.drop('nullValue', node.name, record)
    const old = store.get(record.key)
    const timestamp = old === null ? record.timestamp : Math.max(old.timestamp, record.timestamp)
    const before = old === null ? node.initial() : old.value
    const value = node.add(ownCopy(before), counts ? undefined : record.value, record) ?? null
    const put = store.put(record, value, timestamp)
    if (put === 'refused') return
    const sentTime = node.emit === 'onCommit' ? storedTimeOf(record, value, timestamp) : timestamp
    sendUpdate(emit, record.withTimestamp(sentTime), value, old?.value ?? null, before, put === 'latest')
  })
}
