import type { Stream } from 'millrace'
import { otherwise } from 'millrace'
import { datumSerde, elementType, selectedType } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { list, predicate, selector } from '../functions.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import type { EntryOf, Scope } from '../scope.ts'
import { given, text } from '../scope.ts'
import type { Operators } from './operator.ts'
import { filterTable, mapTableValues } from './tables.ts'

/** Operators of streams, and those that streams and tables share. */
export const streamOperators: Operators = {
  stream: (operator, scope) => {
    const value = operator['valueType'] === 'long' ? 'long' : 'string'
    const stream = scope.builder.stream(scope.input(text(operator, 'topic'), value))
    scope.define(operator, { kind: 'stream', key: 'string', value, stream })
  },
  filter: (operator, scope) => filter('filter', operator, scope),
  filterNot: (operator, scope) => filter('filterNot', operator, scope),
  mapValues: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream', 'table')
    const call = operator['value'] as FunctionCall
    const select = selector(call)
    const value = selectedType(call, source.key, source.value)
    if (source.kind === 'table') return mapTableValues(operator, scope, source, select, value)
    scope.define(operator, {
      ...source,
      value,
      stream: source.stream.mapValues((each, { key }) => select(key, each), {
        value: datumSerde(value) as never,
      }),
    })
  },
  map: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const pair = pairOf(operator, source)
    const stream: Stream<Datum, Datum> = source.stream.map(
      ({ key, value }) => pair.select(key, value),
      pair.serdes,
    )
    scope.define(operator, { ...source, ...pair.types, stream })
  },
  selectKey: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const call = operator['key'] as FunctionCall
    const select = selector(call)
    const key = selectedType(call, source.key, source.value)
    const stream = source.stream.selectKey((record) => select(record.key, record.value), {
      key: datumSerde(key) as never,
    })
    scope.define(operator, { ...source, key, stream: stream })
  },
  flatMapValues: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const call = operator['each'] as FunctionCall
    const elements = list(call)
    const value = elementType(call, source.value)
    const stream = source.stream.flatMapValues((each) => elements(each), {
      value: datumSerde(value) as never,
    })
    scope.define(operator, { ...source, value, stream })
  },
  flatMap: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const call = operator['each'] as FunctionCall
    const elements = list(call)
    const pair = pairOf(operator, { ...source, value: elementType(call, source.value) })
    const stream = source.stream.flatMap(
      ({ key, value }) => elements(value).map((element) => pair.select(key, element)),
      pair.serdes,
    )
    scope.define(operator, { ...source, ...pair.types, stream: stream })
  },
  split: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const branches: Record<string, (record: { key: Datum; value: Datum }) => boolean> = {}
    for (const { id, if: call } of operator['branches'] as readonly { id: string; if: FunctionCall }[]) {
      const holds = predicate(call)
      branches[id] = ({ key, value }) => holds(key, value)
    }
    if (operator['default'] !== undefined) branches[text(operator, 'default')] = otherwise
    const streams = source.stream.split(branches, undefined, { name: text(operator, 'name') })
    for (const [id, stream] of Object.entries(streams)) scope.entries.set(id, { ...source, stream: stream })
  },
  merge: (operator, scope) => {
    const [first, ...rest] = (operator['of'] as readonly string[]).map((id) => scope.of(id, 'stream'))
    if (first === undefined) throw new Error('merge needs at least one stream')
    const stream = rest.reduce((merged, other) => merged.merge(other.stream), first.stream)
    scope.define(operator, { ...first, stream })
  },
  repartition: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const stream = source.stream.repartition({
      name: text(operator, 'name'),
      key: datumSerde(source.key) as never,
      value: datumSerde(source.value) as never,
    })
    scope.define(operator, { ...source, stream })
  },
  to: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream', 'table')
    const stream = source.kind === 'stream' ? source.stream : source.table.toStream()
    stream.to(scope.output(text(operator, 'topic'), source))
  },
}

const filter = (verb: 'filter' | 'filterNot', operator: Operator, scope: Scope): void => {
  const source = scope.of(text(operator, 'from'), 'stream', 'table')
  const holds = predicate(operator['if'] as FunctionCall)
  if (source.kind === 'table') filterTable(verb, operator, scope, source, holds)
  else
    scope.define(operator, { ...source, stream: source.stream[verb](({ key, value }) => holds(key, value)) })
}

/** The `key` and `value` selectors of an operator, with the types and serdes of what they give. */
const pairOf = (operator: Operator, { key, value }: Pick<EntryOf<'stream'>, 'key' | 'value'>) => {
  const keyCall = operator['key'] as FunctionCall
  const valueCall = operator['value'] as FunctionCall
  const selectKey = selector(keyCall)
  const selectValue = selector(valueCall)
  const types = { key: selectedType(keyCall, key, value), value: selectedType(valueCall, key, value) }
  return {
    types,
    serdes: given({ key: datumSerde(types.key), value: datumSerde(types.value) }),
    select: (oldKey: Datum, oldValue: Datum) => ({
      key: selectKey(oldKey, oldValue),
      value: selectValue(oldKey, oldValue),
    }),
  }
}
