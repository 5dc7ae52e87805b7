import { Fault } from '../base/fault.ts'
import type { EmittedRecord } from './node.ts'

/**
 * What the callbacks of a topology return is checked where it enters: the compiler does not see JavaScript, `any` and
 * parsed data. A promise would be taken for a value, and what is undefined would become a tombstone.
 */

/** Refuses a promise where a callback has to return its result at once. */
export const refusePromise = (callback: string, result: unknown): void => {
  if (isThenable(result)) throw promiseReturned(callback, result)
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

/** True of `{ key, value }`, which may have a time and headers. Key and value may be null, and the value not undefined. */
export const isEmittedRecord = (emission: unknown): emission is EmittedRecord =>
  typeof emission === 'object' &&
  emission !== null &&
  'key' in emission &&
  (emission as Partial<EmittedRecord>).value !== undefined

/** The fault of what is no record; `what` says who made it. */
export const emissionInvalid = (what: string, emission: unknown): Fault =>
  isThenable(emission)
    ? promiseReturned(what.replace(/ (returned|emitted)$/, ''), emission)
    : new Fault({
        code: 'EMISSION_INVALID',
        actor: 'record',
        message: `${what} ${shown(emission)}, which is no record`,
        remedy: 'give an object { key, value }, where null stands for no value',
      })

/** What a callback returned, as a message shows it. */
export const shown = (result: unknown): string => {
  if (typeof result === 'string') return `the text '${result}'`
  if (result instanceof Date) return `the Date ${String(result)}`
  if (Array.isArray(result)) return 'an array'
  if (typeof result === 'function') return 'a function'
  if (typeof result === 'object' && result !== null) return `an object (${Object.keys(result).join(', ')})`
  return Object.is(result, -0) ? '0' : String(result)
}

const isThenable = (result: unknown): result is PromiseLike<unknown> =>
  typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function'

/** The promise is refused here, so its rejection is nobody else's: it must not end the process as unhandled. */
const promiseReturned = (callback: string, promise: PromiseLike<unknown>): Fault => {
  promise.then(undefined, () => {})
  return new Fault({
    code: 'PROMISE_RETURNED',
    actor: 'author',
    message: `${callback} returned a promise, but its result is needed at once`,
    remedy: 'use mapAsync or mapValuesAsync for asynchronous work',
  })
}

const undefinedReturned = (callback: string): Fault =>
  new Fault({
    code: 'UNDEFINED_RETURNED',
    actor: 'record',
    message: `${callback} returned undefined`,
    remedy: 'return a value, or null for a deletion (a tombstone)',
  })
