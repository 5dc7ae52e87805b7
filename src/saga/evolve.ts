import { assert } from '../base/assert.ts'
import type { SagaEvent, SagaState, SagaStatus, StepState } from './state.ts'

/** The state after an event; null is the state of a saga that has not begun. Pure: a replay gives the same state. */
export const evolve = (state: SagaState | null, event: SagaEvent): SagaState => {
  if (event.type === 'SagaStarted') return started(event)
  assert(state !== null, `a saga begins with SagaStarted, not ${event.type}`)
  switch (event.type) {
    case 'CommandSent':
      return sent(state, event)
    case 'RetryScheduled':
      return withStep(state, event.step, {
        status: event.direction === 'do' ? 'waiting' : 'undoWaiting',
        dueMs: event.dueMs,
      })
    case 'ReplyStored':
      return { ...state, replies: { ...state.replies, [event.topic]: event.value } }
    case 'StepDone':
      return {
        ...withStep(state, event.step, { status: 'done', dueMs: null, succeeded: true }),
        status: 'RUNNING',
        failure: null,
      }
    case 'StepRefused':
      return withStep(state, event.step, { status: 'refused', dueMs: null })
    case 'StepUndone':
      return { ...withStep(state, event.step, { status: 'undone', dueMs: null }), status: 'COMPENSATING' }
    case 'StepSucceededLate':
      return withStep(state, event.step, { succeeded: true })
    case 'CompensationStarted':
      return { ...state, status: 'COMPENSATING', failure: { step: event.step, reason: event.reason } }
    case 'SagaCompleted':
      return ended(state, 'COMPLETED')
    case 'SagaCompensated':
      return ended(state, 'COMPENSATED')
    case 'SagaRejected':
      return ended(state, 'REJECTED')
    case 'SagaStuck':
      return { ...ended(withoutDue(state), 'STUCK'), failure: { step: event.step, reason: event.reason } }
  }
}

const started = ({ sagaId, start, atMs }: Extract<SagaEvent, { type: 'SagaStarted' }>): SagaState => ({
  sagaId,
  status: 'RUNNING',
  start,
  startedAtMs: atMs,
  steps: [],
  replies: {},
  failure: null,
  publishedOutcome: null,
})

const sent = (
  state: SagaState,
  { step, direction, attempt, dueMs }: Extract<SagaEvent, { type: 'CommandSent' }>,
): SagaState => ({
  ...withStep(state, step, { status: direction === 'do' ? 'sent' : 'undoing', attempt, dueMs }),
  status: direction === 'do' ? 'RUNNING' : 'COMPENSATING',
})

const ended = (state: SagaState, status: SagaStatus): SagaState => ({
  ...state,
  status,
  publishedOutcome: status,
})

/** Changes a step, or adds it where this is its first command. */
const withStep = (state: SagaState, name: string, change: Partial<StepState>): SagaState => {
  const known = state.steps.some((step) => step.name === name)
  const steps = known
    ? state.steps.map((step) => (step.name === name ? { ...step, ...change } : step))
    : [...state.steps, { ...newStep, name, ...change }]
  return { ...state, steps }
}

/** A saga that is stuck waits for nothing. */
const withoutDue = (state: SagaState): SagaState => ({
  ...state,
  steps: state.steps.map((step) => ({ ...step, dueMs: null })),
})

const newStep: Omit<StepState, 'name'> = { status: 'sent', attempt: 0, dueMs: null, succeeded: false }
