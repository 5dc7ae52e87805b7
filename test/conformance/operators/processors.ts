import { keyValueStore, sessionStore, versionedStore, windowStore } from 'millrace'
import { nullableSerde } from '../data-types.ts'
import type { Datum } from '../functions.ts'
import { processorProgram, transformerProgram } from '../programs.ts'
import type { FunctionCall, Operator } from '../scenario.ts'
import { given, optionalText, text } from '../scope.ts'
import type { Operators } from './operator.ts'

/** Processors, their stores, and `transformValues` of tables; a program takes the place of a function. */
export const processorOperators: Operators = {
  store: (operator, scope) => scope.builder.store(storeOf(operator)),
  process: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const program = processorProgram(operator['program'] as FunctionCall)
    const stream = source.stream.process<Datum, Datum>(program, {
      ...options(operator),
      key: nullableSerde(source.key) as never,
      value: nullableSerde('string') as never,
    })
    scope.define(operator, { ...source, value: 'string', stream })
  },
  processValues: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'stream')
    const program = processorProgram(operator['program'] as FunctionCall)
    const stream = source.stream.processValues<Datum>(program, {
      ...options(operator),
      value: nullableSerde('string') as never,
    })
    scope.define(operator, { ...source, value: 'string', stream })
  },
  transformValues: (operator, scope) => {
    const source = scope.of(text(operator, 'from'), 'table')
    const program = transformerProgram(operator['program'] as FunctionCall)
    const table = source.table.transformValues<Datum>(program, {
      ...options(operator),
      ...given({ store: optionalText(operator, 'store') }),
      value: nullableSerde('string') as never,
    })
    scope.define(operator, { ...source, value: 'string', table })
  },
}

const options = (operator: Operator): { readonly name: string; readonly stores: readonly string[] } => ({
  name: text(operator, 'name'),
  stores: (operator['stores'] as readonly string[] | undefined) ?? [],
})

const storeOf = (operator: Operator): ReturnType<typeof keyValueStore> => {
  const name = text(operator, 'store')
  const value = nullableSerde(operator['valueType'] === 'long' ? 'long' : 'string')
  const retention = Number(operator['retentionMs'])
  switch (text(operator, 'kind')) {
    case 'keyValue':
      return keyValueStore(name, { value, timestamped: operator['timestamped'] === true })
    case 'timestamped':
    case 'timestampedKeyValue':
      return keyValueStore(name, { value, timestamped: true })
    case 'versioned':
      return versionedStore(name, { value, historyRetention: retention })
    case 'window':
      return windowStore(name, { value, size: Number(operator['sizeMs']), retention })
    case 'session':
      return sessionStore(name, { value, retention })
    default:
      throw new Error(
        `unknown kind of store '${String(operator['kind'])}': there are keyValue, timestamped, versioned, window, session`,
      )
  }
}
