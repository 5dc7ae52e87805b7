import { Fault, isFault, messageOf } from '../base/fault.ts'
import { nearest } from '../base/nearest.ts'
import { shown } from '../base/shown.ts'
import type { ApplicationState } from './runtime-settings.ts'

interface Waiter {
  readonly state: ApplicationState
  readonly done: (error?: unknown) => void
}

/** Those who wait for an application to reach a state. */
export class StateWaiters {
  readonly #name: string
  #waiters: readonly Waiter[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** Resolves when it reaches `state`; rejects when it fails or closes before. */
  wait(state: ApplicationState, now: ApplicationState, failure: unknown): Promise<void> {
    if (!states.includes(state)) return Promise.reject(stateUnknown(state))
    if (now === state) return Promise.resolve()
    if (now === 'failed') return Promise.reject(asError(failure))
    if (now === 'closed') return Promise.reject(closedEarly(this.#name))
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void => (error === undefined ? resolve() : reject(asError(error)))
      this.#waiters = [...this.#waiters, { state, done }]
    })
  }

  get isWaiting(): boolean {
    return this.#waiters.length > 0
  }

  entered(state: ApplicationState, failure: unknown): void {
    const isOver = state === 'failed' || state === 'closed'
    const due = this.#waiters.filter((waiter) => waiter.state === state || isOver)
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter))
    for (const waiter of due)
      waiter.done(waiter.state === state ? undefined : (failure ?? closedEarly(this.#name)))
  }
}

const states: readonly ApplicationState[] = [
  'starting',
  'rebalancing',
  'running',
  'paused',
  'closing',
  'closed',
  'failed',
]

const stateUnknown = (state: unknown): Fault => {
  const near = typeof state === 'string' ? nearest(state, states) : undefined
  return new Fault({
    code: 'ARGUMENT_INVALID',
    actor: 'author',
    message: `waitFor needs a state of an application, and got ${shown(state)}`,
    remedy: near === undefined ? `give one of ${states.join(', ')}` : `did you mean '${near}'?`,
  })
}

const asError = (error: unknown): Error =>
  isFault(error) ? error : new Error(messageOf(error), { cause: error })

const closedEarly = (name: string): Fault =>
  new Fault({
    code: 'APPLICATION_CLOSED',
    actor: 'runtime',
    message: `application '${name}' has been closed`,
  })
