import { Fault } from '../base/fault.ts'
import { quoted } from '../base/printable.ts'
import type { Saga } from './saga.ts'
import { stepNamed } from './saga.ts'
import type { SagaState, SagaStatus, StepState } from './state.ts'

/**
 * Sagas under way are stored by the names of their steps, and a deployment may rename one. The state therefore holds the
 * topic of each command too: a step that is known by its topic alone goes on under its new name, and its commands keep the
 * idempotency key of the old one. A step that cannot be identified is refused before anything is decided: the reply stays
 * uncommitted, and no saga is given up.
 */
export const withKnownSteps = (saga: Saga, state: SagaState | null): SagaState | null => {
  if (state === null || ended.has(state.status)) return state
  if (state.steps.every(({ name }) => stepNamed(saga, name) !== undefined)) return state
  return { ...state, steps: state.steps.map((step) => known(saga, state, step)) }
}

/** The state with the command topic of each step, by which a renamed step is found again. */
export const withCommandTopics = (saga: Saga, state: SagaState): SagaState => {
  if (state.steps.every(({ command }) => command !== undefined)) return state
  return {
    ...state,
    steps: state.steps.map((step) => {
      const command = step.command ?? stepNamed(saga, step.name)?.command.topic.name
      return command === undefined ? step : { ...step, command }
    }),
  }
}

const ended: ReadonlySet<SagaStatus> = new Set(['COMPLETED', 'COMPENSATED', 'REJECTED'])

const known = (saga: Saga, state: SagaState, step: StepState): StepState => {
  if (stepNamed(saga, step.name) !== undefined) return step
  const taken = new Set(state.steps.map(({ name }) => name))
  const candidates = saga.steps.filter(
    ({ name, command }) => command.topic.name === step.command && !taken.has(name),
  )
  const [candidate] = candidates
  if (candidate === undefined || candidates.length > 1) throw stepUnknown(saga, state, step.name)
  return { ...step, name: candidate.name, sentAs: step.sentAs ?? step.name }
}

const stepUnknown = ({ name, steps }: Saga, { sagaId }: SagaState, step: string): Fault =>
  new Fault({
    code: 'SAGA_STEP_UNKNOWN',
    actor: 'author',
    message: `a saga of '${name}' is under way and has step '${step}', which its definition lacks: it has ${steps
      .map((each) => `'${each.name}'`)
      .join(', ')}`,
    remedy: `deploy a version that still has step '${step}' until the sagas under way have ended; compare versions with: millrace diff`,
    place: { node: name },
    contents: { sagaId: quoted(sagaId) },
  })
