import { Fault } from '../base/fault.ts'
import { isThenable, takeRejection } from '../base/promises.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import type { AnyRecord, EmittedRecord } from './node.ts'

/**
 * What the callbacks of a topology return is checked where it enters: the compiler does not see JavaScript, `any` and
 * parsed data. A promise would be taken for a value, and what is undefined would become a tombstone.
 */

/** Refuses a promise where a callback has to return its result at once. */
export const refusePromise = (callback: string, result: unknown, verb = 'returned'): void => {
  if (isThenable(result)) throw promiseReturned(callback, result, verb)
}

/** A key, a value or an aggregate that a callback made. Null deletes; undefined is a forgotten `return`. */
export const resultOf = <T>(callback: string, result: T): T => {
  if (result === undefined) throw undefinedReturned(callback)
  if (isThenable(result)) throw promiseReturned(callback, result)
  return result
}

/** A result that may be left out. */
export const optionalResultOf = <T>(callback: string, result: T): T => {
  if (isThenable(result)) throw promiseReturned(callback, result)
  return result
}

/**
 * A record that a callback made: `{ key, value }`, which may have a time and headers. Key and value may be null, the value
 * not undefined, and neither may be a promise. `what` says who made it ('the mapper returned').
 */
export const emittedRecordOf = (what: string, emission: unknown, needsKey = true): EmittedRecord => {
  if (typeof emission !== 'object' || emission === null || (needsKey && !('key' in emission)))
    throw emissionInvalid(what, emission)
  const { key, value } = emission as Partial<EmittedRecord>
  if (value === undefined) throw emissionInvalid(what, emission)
  if (isThenable(key)) throw promiseReturned(makerIn(what), key)
  if (isThenable(value)) throw promiseReturned(makerIn(what), value)
  return emission as EmittedRecord
}

/** The same for a record that was changed (`record.withValue(...)`). What it holds undecoded stays so. */
export const changedRecordOf = (what: string, record: AnyRecord): AnyRecord => {
  if (record.isValueUndefined) throw undefinedReturned(makerIn(what))
  const { keyInHand, valueInHand } = record
  if (isThenable(keyInHand)) throw promiseReturned(makerIn(what), keyInHand)
  if (isThenable(valueInHand)) throw promiseReturned(makerIn(what), valueInHand)
  return record
}

/** The results of a callback that makes several. An async generator is refused as a promise is. */
export const iterableOf = <T>(what: string, results: Iterable<T>): Iterable<T> => {
  const given: unknown = results
  if (isThenable(given)) throw promiseReturned(what, given)
  if (typeof given !== 'string' && (typeof given !== 'object' || given === null))
    throw notIterable(what, given)
  if (Symbol.iterator in Object(given)) return results
  throw Symbol.asyncIterator in Object(given) ? promiseReturned(what, undefined) : notIterable(what, given)
}

const makerIn = (what: string): string => what.replace(/ (returned|emitted|forwarded)$/, '')

/** The fault of what is no record. */
const emissionInvalid = (what: string, emission: unknown): Fault =>
  isThenable(emission)
    ? promiseReturned(makerIn(what), emission)
    : new Fault({
        code: 'EMISSION_INVALID',
        actor: 'record',
        message: `${what} ${kindOfValue(emission)}, which is no record`,
        remedy: 'give an object { key, value }, where null stands for no value',
        contents: contentsOfValue('returned', emission),
      })

const promiseReturned = (
  callback: string,
  promise: PromiseLike<unknown> | undefined,
  verb = 'returned',
): Fault => {
  takeRejection(promise)
  return new Fault({
    code: 'PROMISE_RETURNED',
    actor: 'author',
    message: `${callback} ${verb} a promise, but its result is needed at once`,
    remedy: 'use mapAsync or mapValuesAsync for asynchronous work',
  })
}

const notIterable = (what: string, results: unknown): Fault =>
  new Fault({
    code: 'EMISSION_INVALID',
    actor: 'record',
    message: `${what} returned ${kindOfValue(results)}, which is no list`,
    remedy: 'return an array or a generator; an empty one emits nothing',
    contents: contentsOfValue('returned', results),
  })

const undefinedReturned = (callback: string): Fault =>
  new Fault({
    code: 'UNDEFINED_RETURNED',
    actor: 'record',
    message: `${callback} returned undefined`,
    remedy: 'return a value, or null for a deletion (a tombstone)',
  })
