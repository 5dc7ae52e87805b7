import { Fault } from './fault.ts'
import { propertyOf } from './thrown.ts'

/** Promises where none may be. What refuses one also takes its rejection, which would end the process as unhandled. */

/** True of promises, and of other objects that can be awaited. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

/** The fault of a promise where a result is needed at once. */
export const promiseReturned = (
  what: string,
  promise: PromiseLike<unknown> | undefined,
  remedy: string,
  verb = 'returned',
): Fault => {
  takeRejection(promise)
  return new Fault({
    code: 'PROMISE_RETURNED',
    actor: 'author',
    message: `${what} ${verb} a promise, but its result is needed at once`,
    remedy,
  })
}

export const takeRejection = (refused: unknown): void => {
  if (isThenable(refused)) refused.then(undefined, () => {})
}

/** The same for every promise in a value that is refused, as far as its arrays and objects reach. */
export const takeRejections = (refused: unknown): void => {
  const found = new Set([refused])
  for (const value of found) {
    if (typeof value !== 'object' || value === null) continue
    if (value instanceof Promise) takeRejection(value)
    else
      for (const name of Object.keys(value)) {
        if (found.size >= mostValues) return
        found.add(propertyOf(value, name))
      }
  }
}

const mostValues = 10_000
