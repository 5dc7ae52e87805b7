import { Fault } from '../base/fault.ts'

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
