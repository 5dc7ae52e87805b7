import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { callback, checkedByReader, nested, numberCheckedByReader, required } from '../base/value-kinds.ts'
import { isDuration } from '../base/duration.ts'
import { serde, serdeSource } from '../topic/value-kinds.ts'
import type { Serde } from '../topic/serde.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Position } from './graph.ts'
import type { Named, SerdeSource } from './options.ts'
import { namedOptions } from './options.ts'

/**
 * How asynchronous work is bounded, ordered and repeated. Under `exactly_once` a commit waits for the work in flight, as
 * a transaction holds all of a record's effects or none. A start raises `transactionTimeoutMs` where all attempts of a
 * record take longer; transactions that a crash leaves open then delay others for longer.
 */
export interface AsyncOptions extends Named {
  /** How many calls run at a time; defaults to 16. */
  readonly concurrency?: number
  /**
   * `key` (the default): the calls of one key run one after another, and their results go on in that order.
   * `partition`: all calls run side by side, and results go on in the order of the records.
   * `nothing`: results go on as they come.
   */
  readonly orderedBy?: 'key' | 'partition' | 'nothing'
  /** How long one call may take, in milliseconds; defaults to 5 seconds. Its signal is aborted then. */
  readonly timeout?: number
  /**
   * How often a call is tried in all (defaults to once), with a pause of `backoff` milliseconds (defaults to 100)
   * that doubles each time. When they are used up, the record has failed, under its failure policy.
   */
  readonly retry?: { readonly attempts: number; readonly backoff?: number }
}

export type AsyncTransform = NodeOf<'mapAsync'>['transform']

/** `key` and `value` of `mapAsync` and `mapValuesAsync`. */
export interface AsyncMapOptions<K, V> extends AsyncOptions {
  readonly key?: Serde<NonNullable<K>>
  readonly value?: SerdeSource<NonNullable<V>>
}

// The numbers are checked below.
const mapValuesAsyncOptions: OptionShape<Omit<AsyncMapOptions<never, never>, 'key'>> = {
  ...namedOptions,
  concurrency: numberCheckedByReader,
  orderedBy: checkedByReader,
  timeout: numberCheckedByReader,
  retry: nested<NonNullable<AsyncOptions['retry']>>({
    attempts: required(numberCheckedByReader),
    backoff: numberCheckedByReader,
  }),
  value: serdeSource,
}
const mapAsyncOptions: OptionShape<AsyncMapOptions<never, never>> = { ...mapValuesAsyncOptions, key: serde }
const orders: ReadonlySet<unknown> = new Set([undefined, 'key', 'partition', 'nothing'])

/** Adds asynchronous work. */
export const asyncNode = (
  at: Position,
  verb: NodeOf<'mapAsync'>['verb'],
  transform: AsyncTransform,
  options: AsyncOptions,
): string => {
  checkArgument(verb, transform, callback)
  if (verb === 'mapAsync') checkOptions(verb, options, mapAsyncOptions)
  else checkOptions(verb, options, mapValuesAsyncOptions)
  if (!orders.has(options.orderedBy))
    at.graph.refuseArgument(
      `${verb}: orderedBy is ${String(options.orderedBy)}, and may be key, partition, nothing`,
    )
  const { concurrency = 16, timeout: timeoutMs = 5_000, orderedBy = 'key' } = options
  const { attempts = 1, backoff: backoffMs = 100 } = options.retry ?? {}
  for (const [what, value] of Object.entries({ concurrency, timeout: timeoutMs, 'retry.attempts': attempts }))
    if (!(Number.isSafeInteger(value) && value >= 1))
      at.graph.fault(
        'ASYNC_OPTION_INVALID',
        `${verb}: ${what} is ${String(value)}`,
        'give it at least 1, a whole number',
        options.name,
      )
  if (!isDuration(backoffMs))
    at.graph.fault(
      'ASYNC_OPTION_INVALID',
      `${verb}: retry.backoff is ${String(backoffMs)}`,
      'give it whole milliseconds',
      options.name,
    )
  return at.graph.add('mapAsync', verb, options.name, {
    from: [at.node],
    verb,
    transform,
    concurrency,
    orderedBy,
    key: at.key,
    timeoutMs,
    retry: { attempts, backoffMs },
  })
}
