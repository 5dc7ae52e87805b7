import { merge } from 'rxjs'
import type { Observable } from 'rxjs'
import type { TimestampedKeyValueStore } from '../../state/store.ts'
import type { CombinedKey, Subscription, SubscriptionResponse } from '../../topic/subscription.ts'
import { combinedKeyPrefix, instructions } from '../../topic/subscription.ts'
import type { AnyRecord, Change, NodeOf } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { serialized } from '../../topic/serde.ts'

type Subscriptions = TimestampedKeyValueStore<CombinedKey, Subscription>

/**
 * The right side of a foreign-key join remembers who asks for what (`SubscriptionReceiveProcessor`). A question without
 * a foreign key is not remembered, only answered; where no answer is due, it is dropped and counted.
 */
export const interpretForeignKeyStore: Interpreter<'foreignKeyStore'> = (node, inputs, context) => {
  const store = context.store<Subscriptions>(node.store)
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    const subscription = record.value as Subscription
    const foreignKey = record.key ?? null
    const key: CombinedKey = { foreignKey, primaryKey: subscription.primaryKey }
    if (foreignKey === null) {
      if (subscription.instruction !== instructions.answer)
        return context.drop('nullForeignKey', node.name, record)
    } else store.put(key, forgets(subscription) ? null : subscription, record.timestamp, record.headers)
    emit.next(record.withKeyValue(key, subscription))
  })
}

/**
 * The right side answers: each question as it comes (`SubscriptionJoinProcessor`), and everybody who once asked for a
 * right row whenever it changes, in the order of the left keys (`ForeignTableJoinProcessor`).
 */
export const interpretForeignKeyRespond: Interpreter<'foreignKeyRespond'> = (node, inputs, context) =>
  merge(
    answerQuestions(node, inputs[0] as Observable<AnyRecord>, context),
    notifySubscribers(node, inputs[1] as Observable<AnyRecord>, context),
  )

const answerQuestions = (
  node: NodeOf<'foreignKeyRespond'>,
  questions: Observable<AnyRecord>,
  context: NodeContext,
): Observable<AnyRecord> => {
  const rightRows = context.view(node.from[1] as string)
  return step(context, node.name, questions, (record, emit) => {
    const { foreignKey, primaryKey } = record.key as CombinedKey
    const { instruction, hash, primaryPartition } = record.value as Subscription
    if (instruction === instructions.forget) return
    const row = foreignKey === null ? null : rightRows.get(foreignKey)
    if (row === null && instruction === instructions.answerIfFound) return
    const value = instruction === instructions.forgetAndAnswer ? null : (row?.value ?? null)
    const response: SubscriptionResponse = { hash, value, primaryPartition }
    const timestamp = Math.max(record.timestamp, row?.timestamp ?? record.timestamp)
    emit.next(record.withKeyValue(primaryKey, response).withTimestamp(timestamp))
  })
}

const notifySubscribers = (
  node: NodeOf<'foreignKeyRespond'>,
  updates: Observable<AnyRecord>,
  context: NodeContext,
): Observable<AnyRecord> => {
  const store = context.store<Subscriptions>(node.store)
  const versioned = tableSemanticsOf(context.topology).versioned.has(node.from[1] as string)
  return step(context, node.name, updates, (record, emit) => {
    const { newValue, isLatest } = record.value as Change<unknown>
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    if (versioned && !isLatest) return context.drop('outOfOrder', node.name, record)
    const prefix = combinedKeyPrefix(serialized(node.foreignKeySerde, record.key as never))
    for (const [{ primaryKey }, { value: subscription }] of store.prefix(prefix)) {
      const { hash, primaryPartition } = subscription
      const response: SubscriptionResponse = { hash, value: newValue, primaryPartition }
      emit.next(record.withKeyValue(primaryKey, response))
    }
  })
}

const forgets = ({ instruction }: Subscription): boolean =>
  instruction === instructions.forget || instruction === instructions.forgetAndAnswer
