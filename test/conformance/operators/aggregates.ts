import type { Table } from 'millrace'
import { untilTimeLimit, untilWindowCloses } from 'millrace'
import type { DataType } from '../data-types.ts'
import { aggregateType, datumSerde } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { aggregator, merger, reducer } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { Entry, Scope } from '../scope.ts'
import { given, optionalNumber, optionalText, text } from '../scope.ts'
import type { Operators } from './operator.ts'

type Aggregatable = 'groupedStream' | 'groupedTable' | 'timeWindowed' | 'sessionWindowed'

/** Operators that turn groups, windowed or not, into tables; and what holds their updates back. */
export const aggregateOperators: Operators = {
  count: (operator, scope) => {
    const source = aggregatable(operator, scope)
    const options = optionsFor(operator, source)
    define(operator, scope, source, 'long', countOf(source, options))
  },
  reduce: (operator, scope) => {
    const source = aggregatable(operator, scope)
    const options = { ...optionsFor(operator, source), value: datumSerde(source.value) as never }
    define(operator, scope, source, source.value, reduced(operator, source, options))
  },
  aggregate: (operator, scope) => {
    const from = text(operator, 'from')
    const source = scope.of(
      from,
      'groupedStream',
      'groupedTable',
      'timeWindowed',
      'sessionWindowed',
      'cogrouped',
    )
    const value = aggregateTypeOf(operator, source)
    define(operator, scope, source, value, aggregated(operator, source, value))
  },
  suppress: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'table')
    const limitMs = optionalNumber(operator, 'limitMs')
    const bounds = given({
      maxRecords: optionalNumber(operator, 'maxRecords'),
      maxBytes: optionalNumber(operator, 'maxBytes'),
    })
    const until = text(operator, 'until')
    const options = { name: text(operator, 'name'), store: `${text(operator, 'name')}-store` }
    if (until === 'windowCloses') {
      const windowed = source.table as unknown as Table<never, Datum>
      const table = windowed.suppress(untilWindowCloses(), options) as unknown as Table<Datum, Datum>
      return scope.define(operator, { ...source, table })
    }
    if (until !== 'timeLimit')
      throw new Error(`unknown suppression '${until}': there are windowCloses, timeLimit`)
    const limit = untilTimeLimit({ limit: limitMs ?? 0, ...bounds })
    scope.define(operator, { ...source, table: source.table.suppress(limit, options) })
  },
}

const aggregatable = (operator: Operator, scope: Scope): Extract<Entry, { kind: Aggregatable }> =>
  scope.of(text(operator, 'from'), 'groupedStream', 'groupedTable', 'timeWindowed', 'sessionWindowed')

const define = (operator: Operator, scope: Scope, source: Entry, value: DataType, table: unknown): void =>
  scope.define(operator, {
    kind: 'table',
    key: 'windowedKey' in source ? source.windowedKey : source.key,
    value,
    table: table as Table<Datum, Datum>,
  })

/** The store, when results are emitted, and what only plain or only windowed aggregates take. */
const optionsFor = (operator: Operator, source: Entry): { store: string } => {
  const store = text(operator, 'store')
  const emit = optionalText(operator, 'emitOn')
  if (!('windowedKey' in source)) {
    const historyRetention = optionalNumber(operator, 'versionedHistoryMs')
    return given({
      store,
      emit,
      versioned: historyRetention === undefined ? undefined : { historyRetention },
    }) as { store: string }
  }
  const retention = optionalNumber(operator, 'retentionMs')
  return { store, ...given({ emit: emit ?? source.emit, retention }) }
}

const countOf = (source: Extract<Entry, { kind: Aggregatable }>, options: { store: string }): unknown =>
  'windowedKey' in source ? source.windowed.count(options) : source.grouped.count(options)

const reduced = (
  operator: Operator,
  source: Extract<Entry, { kind: Aggregatable }>,
  options: { store: string; value: never },
): unknown => {
  if (source.kind === 'groupedTable')
    return source.grouped.reduce({
      ...options,
      add: reducer(operator['adder'] as FunctionCall),
      subtract: reducer(operator['subtractor'] as FunctionCall),
    })
  const reduce = reducer(operator['reducer'] as FunctionCall)
  return 'windowedKey' in source
    ? source.windowed.reduce(reduce, options)
    : source.grouped.reduce(reduce, options)
}

const aggregateTypeOf = (operator: Operator, source: Entry): DataType => {
  if (typeof operator['init'] === 'number') return 'long'
  if (typeof operator['init'] === 'string') return 'string'
  const call = (operator['aggregator'] ?? operator['adder']) as FunctionCall | undefined
  return call === undefined ? source.value : aggregateType(call)
}

type AggregateSource = Extract<Entry, { kind: Aggregatable | 'cogrouped' }>

const aggregated = (operator: Operator, source: AggregateSource, value: DataType): unknown => {
  const initial = (): Datum => operator['init'] as Datum
  const common = { ...optionsFor(operator, source), initial, value: datumSerde(value) as never }
  if (source.kind === 'groupedTable') {
    const add = aggregator(operator['adder'] as FunctionCall)
    const subtract = aggregator(operator['subtractor'] as FunctionCall)
    return source.grouped.aggregate<Datum>({
      ...common,
      add: (aggregate, each, key) => add(key, each, aggregate),
      subtract: (aggregate, each, key) => subtract(key, each, aggregate),
    })
  }
  if (source.kind === 'cogrouped') return source.cogrouped.aggregate(common)
  const merge = operator['merger'] === undefined ? undefined : merger(operator['merger'] as FunctionCall)
  const merging = {
    merge: (left: Datum, right: Datum, key: Datum) => (merge as NonNullable<typeof merge>)(key, left, right),
  }
  // What comes of a cogroup brings its aggregators along.
  if (operator['aggregator'] === undefined) {
    const cogrouped = source as unknown as { windowed: { aggregate(options: object): unknown } }
    return cogrouped.windowed.aggregate(merge === undefined ? common : { ...common, ...merging })
  }
  const add = aggregator(operator['aggregator'] as FunctionCall)
  const adding = {
    ...common,
    add: (aggregate: Datum, each: Datum, { key }: { key: Datum }) => add(key, each, aggregate),
  }
  if (source.kind === 'sessionWindowed') return source.windowed.aggregate<Datum>({ ...adding, ...merging })
  return source.kind === 'timeWindowed'
    ? source.windowed.aggregate<Datum>(adding)
    : source.grouped.aggregate<Datum>(adding)
}
