import type { Bytes } from '../../base/bytes.ts'
import { bytesEqual } from '../../base/bytes.ts'
import { murmur3 } from '../../topic/murmur3.ts'
import type { AnySerde } from '../../topic/serde.ts'
import { serialized } from '../../topic/serde.ts'
import type { Instruction, Subscription } from '../../topic/subscription.ts'
import { instructions } from '../../topic/subscription.ts'
import type { Change } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/**
 * The left side of a foreign-key join asks (KIP-213, `SubscriptionSendProcessor`):
 *
 * 1. An update of a versioned table that is not its newest is dropped and counted.
 * 2. A row that points elsewhere than before takes its question back there first.
 * 3. An inner join asks for the new place and wants an answer in any case where it moved, else if there is a right row.
 *    A row that points nowhere is dropped and counted; what it joined with before is withdrawn.
 * 4. A left join always wants an answer, also for a row that points nowhere: such a question has a null key.
 *
 * A row's hash is that of its new value, also where it says goodbye to its old place.
 */
export const interpretForeignKeySubscribe: Interpreter<'foreignKeySubscribe'> = (node, inputs, context) => {
  const versioned = tableSemanticsOf(context.topology).versioned.has(node.from[0] as string)
  const foreignKeyOf = (value: unknown, key: unknown): unknown =>
    value === null ? null : (node.foreignKey(value, key) ?? null)
  const plan = node.type === 'left' ? leftQuestions : innerQuestions
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    const { newValue, oldValue, isLatest } = record.value as Change<unknown>
    if (versioned && !isLatest) return context.drop('outOfOrder', node.name, record)
    if (newValue === null && oldValue === null) return
    const { key } = record
    const before = foreignKeyOf(oldValue, key)
    const now = foreignKeyOf(newValue, key)
    if (node.type === 'inner' && newValue !== null && now === null)
      context.drop('nullForeignKey', node.name, record)
    const hash = hashOf(newValue, node.leftValue)
    const moved = !sameForeignKey(node.foreignKeySerde, before, now)
    for (const { foreignKey, instruction } of plan(before, now, moved, newValue === null)) {
      const question: Subscription = {
        hash,
        instruction,
        primaryKey: key,
        primaryPartition: context.partition,
      }
      emit.next(record.withKeyValue(foreignKey, question))
    }
  })
}

interface Question {
  readonly foreignKey: unknown
  readonly instruction: Instruction
}

type Plan = (before: unknown, now: unknown, moved: boolean, deleted: boolean) => readonly Question[]

const leftQuestions: Plan = (before, now, moved) => {
  const question = { foreignKey: now, instruction: instructions.answer }
  return before !== null && moved
    ? [{ foreignKey: before, instruction: instructions.forget }, question]
    : [question]
}

const innerQuestions: Plan = (before, now, moved) => {
  if (now === null)
    return before === null ? [] : [{ foreignKey: before, instruction: instructions.forgetAndAnswer }]
  if (before === null || !moved) return [{ foreignKey: now, instruction: instructions.answerIfFound }]
  return [
    { foreignKey: before, instruction: instructions.forget },
    { foreignKey: now, instruction: instructions.answer },
  ]
}

/** The hash by which an answer to this value of the left row is recognised. */
export const hashOf = (value: unknown, serde: AnySerde): Bytes | null =>
  value === null ? null : murmur3(serialized(serde, value as never))

const sameForeignKey = (serde: AnySerde, left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (left === null || right === null) return false
  return bytesEqual(serialized(serde, left as never), serialized(serde, right as never))
}
