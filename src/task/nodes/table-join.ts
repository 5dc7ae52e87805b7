import { merge } from 'rxjs'
import type { Observable } from 'rxjs'
import type { ValueAndTimestamp } from '../../state/store.ts'
import type { AnyRecord, Change, NodeOf } from '../../topology/node.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import { changeOf } from '../node-context.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'
import { tableStore } from './table-store.ts'

/**
 * Two tables joined row by row (`KTableKTableInnerJoin`, `…LeftJoin`, `…RightJoin`, `…OuterJoin`). An update of either
 * side looks the other side up:
 *
 * 1. An update of a versioned table that is not its newest is dropped and counted.
 * 2. Where the other row must be there (inner join, or the left row of a left join) and is not, nothing is said.
 * 3. Where it may be missing and is, a deletion of what was not there is not said either.
 * 4. Else the joined new value goes out, and the joined old value with it where a node below needs it; its time is the
 *    later one of both rows.
 */
export const interpretTableTableJoin: Interpreter<'tableTableJoin'> = (node, inputs, context) => {
  const [left, right] = node.from.map((parent) => context.view(parent)) as [TableView, TableView]
  const sides = sidesOf(node, left, right)
  const store = node.store === undefined ? undefined : tableStore(context, node.name, node.store)
  context.views.set(node.name, store?.view ?? joinedView(node, left, right))
  const joined = merge(
    ...sides.map((side, index) => joinSide(node, side, inputs[index] as Observable<AnyRecord>, context)),
  )
  if (store === undefined) return joined
  return step(context, node.name, joined, (record, emit) => {
    const { newValue, oldValue } = record.value as Change<unknown>
    const put = store.put(record, newValue)
    if (put !== 'refused') emit.next(record.withValue(changeOf(newValue, oldValue, put === 'latest')))
  })
}

/** One side of a join: how its value combines with a row of the other side. */
interface Side {
  readonly parent: string
  readonly other: TableView
  /** The other row must be there. */
  readonly otherRequired: boolean
  /** The value of this side must be there. */
  readonly ownRequired: boolean
  readonly combine: (own: unknown, other: unknown, key: unknown) => unknown
}

const sidesOf = (node: NodeOf<'tableTableJoin'>, left: TableView, right: TableView): readonly Side[] => {
  const [leftParent, rightParent] = node.from as readonly [string, string]
  return [
    {
      parent: leftParent,
      other: right,
      otherRequired: node.type === 'inner',
      ownRequired: node.type !== 'outer',
      combine: node.join,
    },
    {
      parent: rightParent,
      other: left,
      otherRequired: node.type !== 'outer',
      ownRequired: node.type === 'inner',
      combine: (own, other, key) => node.join(other, own, key),
    },
  ]
}

const joinSide = (
  node: NodeOf<'tableTableJoin'>,
  side: Side,
  input: Observable<AnyRecord>,
  context: NodeContext,
): Observable<AnyRecord> => {
  const { sendsOldValues, versioned } = tableSemanticsOf(context.topology)
  const asksForOld = sendsOldValues.has(node.name)
  const skipsOutOfOrder = versioned.has(side.parent)
  const combine = (own: unknown, other: unknown, key: unknown): unknown => {
    if (own === null && (side.ownRequired || other === null)) return null
    return side.combine(own, other, key) ?? null
  }
  return step(context, node.name, input, (record, emit) => {
    const change = record.value as Change<unknown>
    const { key } = record
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    if (skipsOutOfOrder && !change.isLatest) return context.drop('outOfOrder', node.name, record)
    const row = side.other.get(key)
    if (row === null && (side.otherRequired || (change.newValue === null && change.oldValue === null))) return
    const other = row?.value ?? null
    const newValue = combine(change.newValue, other, key)
    const oldValue = asksForOld ? combine(change.oldValue, other, key) : null
    const timestamp = Math.max(record.timestamp, row?.timestamp ?? record.timestamp)
    emit.next(record.withValue(changeOf(newValue, oldValue, change.isLatest)).withTimestamp(timestamp))
  })
}

/** The joined row of a key, for nodes that look up a join without a store. */
const joinedView = (
  { type, join }: NodeOf<'tableTableJoin'>,
  left: TableView,
  right: TableView,
): TableView => ({
  get: (key) => {
    const leftRow = left.get(key)
    if (leftRow === null && type !== 'outer') return null
    const rightRow = right.get(key)
    if (rightRow === null && (type === 'inner' || leftRow === null)) return null
    const value = join(leftRow?.value ?? null, rightRow?.value ?? null, key) ?? null
    return value === null ? null : { value, timestamp: laterOf(leftRow, rightRow) }
  },
})

const laterOf = (left: ValueAndTimestamp<unknown> | null, right: ValueAndTimestamp<unknown> | null): number =>
  Math.max(left?.timestamp ?? -1, right?.timestamp ?? -1)
