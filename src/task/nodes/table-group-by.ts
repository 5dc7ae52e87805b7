import { bytesEqual } from '../../base/bytes.ts'
import { emittedRecordOf } from '../../topology/callback-results.ts'
import type { AnyRecord, Change } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import { changeOf } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { serialized } from '../../topic/serde.ts'

/**
 * Gives each row its group (`KTableRepartitionMap`):
 *
 * 1. An update of a versioned table that is not its newest changes no group. Kafka Streams does not count it as dropped.
 * 2. A row whose group stays the same sends one change with both values.
 * 3. A row that moves leaves its old group first, then joins the new one.
 * 4. A row whose group key or grouped value is null belongs to no group.
 */
export const interpretTableGroupBy: Interpreter<'tableGroupBy'> = (node, inputs, context) => {
  const versioned = tableSemanticsOf(context.topology).versioned.has(node.from[0] as string)
  const place = (key: unknown, value: unknown): GroupedRow | undefined => {
    if (value === null) return undefined
    const row = emittedRecordOf('the selector returned', node.select(value, key))
    return isNothing(row.key) || isNothing(row.value) ? undefined : row
  }
  return step(context, node.name, onlyInput(inputs), (record, emit) => {
    const { newValue, oldValue, isLatest } = record.value as Change<unknown>
    if (versioned && !isLatest) return
    const joins = place(record.key, newValue)
    const leaves = place(record.key, oldValue)
    if (joins !== undefined && leaves !== undefined && sameKey(node.key, joins.key, leaves.key)) {
      emit.next(moved(record, joins.key, joins.value, leaves.value))
      return
    }
    if (leaves !== undefined) emit.next(moved(record, leaves.key, null, leaves.value))
    if (joins !== undefined) emit.next(moved(record, joins.key, joins.value, null))
  })
}

interface GroupedRow {
  readonly key: unknown
  readonly value: unknown
}

const isNothing = (value: unknown): boolean => value === null || value === undefined

const moved = (record: AnyRecord, key: unknown, newValue: unknown, oldValue: unknown): AnyRecord =>
  record.withKeyValue(key, changeOf(newValue, oldValue))

/** Keys are the same where their bytes are. */
const sameKey = (
  serde: { readonly serialize: (value: never) => Uint8Array },
  left: unknown,
  right: unknown,
): boolean =>
  left === right || bytesEqual(serialized(serde, left as never), serialized(serde, right as never))
