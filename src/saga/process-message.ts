import type { Topic } from '../topic/topic.ts'
import { optionalResultOf } from '../topology/callback-results.ts'
import { decide } from './decide.ts'
import { evolve } from './evolve.ts'
import { readStored } from './stored-value.ts'
import type { Saga } from './saga.ts'
import { stepNamed } from './saga.ts'
import type { SagaEvent, SagaMessage, SagaState } from './state.ts'
import type { Direction, SagaData } from './step.ts'

/** A command or an outcome on its way out. */
export interface Outgoing {
  readonly topic: string
  readonly value: unknown
  /** `sagaId/step/direction` for commands, `sagaId/outcome` for outcomes: the same at every attempt. */
  readonly idempotencyKey: string
}

export interface MessageResult {
  readonly state: SagaState | null
  readonly events: readonly SagaEvent[]
  readonly outgoing: readonly Outgoing[]
}

/** Processes one message, purely: the decisions, the next state and the outgoing messages. The state holds every intent to send. */
export const processMessage = (saga: Saga, before: SagaState | null, message: SagaMessage): MessageResult => {
  const events = decide(saga, before, message)
  const outgoing: Outgoing[] = []
  let state = before
  for (const event of events) {
    const publishedOutcome = state?.publishedOutcome
    state = evolve(state, event)
    const out = outgoingOf(saga, state, event, publishedOutcome)
    if (out !== undefined) outgoing.push(out)
  }
  return { state, events, outgoing }
}

/** Names one command permanently: participants answer a key they know with the reply they gave before. */
const idempotencyKey = (sagaId: string, step: string, direction: Direction): string =>
  `${sagaId}/${step}/${direction}`

/** A participant knows a step that was renamed by its old name. */
const sentAs = ({ steps }: SagaState, step: string): string =>
  steps.find(({ name }) => name === step)?.sentAs ?? step

const outgoingOf = (
  saga: Saga,
  state: SagaState,
  event: SagaEvent,
  publishedOutcome: SagaState['publishedOutcome'] | undefined,
): Outgoing | undefined => {
  switch (event.type) {
    case 'CommandSent':
      return commandOf(saga, state, event)
    case 'SagaCompleted':
    case 'SagaCompensated':
    case 'SagaRejected':
    case 'SagaStuck':
      return state.publishedOutcome === publishedOutcome ? undefined : outcomeOf(saga, state)
    case 'SagaStarted':
    case 'RetryScheduled':
    case 'ReplyStored':
    case 'StepDone':
    case 'StepRefused':
    case 'StepUndone':
    case 'StepSucceededLate':
    case 'CompensationStarted':
      return undefined
  }
}

const commandOf = (
  saga: Saga,
  state: SagaState,
  { step: name, direction }: Extract<SagaEvent, { type: 'CommandSent' }>,
): Outgoing | undefined => {
  const step = stepNamed(saga, name)
  const exchange = direction === 'do' ? step?.command : step?.undo
  if (exchange === undefined) return undefined
  return {
    topic: exchange.topic.name,
    value: optionalResultOf(
      `the ${direction === 'do' ? 'command' : 'undo'} of step '${name}'`,
      exchange.value(dataOf(saga, state)),
    ),
    idempotencyKey: idempotencyKey(state.sagaId, sentAs(state, name), direction),
  }
}

const outcomeOf = (saga: Saga, state: SagaState): Outgoing | undefined => {
  const { publishedOutcome: status, failure } = state
  if (saga.outcome === undefined || status === null || status === 'RUNNING' || status === 'COMPENSATING')
    return undefined
  return {
    topic: saga.outcome.topic.name,
    value: optionalResultOf(
      'the outcome of the saga',
      saga.outcome.value(dataOf(saga, state), { status, failure }),
    ),
    idempotencyKey: `${state.sagaId}/outcome`,
  }
}

/** What the author's functions see of a state. */
const dataOf = (saga: Saga, { sagaId, start, replies }: SagaState): SagaData<never> => ({
  sagaId,
  get start() {
    return readStored(saga.startedBy.value, start) as never
  },
  reply: <V>(topic: Topic<string, V>) => {
    const stored = replies[topic.name]
    return stored === undefined ? undefined : (readStored(topic.value, stored) as V)
  },
})
