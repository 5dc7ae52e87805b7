import { Fault } from './fault.ts'

/** True of promises, and of other objects that can be awaited. */
export const isThenable = (result: unknown): result is PromiseLike<unknown> =>
  typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function'

/** The fault of a promise where a result is needed at once. It takes the rejection, which would end the process. */
export const promiseReturned = (
  what: string,
  promise: PromiseLike<unknown> | undefined,
  remedy: string,
  verb = 'returned',
): Fault => {
  promise?.then(undefined, () => {})
  return new Fault({
    code: 'PROMISE_RETURNED',
    actor: 'author',
    message: `${what} ${verb} a promise, but its result is needed at once`,
    remedy,
  })
}
