import { Fault } from '../base/fault.ts'
import type { ValueKind } from '../base/options.ts'
import { checkArgument } from '../base/options.ts'
import { callback, isAsync } from '../base/value-kinds.ts'

/** What JavaScript may give in place of the functions, streams and tables that the verbs take. */

/** Refuses what is no function, and an async one: its result is needed at once, or nothing would wait for it. */
export const requireFunction = (what: string, value: unknown, part?: string): void => {
  checkArgument(what, value, part === undefined ? callback : { ...callback, needs: `a function (${part})` })
  if (isAsync(value))
    throw new Fault({
      code: 'PROMISE_RETURNED',
      actor: 'author',
      message: `${what} needs a function that returns its result at once, and got an async function`,
      remedy: 'use mapAsync or mapValuesAsync for asynchronous work',
    })
}

/** Refuses the promise of a function that defines: the steps it adds later would not be part of the topology. */
export const refuseLaterSteps = (what: string, result: unknown): void => {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return
  void (result as PromiseLike<unknown>).then(undefined, () => undefined)
  throw new Fault({
    code: 'PROMISE_RETURNED',
    actor: 'author',
    message: `${what} returned a promise, but a topology is defined at once`,
    remedy: 'await what you need before you define the topology',
  })
}

type HandleKind = 'stream' | 'table' | 'globalTable' | 'groupedStream'

/** What a fluent class is, for those that take another. */
export interface Handle<Kind extends HandleKind> {
  /** @internal */
  readonly handle: Kind
}

const nouns: Readonly<Record<HandleKind, string>> = {
  stream: 'a stream',
  table: 'a table',
  globalTable: 'a global table',
  groupedStream: 'a grouped stream',
}

const handleOf = (value: unknown): HandleKind | undefined =>
  (value as Partial<Handle<HandleKind>> | null | undefined)?.handle

/** Refuses what is none of these. */
export const requireHandle = (verb: string, value: unknown, ...kinds: readonly HandleKind[]): void => {
  const kind: ValueKind = {
    needs: kinds.map((each) => nouns[each]).join(' or '),
    accepts: (given) => kinds.some((each) => each === handleOf(given)),
  }
  checkArgument(verb, value, kind)
}
