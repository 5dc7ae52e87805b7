import { joinWindows } from 'millrace'
import { datumSerde, joinedType } from '../data-types.ts'
import type { DataType } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { joiner, selector } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { EntryOf } from '../scope.ts'
import { given, optionalNumber, text } from '../scope.ts'
import type { Operators } from './operator.ts'

/** Joins of a stream with a stream, a table or a global table. */
export const streamJoinOperators: Operators = {
  joinStreams: (operator, scope) => {
    const [left, right] = pairOf(operator).map((id) => scope.of(id, 'stream')) as [Streamed, Streamed]
    const window = operator['window'] as Readonly<Record<'beforeMs' | 'afterMs' | 'graceMs', number>>
    const { join, value, serde } = joined(operator, left.value, right.value)
    const stream = joinOf(operator, left)(right.stream, join, {
      name: text(operator, 'name'),
      windows: joinWindows({ before: window.beforeMs, after: window.afterMs, grace: window.graceMs }),
      key: datumSerde(left.key),
      left: datumSerde(left.value),
      right: datumSerde(right.value),
      value: serde,
    })
    scope.define(operator, { ...left, value, stream })
  },
  joinTable: (operator, scope) => {
    const [streamId, tableId] = pairOf(operator)
    const left = scope.of(streamId, 'stream')
    const right = scope.of(tableId, 'table')
    const { join, value, serde } = joined(operator, left.value, right.value)
    const options = given({
      name: text(operator, 'name'),
      key: datumSerde(left.key),
      left: datumSerde(left.value),
      value: serde,
      grace: optionalNumber(operator, 'graceMs'),
    })
    const stream = joinOf(operator, left)(right.table, join, options)
    scope.define(operator, { ...left, value, stream })
  },
  joinGlobalTable: (operator, scope) => {
    const [streamId, tableId] = pairOf(operator)
    const left = scope.of(streamId, 'stream')
    const right = scope.of(tableId, 'globalTable')
    const { join, value, serde } = joined(operator, left.value, right.value)
    const select = selector(operator['lookup'] as FunctionCall)
    const lookup = ({ key, value: each }: { key: Datum; value: Datum }): Datum => select(key, each)
    const stream = joinOf(operator, left)(right.globalTable, lookup, join, { value: serde })
    scope.define(operator, { ...left, value, stream })
  },
}

type Streamed = EntryOf<'stream'>

const pairOf = (operator: Operator): readonly [string, string] => operator['of'] as readonly [string, string]

const verbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

/** The join of that kind, whose overloads a scenario cannot choose by type. */
const joinOf = (
  operator: Operator,
  { stream }: Streamed,
): ((...rest: readonly unknown[]) => Streamed['stream']) =>
  (stream[verbs[operator['kind'] as keyof typeof verbs]] as (...rest: readonly unknown[]) => never).bind(
    stream,
  )

const joined = (operator: Operator, left: DataType, right: DataType) => {
  const call = operator['with'] as FunctionCall
  const join = joiner(call)
  const value = joinedType(call, left, right)
  return {
    join: (leftValue: Datum, rightValue: Datum, key: Datum): Datum => join(key, leftValue, rightValue),
    value,
    serde: datumSerde(value),
  }
}
