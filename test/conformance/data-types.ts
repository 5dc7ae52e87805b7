import { long, nullable, sessionWindowed, string, timeWindowed } from 'millrace'
import type { Serde } from 'millrace'
import type { Datum } from './functions.ts'
import type { FunctionCall } from './scenario.ts'

/**
 * The types of keys and values along a scenario's topology: text, 64-bit integers, and windowed keys. They decide the
 * serdes, and with them the order of keys and what lies in stores.
 */
export type DataType = 'string' | 'long' | WindowedType
export interface WindowedType {
  readonly inner: DataType
  /** Undefined for sessions, whose keys carry both bounds. */
  readonly sizeMs: number | undefined
}

export const datumSerde = (type: DataType): Serde<Datum> => {
  if (type === 'string') return string as Serde<unknown> as Serde<Datum>
  if (type === 'long') return long as Serde<unknown> as Serde<Datum>
  const inner = datumSerde(type.inner)
  return (type.sizeMs === undefined
    ? sessionWindowed(inner)
    : timeWindowed(inner, type.sizeMs)) as unknown as Serde<Datum>
}

export const nullableSerde = (type: DataType): Serde<Datum> => nullable<Datum>(datumSerde(type))

/** What the `types` of a scenario call it. */
export const typeName = (type: DataType): string =>
  typeof type === 'string' ? type : `windowed(${typeName(type.inner)})`

/** What a selector makes of a key and a value of these types. */
export const selectedType = (call: FunctionCall, key: DataType, value: DataType): DataType => {
  switch (call.fn) {
    case 'key':
      return key
    case 'value':
    case 'null-if-prefix':
      return value
    case 'const':
      return typeof call['value'] === 'number' ? 'long' : 'string'
    case 'length':
    case 'parse-int':
    case 'add':
    case 'field-int':
      return 'long'
    case 'inner-key':
      return typeof key === 'string' ? key : key.inner
    default:
      return 'string'
  }
}

export const elementType = (call: FunctionCall, value: DataType): DataType =>
  call.fn === 'repeat' ? value : 'string'

export const joinedType = (call: FunctionCall, left: DataType, right: DataType): DataType => {
  if (call.fn === 'left') return left
  if (call.fn === 'right') return right
  return call.fn === 'sum' ? 'long' : 'string'
}

export const aggregateType = (call: FunctionCall): DataType =>
  ['append', 'append-pair', 'append-unless', 'remove'].includes(call.fn) ? 'string' : 'long'
