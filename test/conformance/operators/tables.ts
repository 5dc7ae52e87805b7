import type { Table } from 'millrace'
import type { DataType } from '../data-types.ts'
import { datumSerde, selectedType } from '../data-types.ts'
import type { Datum, PredicateFunction, Selector } from '../functions.ts'
import { selector } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { EntryOf, Scope } from '../scope.ts'
import { given, optionalNumber, optionalText, text } from '../scope.ts'
import type { Operators } from './operator.ts'

/** Operators that make tables of topics and streams, and streams of tables. */
export const tableOperators: Operators = {
  table: (operator, scope) => {
    const value = operator['valueType'] === 'long' ? 'long' : 'string'
    const topic = scope.input(text(operator, 'topic'), value)
    const table = scope.builder.table(topic, kept(operator)) as Table<Datum, Datum>
    scope.define(operator, { kind: 'table', key: 'string', value, table })
  },
  globalTable: (operator, scope) => {
    const value = operator['valueType'] === 'long' ? 'long' : 'string'
    const topic = scope.input(text(operator, 'topic'), value)
    const globalTable = scope.builder.globalTable(topic, kept(operator)) as never
    scope.define(operator, { kind: 'globalTable', key: 'string', value, globalTable })
  },
  toTable: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const table = source.stream.toTable({
      ...kept(operator),
      name: text(operator, 'name'),
      key: datumSerde(source.key) as never,
      value: datumSerde(source.value) as never,
    })
    scope.define(operator, { ...typesOf(source), kind: 'table', table: table as Table<Datum, Datum> })
  },
  toStream: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'table')
    const call = operator['key'] as FunctionCall | undefined
    if (call === undefined) {
      const stream = source.table.toStream()
      return scope.define(operator, { ...typesOf(source), kind: 'stream', stream })
    }
    const select = selector(call)
    const key = selectedType(call, source.key, source.value)
    const stream = source.table.toStream({
      select: (oldKey: Datum, value: Datum) => select(oldKey, value),
      key: datumSerde(key) as never,
    })
    scope.define(operator, {
      kind: 'stream',
      key,
      value: source.value,
      stream: stream,
    })
  },
}

export const filterTable = (
  verb: 'filter' | 'filterNot',
  operator: Operator,
  scope: Scope,
  source: EntryOf<'table'>,
  holds: PredicateFunction,
): void => {
  const options = given({ store: optionalText(operator, 'store') })
  scope.define(operator, { ...source, table: source.table[verb]((value, key) => holds(key, value), options) })
}

export const mapTableValues = (
  operator: Operator,
  scope: Scope,
  source: EntryOf<'table'>,
  select: Selector,
  value: DataType,
): void => {
  const options = given({ store: optionalText(operator, 'store'), value: datumSerde(value) as never })
  const table = source.table.mapValues((each, key) => select(key, each), options)
  scope.define(operator, { ...source, value, table: table })
}

export const typesOf = ({
  key,
  value,
}: {
  key: DataType
  value: DataType
}): { key: DataType; value: DataType } => ({
  key,
  value,
})

/** The store of a table: versioned where the scenario gives a history. */
const kept = (operator: Operator): Kept => {
  const historyRetention = optionalNumber(operator, 'versionedHistoryMs')
  return given({
    store: text(operator, 'store'),
    versioned: historyRetention === undefined ? undefined : { historyRetention },
  })
}

interface Kept {
  readonly store: string
  readonly versioned?: { readonly historyRetention: number }
}
