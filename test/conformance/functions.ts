import type { Windowed } from 'millrace'
import type { FunctionCall, Value } from './scenario.ts'

/**
 * The functions scenarios name: selectors, predicates, lists, joiners, reducers, aggregators and mergers. `Datum` is a
 * key or a value inside a running topology, where a windowed key is Millrace's own.
 */
export type Datum = Value | Windowed<Value>
export type Selector = (key: Datum, value: Datum) => Datum
export type PredicateFunction = (key: Datum, value: Datum) => boolean
export type ListFunction = (value: Datum) => readonly Datum[]
export type JoinerFunction = (key: Datum, left: Datum, right: Datum) => Datum
export type ReducerFunction = (aggregate: Datum, value: Datum) => Datum
export type AggregatorFunction = (key: Datum, value: Datum, aggregate: Datum) => Datum
export type MergerFunction = (key: Datum, left: Datum, right: Datum) => Datum

/** What a key or a value looks like as text. */
export const show = (datum: Datum): string => {
  if (datum === null) return 'null'
  if (typeof datum === 'object') return `${show(datum.key)}@${datum.startMs}-${datum.endMs}`
  return String(datum)
}

/** What a key or a value counts as where a number is wanted. */
export const int = (datum: Datum): number => {
  if (typeof datum === 'number') return datum
  return typeof datum === 'string' && /^-?[0-9]{1,9}$/.test(datum) ? Number(datum) || 0 : 0
}

const empty = (aggregate: Datum): string => (aggregate === null ? '' : show(aggregate))
const text = (call: FunctionCall): string => String(call['text'])
const number = (call: FunctionCall, name: string): number => Number(call[name] ?? 0)
const separator = (call: FunctionCall, fallback: string): string =>
  (call['sep'] as string | undefined) ?? fallback

const piece = (value: Datum, call: FunctionCall): string | null =>
  value === null ? null : (show(value).split(separator(call, ':'))[number(call, 'index')] ?? null)

const firstCharacter = (datum: Datum): string | null =>
  datum === null || datum === '' ? null : show(datum).slice(0, 1)

/** The aggregate without the first occurrence of the value's text. */
const without = (aggregate: Datum, value: Datum): string => {
  const whole = empty(aggregate)
  const part = show(value)
  const at = whole.indexOf(part)
  return at < 0 ? whole : whole.slice(0, at) + whole.slice(at + part.length)
}

const kept = (value: Datum, change: (value: Exclude<Datum, null>) => Datum): Datum =>
  value === null ? null : change(value)

type Table<F> = Readonly<Record<string, (call: FunctionCall) => F>>

const selectors: Table<Selector> = {
  key: () => (key) => key,
  value: () => (_key, value) => value,
  const: (call) => () => call['value'] as Datum,
  upper: () => (_key, value) => kept(value, (present) => show(present).toUpperCase()),
  suffix: (call) => (_key, value) => kept(value, (present) => show(present) + text(call)),
  length: () => (_key, value) => kept(value, (present) => show(present).length),
  'parse-int': () => (_key, value) => kept(value, int),
  add: (call) => (_key, value) => kept(value, (present) => int(present) + number(call, 'n')),
  'null-if-prefix': (call) => (_key, value) =>
    kept(value, (present) => (show(present).startsWith(text(call)) ? null : present)),
  field: (call) => (_key, value) => piece(value, call),
  'field-int': (call) => (_key, value) => kept(value, (present) => int(piece(present, call))),
  'first-char': () => (_key, value) => firstCharacter(value),
  'key-first-char': () => (key) => firstCharacter(key),
  show: () => (_key, value) => show(value),
  'show-key': () => (key) => show(key),
  'show-pair': () => (key, value) => `${show(key)}=${show(value)}`,
  'inner-key': () => (key) => innerKey(key),
}

const innerKey = (key: Datum): Datum => (key !== null && typeof key === 'object' ? key.key : key)

const predicates: Table<PredicateFunction> = {
  'longer-than': (call) => (_key, value) => typeof value === 'string' && value.length > number(call, 'n'),
  'starts-with': (call) => (_key, value) => typeof value === 'string' && value.startsWith(text(call)),
  contains: (call) => (_key, value) => typeof value === 'string' && value.includes(text(call)),
  'at-least': (call) => (_key, value) => typeof value === 'number' && value >= number(call, 'n'),
  'is-even': () => (_key, value) => typeof value === 'number' && value % 2 === 0,
  'is-null': () => (_key, value) => value === null,
  'key-is': (call) => (key) => innerKey(key) === text(call),
}

const lists: Table<ListFunction> = {
  words: () => (value) =>
    value === null
      ? []
      : show(value)
          .split(' ')
          .filter((word) => word !== ''),
  chars: () => (value) => (value === null ? [] : show(value).split('')),
  repeat: (call) => (value) => Array.from({ length: number(call, 'n') }, () => value),
}

const concat = (left: Datum, right: Datum, between: string): string => show(left) + between + show(right)

const joiners: Table<JoinerFunction> = {
  concat: (call) => (_key, left, right) => concat(left, right, separator(call, '+')),
  'concat-with-key': (call) => (key, left, right) =>
    `${show(key)}=${concat(left, right, separator(call, '+'))}`,
  left: () => (_key, left) => left,
  right: () => (_key, _left, right) => right,
  sum: () => (_key, left, right) => int(left) + int(right),
  'concat-unless': (call) => (_key, left, right) =>
    left === text(call) || right === text(call) ? null : concat(left, right, '+'),
}

/** Numeric for numbers, else by UTF-16 code unit, which is how JavaScript compares text. */
const larger = (left: Datum, right: Datum): boolean =>
  typeof left === 'number' && typeof right === 'number' ? left >= right : show(left) >= show(right)

const reducers: Table<ReducerFunction> = {
  concat: (call) => (aggregate, value) => concat(aggregate, value, separator(call, '|')),
  max: () => (aggregate, value) => (larger(aggregate, value) ? aggregate : value),
  min: () => (aggregate, value) => (larger(aggregate, value) ? value : aggregate),
  sum: () => (aggregate, value) => int(aggregate) + int(value),
  minus: () => (aggregate, value) => int(aggregate) - int(value),
  first: () => (aggregate) => aggregate,
  last: () => (_aggregate, value) => value,
  remove: () => (aggregate, value) => without(aggregate, value),
  'concat-unless': (call) => (aggregate, value) =>
    value === text(call) ? null : concat(aggregate, value, '|'),
}

const aggregators: Table<AggregatorFunction> = {
  append: (call) => (_key, value, aggregate) =>
    aggregate === null ? show(value) : show(aggregate) + separator(call, '') + show(value),
  'append-pair': () => (key, value, aggregate) => `${empty(aggregate)}${show(key)}=${show(value)};`,
  'append-unless': (call) => (_key, value, aggregate) =>
    value === text(call) ? null : empty(aggregate) + show(value),
  remove: () => (_key, value, aggregate) => without(aggregate, value),
  'sum-lengths': () => (_key, value, aggregate) => int(aggregate) + show(value).length,
  'parse-int-add': () => (_key, value, aggregate) => int(aggregate) + int(value),
  'parse-int-subtract': () => (_key, value, aggregate) => int(aggregate) - int(value),
  'count-up': () => (_key, _value, aggregate) => int(aggregate) + 1,
}

const mergers: Table<MergerFunction> = {
  concat: (call) => (_key, left, right) => concat(left, right, separator(call, '')),
  sum: () => (_key, left, right) => int(left) + int(right),
}

const lookUp =
  <F>(what: string, table: Table<F>) =>
  (call: FunctionCall): F => {
    const make = Object.hasOwn(table, call?.fn) ? table[call.fn] : undefined
    if (make === undefined)
      throw new Error(`unknown ${what} '${call?.fn}': there are ${Object.keys(table).join(', ')}`)
    return make(call)
  }

export const selector: (call: FunctionCall) => Selector = lookUp('selector', selectors)
export const predicate: (call: FunctionCall) => PredicateFunction = lookUp('predicate', predicates)
export const list: (call: FunctionCall) => ListFunction = lookUp('list', lists)
export const joiner: (call: FunctionCall) => JoinerFunction = lookUp('joiner', joiners)
export const reducer: (call: FunctionCall) => ReducerFunction = lookUp('reducer', reducers)
export const aggregator: (call: FunctionCall) => AggregatorFunction = lookUp('aggregator', aggregators)
export const merger: (call: FunctionCall) => MergerFunction = lookUp('merger', mergers)
