import type { RequiredKind } from '../base/options.ts'
import { copyPlain } from '../base/plain-data.ts'
import { isAsync, synchronous } from '../base/value-kinds.ts'
import type { Headers } from '../topic/headers.ts'
import type { KeyValueRecord } from '../topic/record.ts'

/**
 * The shapes of an author's callbacks. Stateless verbs get the record; `mapValues`, reducers, aggregators and joiners
 * get the value first, and the record or the key after it.
 */
export type Predicate<K, V> = (record: KeyValueRecord<K, V>) => boolean

/** A predicate that narrows the type of the values it accepts. */
export type Guard<K, V, V2 extends V> = (record: KeyValueRecord<K, V>) => record is KeyValueRecord<K, V2>

/** What `map` and piped operators give: time and headers default to those of the record they were made from. */
export interface Emitted<out K, out V> {
  readonly key: K
  readonly value: V
  readonly timestamp?: number | undefined
  readonly headers?: Headers | undefined
}

/** Combines an aggregate with the next value of its key. Null deletes the aggregate. */
export type Reducer<V> = (aggregate: V, value: V) => V | null

/** Adds a value to an aggregate and returns the new aggregate. Null deletes the aggregate of the key. */
export type Adder<A, K, V> = (aggregate: A, value: V, record: KeyValueRecord<K, V>) => A | null

/** Makes the value of a join from the values of its left and right side (Kafka Streams' `ValueJoiner`). */
export type Joiner<K, L, R, J> = (left: L, right: R, key: K) => J

/** A value, or a function that makes one for each new aggregate. */
export type Initial<A> = A | (() => A)

/** The kind of the option `initial`, which may hold anything that a store can. */
export const initialOption: RequiredKind = {
  required: true,
  needs: 'the first value of each aggregate, or a function that makes one',
  accepts: (initial) => !isAsync(initial),
}

/** The kind of a callback among the options; a message names its part, as in "needs a function (add)". */
export const callbackOption = (part: string): RequiredKind => ({
  ...synchronous,
  required: true,
  missing: `it needs a function (${part})`,
})

/** Each new aggregate is a copy of its own, so that an aggregator may add in place; a class instance needs a function. */
export const initialiser = <A>(initial: Initial<A>): (() => A) => {
  const made = typeof initial === 'function' ? (initial as () => A) : () => initial
  return () => {
    const value = made()
    return copyPlain(value) ?? value
  }
}

/**
 * The predicate that holds for every record: the last branch of a split.
 *
 * @example
 * orders.split({ large: ({ value }) => value.amount > 1_000, small: otherwise })
 */
export const otherwise = (): boolean => true
