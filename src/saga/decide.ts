import { Fault } from '../base/fault.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import { optionalResultOf } from '../topology/callback-results.ts'
import { evolve } from './evolve.ts'
import type { StoredValue } from './stored-value.ts'
import type { ReplyPlace, Saga } from './saga.ts'
import { stepNamed } from './saga.ts'
import type { SagaEvent, SagaMessage, SagaState, StepState } from './state.ts'
import type { Direction, Step, ReplyOutcome } from './step.ts'

/**
 * What a saga decides when a message comes, given its state: a list of events, empty where the message says nothing
 * new. Pure: no clock, no random, no waiting. The rules:
 *
 * 1. A start begins the saga once; a second one changes nothing.
 * 2. A success leads to the next step; after the last one the saga is completed.
 * 3. A refusal before or at the pivot undoes what was done, in reverse order, one after the other.
 * 4. A reply that is overdue sends the command again, up to its attempts. Then its outcome is in doubt, and a
 *    compensable step is undone like one that was done.
 * 5. A retriable step, a pivot in doubt and an undo that failed as often as allowed leave the saga stuck.
 * 6. A late reply is never thrown away: it moves a stuck saga on, and where its step was given up it is undone.
 */
export const decide = (saga: Saga, state: SagaState | null, message: SagaMessage): readonly SagaEvent[] => {
  const decision = new Decision(saga, state, message.atMs)
  switch (message.type) {
    case 'start':
      if (state === null) decision.start(message.sagaId, message.start)
      break
    case 'reply':
      decision.reply(saga.repliesByTopic.get(message.topic), message.value, message.stored)
      break
    case 'time':
      decision.time()
      break
    case 'fault':
      decision.stuckByFault(message.reason)
      break
  }
  return decision.events
}

const compensating = new Set<StepState['status']>(['undoing', 'undoWaiting'])

/** One decision in the making: each event is applied at once, so that the next rule sees its effect. */
class Decision {
  readonly events: SagaEvent[] = []
  readonly #saga: Saga
  readonly #atMs: number
  #state: SagaState | null

  constructor(saga: Saga, state: SagaState | null, atMs: number) {
    this.#saga = saga
    this.#state = state
    this.#atMs = atMs
  }

  start(sagaId: string, start: StoredValue): void {
    this.#note({ type: 'SagaStarted', sagaId, start, atMs: this.#atMs })
    this.#goOn()
  }

  reply(place: ReplyPlace | undefined, value: unknown, stored: StoredValue): void {
    const step = this.#progress(place?.step)
    if (place === undefined || step === undefined) return
    const succeeded = replyOutcomeOf(place, value) === 'success'
    const store = (): void =>
      this.#note({ type: 'ReplyStored', topic: place.reply.topic.name, value: stored })
    if (place.direction === 'do') this.#doReply(step, succeeded, place.name, store)
    else this.#undoReply(step, succeeded, place.name, store)
  }

  time(): void {
    for (const { name } of this.#steps()) {
      const step = this.#progress(name)
      if (step === undefined || step.dueMs === null || step.dueMs > this.#atMs) continue
      const direction = compensating.has(step.status) ? 'undo' : 'do'
      if (step.status === 'waiting' || step.status === 'undoWaiting')
        this.#send(step.name, direction, step.attempt + 1)
      else this.#attemptFailed(step, direction, 'no reply in time')
    }
  }

  stuckByFault(reason: string): void {
    const step = this.#steps().find(({ dueMs }) => dueMs !== null)
    if (step !== undefined) this.#note({ type: 'SagaStuck', step: step.name, reason })
  }

  #doReply(step: StepState, succeeded: boolean, reply: string, store: () => void): void {
    switch (step.status) {
      case 'sent':
      case 'waiting':
        if (succeeded) {
          store()
          this.#note({ type: 'StepDone', step: step.name })
          this.#goOn()
        } else if (stepNamed(this.#saga, step.name)?.kind !== 'retriable') {
          store()
          this.#note({ type: 'StepRefused', step: step.name })
          this.#compensate(step.name, reply)
        } else if (step.status === 'sent' && step.dueMs !== null) this.#attemptFailed(step, 'do', reply)
        break
      case 'refused':
      case 'undoing':
      case 'undoWaiting':
      case 'undone':
        if (succeeded && !step.succeeded) {
          store()
          this.#undoLateEffect(step)
        }
        break
      case 'done':
        break
    }
  }

  #undoReply(step: StepState, succeeded: boolean, reply: string, store: () => void): void {
    if (!compensating.has(step.status)) return
    if (succeeded) {
      store()
      this.#note({ type: 'StepUndone', step: step.name })
      this.#goBack()
    } else if (step.status === 'undoing' && step.dueMs !== null) this.#attemptFailed(step, 'undo', reply)
  }

  /** The first step, in the saga's order, that is not done yet. */
  #goOn(): void {
    const next = this.#saga.steps.find(({ name }) => this.#progress(name)?.status !== 'done')
    if (next === undefined) this.#note({ type: 'SagaCompleted' })
    else this.#send(next.name, 'do', 1)
  }

  #compensate(failed: string, reason: string): void {
    this.#note({ type: 'CompensationStarted', step: failed, reason })
    this.#goBack()
  }

  /** The last step that is done is undone; where one is being undone already, that comes first. */
  #goBack(): void {
    const steps = this.#steps()
    const open = steps.filter(({ status }) => compensating.has(status))
    const last = steps.findLast(({ status }) => status === 'done')
    const [waiting] = open
    if (waiting !== undefined) {
      if (open.every(({ dueMs }) => dueMs === null))
        this.#note({ type: 'SagaStuck', step: waiting.name, reason: 'its undo failed' })
    } else if (last !== undefined) this.#undo(last.name)
    else if (steps.some(({ status }) => status === 'undone')) this.#note({ type: 'SagaCompensated' })
    else this.#note({ type: 'SagaRejected' })
  }

  #undo(name: string): void {
    if (stepNamed(this.#saga, name)?.undo !== undefined) this.#send(name, 'undo', 1)
    else
      this.#note({ type: 'SagaStuck', step: name, reason: 'it succeeded, must be undone, and has no undo' })
  }

  /** A step that was given up has happened after all: undo it, again if need be, as the undo may have come too early. */
  #undoLateEffect(step: StepState): void {
    this.#note({ type: 'StepSucceededLate', step: step.name })
    this.#undo(step.name)
  }

  #attemptFailed(step: StepState, direction: Direction, reason: string): void {
    const definition = stepNamed(this.#saga, step.name)
    const exchange = exchangeOf(definition, direction)
    if (exchange !== undefined && step.attempt < exchange.attempts) {
      const pauseMs = exchange.backoffMs * 2 ** (step.attempt - 1)
      if (pauseMs === 0) this.#send(step.name, direction, step.attempt + 1)
      else this.#note({ type: 'RetryScheduled', step: step.name, direction, dueMs: this.#atMs + pauseMs })
    } else if (direction === 'do' && definition?.kind === 'compensable') {
      this.#note({ type: 'CompensationStarted', step: step.name, reason })
      this.#undo(step.name)
    } else this.#note({ type: 'SagaStuck', step: step.name, reason })
  }

  #send(step: string, direction: Direction, attempt: number): void {
    const timeoutMs = exchangeOf(stepNamed(this.#saga, step), direction)?.timeoutMs ?? 0
    this.#note({ type: 'CommandSent', step, direction, attempt, dueMs: this.#atMs + timeoutMs })
  }

  #steps(): readonly StepState[] {
    return this.#state?.steps ?? []
  }

  #progress(name: string | undefined): StepState | undefined {
    return this.#steps().find((step) => step.name === name)
  }

  #note(event: SagaEvent): void {
    this.events.push(event)
    this.#state = evolve(this.#state, event)
  }
}

/** Types make the classifier return an outcome; any other result must not count as a refusal. */
const replyOutcomeOf = (place: ReplyPlace, value: unknown): ReplyOutcome => {
  const outcome = optionalResultOf(
    `the classifier of reply '${place.name}'`,
    place.reply.classify(value) as ReplyOutcome | undefined,
  )
  if (outcome === 'success' || outcome === 'refusal') return outcome
  throw new Fault({
    code: 'REPLY_UNHANDLED',
    actor: 'record',
    message: `reply '${place.name}' to step '${place.step}' is classifies to be ${kindOfValue(outcome)}`,
    remedy: "make its classifier return 'success' or 'refusal' for every value",
    place: { topic: place.reply.topic.name, node: place.step },
    contents: contentsOfValue('outcome', outcome),
  })
}

const exchangeOf = (step: Step | undefined, direction: Direction): Step['undo'] =>
  direction === 'do' ? step?.command : step?.undo
