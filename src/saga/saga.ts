import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { anyObject, nested, oneOf, required, synchronous, text } from '../base/value-kinds.ts'
import { Fault } from '../base/fault.ts'
import type { Topic } from '../topic/topic.ts'
import { topicContract } from '../topic/value-kinds.ts'
import type { AnySinkTopic, SourceTopic } from '../topology/node-topic.ts'
import { faultsOf } from './check.ts'
import type { SagaStatus } from './state.ts'
import type { Direction, Reply, RetryOptions, SagaData, Step, StepMaker, UnnamedStep } from './step.ts'
import { isStep, replyWaitOptions, stepWith } from './step.ts'

/** How a saga ended, or where it came to a stop. */
export interface SagaResult {
  readonly status: Exclude<SagaStatus, 'RUNNING' | 'COMPENSATING'>
  /** The step that failed, and why; null where all went well. */
  readonly failure: { readonly step: string; readonly reason: string } | null
}

/** Options of `saga`. Times are in milliseconds. */
export interface SagaOptions<Start, O> {
  /** Each record begins the saga of its key; a second one with the same key changes nothing. */
  readonly startedBy: Topic<string, Start>
  /** The steps in their order. They are known by name, so steps may be added while sagas are under way. */
  readonly steps: (step: StepMaker<Start>) => Readonly<Record<string, UnnamedStep>>
  /** The event that publishes how a saga ended. */
  readonly outcome?: {
    readonly to: Topic<string, O>
    readonly value: (data: SagaData<Start>, result: SagaResult) => NoInfer<O>
  }
  /** For every step that says nothing of its own. */
  readonly timeout?: number
  readonly retry?: RetryOptions
  /** A reply to a saga that does not exist: `fail` (the record's failure policy decides), or `ignore`. */
  readonly whenMissing?: 'fail' | 'ignore'
  /** The service that answers for the whole flow. */
  readonly owner?: string
}

const sagaOptions: OptionShape<SagaOptions<never, never>> = {
  ...replyWaitOptions,
  startedBy: required(topicContract),
  steps: required(synchronous),
  outcome: nested<NonNullable<SagaOptions<never, never>['outcome']>>({
    to: required(topicContract),
    value: required(synchronous),
  }),
  whenMissing: oneOf('fail', 'ignore'),
  owner: text,
}

const stepsKind: ValueKind = {
  needs: 'to return steps by name, each what step(...) returns',
  accepts: (value) => anyObject.accepts(value) && Object.values(value as object).every(isStep),
}

/** A saga as data: checked, frozen, and not yet running anywhere. */
export interface Saga {
  readonly name: string
  readonly owner: string | undefined
  /** @internal */
  readonly startedBy: SourceTopic
  /** @internal */
  readonly steps: readonly Step[]
  /**
   * Which command a reply answers, by the reply's topic.
   *
   * @internal
   */
  readonly repliesByTopic: ReadonlyMap<string, ReplyPlace>
  /** @internal */
  readonly outcome:
    | {
        readonly topic: AnySinkTopic
        readonly value: (data: SagaData<never>, result: SagaResult) => unknown
      }
    | undefined
  /** @internal */
  readonly whenMissing: 'fail' | 'ignore'
}

export interface ReplyPlace {
  readonly step: string
  readonly direction: Direction
  readonly name: string
  readonly reply: Reply
}

/**
 * Says a saga: steps that run one after the other, each with a command, its replies and its undo. It is checked at once
 * (every compensable step must say how it is undone, and only retriable steps may follow the pivot), and all faults are
 * reported together.
 *
 * @example
 * export const fulfilment = saga('order-fulfilment', {
 *   startedBy: orderRequested,
 *   timeout: seconds(30),
 *   steps: (step) => ({
 *     reserve: step({
 *       command: { to: reserveStock, value: ({ start }) => start },
 *       replies: { reserved: succeeds(stockReserved), refused: refuses(stockRefused) },
 *       undo: { to: releaseStock, value: ({ start }) => start, replies: { released: succeeds(stockReleased) } },
 *     }),
 *     deliver: step({
 *       kind: 'retriable',
 *       command: { to: startDelivery, value: ({ start }) => start },
 *       replies: { started: succeeds(deliveryStarted) },
 *     }),
 *   }),
 * })
 */
export const saga = <Start, O = never>(name: string, options: SagaOptions<Start, O>): Saga => {
  checkArgument('saga', name, text)
  checkOptions(`saga '${name}'`, options, sagaOptions)
  const { timeout, retry, outcome } = options
  const defaults = {
    ...(timeout === undefined ? {} : { timeout }),
    ...(retry === undefined ? {} : { retry }),
  }
  const unnamed = options.steps(stepWith<Start>(defaults))
  checkArgument(`the function 'steps' of saga '${name}'`, unnamed, stepsKind)
  const steps = Object.entries(unnamed).map(([step, definition]) =>
    Object.freeze({ ...definition, name: step }),
  )
  const startedBy = options.startedBy as SourceTopic
  const faults = faultsOf(startedBy, steps)
  if (faults.length > 0) throw sagaFault(name, faults)
  return Object.freeze({
    name,
    owner: options.owner,
    startedBy,
    steps: Object.freeze(steps),
    repliesByTopic: new Map(replyPlaces(steps).map((place) => [place.reply.topic.name, place])),
    outcome: outcome === undefined ? undefined : { topic: outcome.to, value: outcome.value },
    whenMissing: options.whenMissing ?? 'fail',
  })
}

/** The step of that name; undefined where a deploy has taken it away. */
export const stepNamed = (definition: Saga, name: string): Step | undefined =>
  definition.steps.find((step) => step.name === name)

/** Every reply of every command. */
const replyPlaces = (steps: readonly Step[]): readonly ReplyPlace[] =>
  steps.flatMap(({ name: step, command, undo }) =>
    (['do', 'undo'] as const).flatMap((direction) =>
      Object.entries((direction === 'do' ? command : undo)?.replies ?? {}).map(([name, reply]) => ({
        step,
        direction,
        name,
        reply,
      })),
    ),
  )

const sagaFault = (name: string, faults: readonly Fault[]): Fault =>
  new Fault({
    code: 'SAGA_INVALID',
    actor: 'author',
    message: `saga '${name}' has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}:\n${faults
      .map(({ message }) => `  - ${message}`)
      .join('\n')}`,
    cause: new AggregateError(faults),
  })
