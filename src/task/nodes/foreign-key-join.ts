import { bytesEqual } from '../../base/bytes.ts'
import type { SubscriptionResponse } from '../../topic/subscription.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import { changeOf } from '../node-context.ts'
import { step } from '../step.ts'
import { hashOf } from './foreign-key-subscribe.ts'
import type { Interpreter } from './interpreter.ts'
import { tableStore } from './table-store.ts'

/**
 * The left side of a foreign-key join hears the answers (`ResponseJoinProcessor`):
 *
 * 1. An answer to a question that the left row has outgrown is dropped and counted: a newer one is under way.
 * 2. An inner join without a right row, and any join without a left row, says null.
 * 3. Else both are joined. The result is a table of its own, stored where a node looks its rows up.
 */
export const interpretForeignKeyJoin: Interpreter<'foreignKeyJoin'> = (node, inputs, context) => {
  const leftRows = context.view(node.from[1] as string)
  const store = node.store === undefined ? undefined : tableStore(context, node.name, node.store)
  const sendsOldValues = tableSemanticsOf(context.topology).sendsOldValues.has(node.name)
  if (store !== undefined) context.views.set(node.name, store.view)
  return step(context, node.name, inputs[0] as (typeof inputs)[number], (record, emit) => {
    const { hash, value: right } = record.value as SubscriptionResponse
    const left = leftRows.get(record.key)?.value ?? null
    if (!bytesEqual(hash, hashOf(left, node.leftValue))) return context.drop('outdated', node.name, record)
    const none = left === null || (right === null && node.type === 'inner')
    const newValue = none ? null : (node.join(left, right, record.key) ?? null)
    const oldValue = sendsOldValues ? (store?.get(record.key)?.value ?? null) : null
    const put = store?.put(record, newValue)
    if (put !== 'refused')
      emit.next(record.withValue(changeOf(newValue, oldValue, put === undefined || put === 'latest')))
  })
}
