import type { Table } from 'millrace'
import { datumSerde, joinedType } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { joiner, selector } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { EntryOf, Scope } from '../scope.ts'
import { given, optionalText, text } from '../scope.ts'
import type { Operators } from './operator.ts'

/** Joins of tables, by their keys and by a part of the left value. */
export const tableJoinOperators: Operators = {
  joinTables: (operator, scope) => {
    const [left, right] = pairOf(operator, scope)
    const combine = joiner(operator['with'] as FunctionCall)
    const options = given({ ...common(operator, left, right), name: text(operator, 'name') })
    const join = (own: Datum, other: Datum, key: Datum): NonNullable<Datum> =>
      combine(key, own, other) as NonNullable<Datum>
    const joins = {
      inner: () => left.table.join(right.table, join, options),
      left: () => left.table.leftJoin(right.table, join, options),
      outer: () => left.table.outerJoin(right.table, join, options),
    }
    define(operator, scope, left, right, joins[kindOf(operator, 'inner', 'left', 'outer')]())
  },
  joinForeignKey: (operator, scope) => {
    const [left, right] = pairOf(operator, scope)
    const combine = joiner(operator['with'] as FunctionCall)
    const select = selector(operator['foreignKey'] as FunctionCall)
    const options = {
      ...given(common(operator, left, right)),
      name: text(operator, 'name'),
      foreignKey: (value: Datum) => select(null, value),
      join: (own: Datum, other: Datum, key: Datum) => combine(key, own, other),
    }
    const joins = {
      inner: () => left.table.joinForeignKey(right.table, options),
      left: () => left.table.leftJoinForeignKey(right.table, options),
    }
    define(operator, scope, left, right, joins[kindOf(operator, 'inner', 'left')]())
  },
}

type Tabled = EntryOf<'table'>

const pairOf = (operator: Operator, scope: Scope): readonly [Tabled, Tabled] => {
  const [left, right] = operator['of'] as readonly [string, string]
  return [scope.of(left, 'table'), scope.of(right, 'table')]
}

const kindOf = <Kind extends string>(operator: Operator, ...kinds: readonly Kind[]): Kind => {
  const kind = kinds.find((each) => each === operator['kind'])
  if (kind === undefined) throw new Error(`a ${operator.op} is ${kinds.join(' or ')}`)
  return kind
}

const common = (
  operator: Operator,
  left: Tabled,
  right: Tabled,
): { readonly store: string | undefined; readonly value: never } => ({
  store: optionalText(operator, 'store'),
  value: datumSerde(joinedType(operator['with'] as FunctionCall, left.value, right.value)) as never,
})

const define = (operator: Operator, scope: Scope, left: Tabled, right: Tabled, table: unknown): void =>
  scope.define(operator, {
    kind: 'table',
    key: left.key,
    value: joinedType(operator['with'] as FunctionCall, left.value, right.value),
    table: table as Table<Datum, Datum>,
  })
