import type { Bytes } from '../../base/bytes.ts'
import type { WindowStore } from '../../state/store.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/**
 * Lets the first record of every id through (KIP-655).
 *
 * 1. A record is a duplicate if one of its id was let through less than the retention before or after it, in the time
 *    of the records: a late twin is a duplicate as much as an early one.
 * 2. A record that lies the retention or more behind stream time is dropped as late: its twin may be forgotten already.
 * 3. A record without id is dropped too. All three are counted by their reasons.
 */
export const interpretDeduplicate: Interpreter<'deduplicate'> = (node, inputs, context) => {
  const seen = context.store<WindowStore<unknown, Bytes>>(node.store)
  const { retentionMs } = node
  let streamTimeMs = -1
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    const { timestamp } = record
    const id = node.id(record) ?? null
    if (id === null) return context.drop('nullKey', node.name, record)
    if (timestamp > streamTimeMs) streamTimeMs = timestamp
    if (timestamp <= streamTimeMs - retentionMs) return context.drop('late', node.name, record)
    const twins = seen.fetchRange(id, Math.max(0, timestamp - retentionMs + 1), timestamp + retentionMs - 1)
    for (const _twin of twins) return context.drop('duplicate', node.name, record)
    seen.put(id, mark, timestamp, timestamp)
    emit.next(record)
  })
}

const mark: Bytes = new Uint8Array(0)
