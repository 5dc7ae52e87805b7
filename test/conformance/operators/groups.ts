import { hopping, session, sliding, tumbling } from 'millrace'
import type { GroupedStream } from 'millrace'
import { datumSerde, selectedType } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { aggregator, selector } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { Entry, EntryOf, Scope, WindowEmit } from '../scope.ts'
import { text } from '../scope.ts'
import type { Operators } from './operator.ts'
import { typesOf } from './tables.ts'

/** Operators between a stream or table and its aggregates: grouping, cogrouping, windowing. */
export const groupOperators: Operators = {
  groupByKey: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const grouped = source.stream.groupByKey({
      name: text(operator, 'name'),
      key: datumSerde(source.key) as never,
      value: datumSerde(source.value) as never,
    })
    scope.define(operator, {
      ...typesOf(source),
      kind: 'groupedStream',
      grouped: grouped as GroupedStream<Datum, Datum>,
    })
  },
  groupBy: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream', 'table')
    if (source.kind === 'table') groupTable(operator, scope, source)
    else groupStream(operator, scope, source)
  },
  cogroup: (operator, scope) => {
    const parts = (operator['of'] as readonly { group: string; aggregator: FunctionCall }[]).map((part) => ({
      add: aggregator(part.aggregator),
      source: scope.of(part.group, 'groupedStream'),
      call: part.aggregator,
    }))
    const [first, ...rest] = parts
    if (first === undefined) throw new Error('cogroup needs at least one group')
    const start = first.source.grouped.cogroup<Datum>((aggregate, value, { key }) =>
      first.add(key, value, aggregate),
    )
    const cogrouped = rest.reduce(
      (all, { add, source }) =>
        all.cogroup(source.grouped, (aggregate, value, { key }) => add(key, value as Datum, aggregate)),
      start,
    )
    scope.define(operator, { kind: 'cogrouped', key: first.source.key, value: aggregateOf(parts), cogrouped })
  },
  windowedBy: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'groupedStream', 'cogrouped')
    const subject = source.kind === 'groupedStream' ? source.grouped : source.cogrouped
    scope.define(operator, windowed(operator, source, subject as GroupedStream<Datum, Datum>))
  },
}

const aggregateOf = (parts: readonly { call: FunctionCall }[]): 'string' | 'long' =>
  ['append', 'append-pair', 'append-unless', 'remove'].includes(parts[0]?.call.fn ?? '') ? 'string' : 'long'

const groupStream = (operator: Operator, scope: Scope, source: EntryOf<'stream'>): void => {
  const call = operator['key'] as FunctionCall
  const select = selector(call)
  const key = selectedType(call, source.key, source.value)
  const grouped = source.stream.groupBy((record) => select(record.key, record.value), {
    name: text(operator, 'name'),
    key: datumSerde(key) as never,
    value: datumSerde(source.value) as never,
  })
  scope.define(operator, {
    kind: 'groupedStream',
    key,
    value: source.value,
    grouped: grouped as GroupedStream<Datum, Datum>,
  })
}

const groupTable = (operator: Operator, scope: Scope, source: EntryOf<'table'>): void => {
  const keyCall = operator['key'] as FunctionCall
  const valueCall = operator['value'] as FunctionCall
  const selectKey = selector(keyCall)
  const selectValue = selector(valueCall)
  const key = selectedType(keyCall, source.key, source.value)
  const value = selectedType(valueCall, source.key, source.value)
  const grouped = source.table.groupBy(
    (each: Datum, oldKey: Datum) => ({ key: selectKey(oldKey, each), value: selectValue(oldKey, each) }),
    { name: text(operator, 'name'), key: datumSerde(key) as never, value: datumSerde(value) as never },
  )
  scope.define(operator, { kind: 'groupedTable', key, value, grouped: grouped as never })
}

/** The windows of an operator, one DSL call for each type. */
const windowed = (operator: Operator, source: Entry, subject: GroupedStream<Datum, Datum>): Entry => {
  const window = operator['window'] as Readonly<Record<string, number>> & { readonly type: string }
  const types = typesOf(source)
  const emit: WindowEmit = operator['emit'] === 'onWindowClose' ? 'onWindowClose' : 'onUpdate'
  const grace = window['graceMs'] ?? 0
  const timed = (stream: EntryOf<'timeWindowed'>['windowed'], sizeMs: number): Entry => ({
    ...types,
    kind: 'timeWindowed',
    windowed: stream,
    emit,
    windowedKey: { inner: source.key, sizeMs },
  })
  const size = window['sizeMs'] as number
  switch (window.type) {
    case 'tumbling':
      return timed(subject.windowedBy(tumbling({ size, grace })), size)
    case 'hopping':
      return timed(subject.windowedBy(hopping({ size, advance: window['advanceMs'] as number, grace })), size)
    case 'sliding': {
      const difference = window['differenceMs'] as number
      return timed(subject.windowedBy(sliding({ difference, grace })), difference)
    }
    case 'session':
      return {
        ...types,
        kind: 'sessionWindowed',
        windowed: subject.windowedBy(session({ gap: window['gapMs'] as number, grace })),
        emit,
        windowedKey: { inner: source.key, sizeMs: undefined },
      }
    default:
      throw new Error(`unknown window type '${window.type}': there are tumbling, hopping, sliding, session`)
  }
}
