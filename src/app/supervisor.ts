import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { isFault, messageOf } from '../base/fault.ts'
import { checkOptions } from '../base/options.ts'
import type { ApplicationHealth } from '../runtime/application-health.ts'
import type { MetricsSnapshot } from '../runtime/metrics.ts'
import type { ApplicationState, EventFields, RuntimeListener } from '../runtime/runtime-settings.ts'
import { fieldsOf } from '../runtime/runtime-settings.ts'
import { StoreDirectory } from '../runtime/store-directory.ts'
import { storeNotHere } from '../runtime/store-not-here.ts'
import type { StorePage } from '../state/store-query.ts'
import { StateWaiters } from '../runtime/state-waiters.ts'
import type { CloseOptions } from '../runtime/application-member.ts'
import { closeOptions } from '../runtime/application-member.ts'
import type { UncaughtFailureResponse } from '../runtime/uncaught-failure.ts'
import { uncaughtFailureResponses } from '../runtime/uncaught-failure.ts'
import { shown } from '../base/shown.ts'
import { optionalResultOf } from '../topology/callback-results.ts'
import type { Topology } from '../topology/topology.ts'
import type { FailureReport } from './application-log.ts'
import { Completion } from './completion.ts'
import { Replacements } from './replacements.ts'
import type { SupervisedMember, MemberFactory, MemberView } from './supervised-member.ts'
import { noMetrics, sumHealth, sumMetrics } from './supervised-member.ts'

/** What is to become of an application whose member failed. */
export type UncaughtFailureHandler = (failure: unknown) => UncaughtFailureResponse

export interface SupervisorOptions<W extends SupervisedMember> {
  readonly topology: Topology
  readonly clock: Clock
  readonly count: number
  readonly createMember: MemberFactory<W>
  readonly listener: RuntimeListener
  /** Called before `onState('failed')`. */
  readonly onFailure: (report: FailureReport) => void
  readonly onUncaughtFailure: UncaughtFailureHandler
  readonly maxReplacementsPerMinute: number
  /** Called at the very end. */
  readonly release: () => void
}

/** A place for a member; a member that failed leaves it to its replacement. */
interface Place<W> {
  readonly number: number
  member: W
  state: ApplicationState
  /** True once it has been started: before that, a failure is one of the start. */
  started: boolean
  response: UncaughtFailureResponse
  /** How long its replacement waits. */
  pauseMs: number
}

/**
 * An application as its owner sees it: one member or several, watched, counted together, and replaced where that is what
 * the owner wants. It runs when all of them run.
 */
export class Supervisor<W extends SupervisedMember> implements MemberView {
  readonly topology: Topology
  readonly #options: SupervisorOptions<W>
  readonly #places: readonly Place<W>[]
  readonly #waiters: StateWaiters
  readonly #completion = new Completion()
  readonly #replacements: Replacements
  readonly #stop = new AbortController()
  readonly #stopped = new Promise<void>((resolve) =>
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  #state: ApplicationState = 'starting'
  #failure: unknown
  /** What members counted that have been replaced. */
  #counted: MetricsSnapshot = noMetrics
  #paused = false
  #released: Promise<void> | undefined
  readonly #replacing = new Set<Promise<void>>()
  readonly #releases: (() => Promise<void>)[] = []
  #directory: StoreDirectory | undefined

  constructor(options: SupervisorOptions<W>) {
    this.#options = options
    this.topology = options.topology
    this.#waiters = new StateWaiters(options.topology.name)
    this.#replacements = new Replacements(options.clock, options.maxReplacementsPerMinute)
    this.#places = Array.from({ length: options.count }, (_, number) => this.#place(number))
  }

  get state(): ApplicationState {
    return this.#state
  }

  get failure(): unknown {
    return this.#failure
  }

  /**
   * Resolves after `close`, once everything is released. Rejects with the failure if the application fails. Without a
   * handler on it, and without a pending `waitFor`, a failure is logged and sets the exit code of the process.
   */
  get done(): Promise<void> {
    return this.#completion.promise
  }

  get members(): readonly W[] {
    return this.#places.map(({ member }) => member)
  }

  get metrics(): MetricsSnapshot {
    return sumMetrics([this.#counted, ...this.members.map(({ metrics }) => metrics)])
  }

  get tasks(): MemberView['tasks'] {
    return this.members.flatMap(({ tasks }) => tasks).toSorted()
  }

  get health(): ApplicationHealth {
    return sumHealth(
      this.#state,
      this.members.map(({ health }) => health),
    )
  }

  get metadata(): MemberView['metadata'] {
    return this.members.find(({ metadata }) => metadata.length > 0)?.metadata ?? []
  }

  get inputTopics(): MemberView['inputTopics'] {
    return (this.members[0] as W).inputTopics
  }

  get internalTopics(): MemberView['internalTopics'] {
    return (this.members[0] as W).internalTopics
  }

  get taskCounts(): MemberView['taskCounts'] {
    return this.members.find(({ taskCounts }) => taskCounts !== undefined)?.taskCounts
  }

  /** Which stores may be asked and who has which; undefined before the topics of the application are known. */
  get storeDirectory(): StoreDirectory | undefined {
    const { taskCounts } = this
    if (taskCounts === undefined) return undefined
    if (this.#directory?.taskCounts.join() !== taskCounts.join())
      this.#directory = new StoreDirectory(this.topology, taskCounts, () => this.metadata)
    return this.#directory
  }

  /** One page of a store, from the member whose task or copy has it; of a global table, from any that runs. */
  readStore(...[request, isolation]: Parameters<SupervisedMember['readStore']>): Promise<StorePage> {
    const task = this.storeDirectory?.taskOf(request.store, request.partition)
    const { members } = this
    const owner =
      task === undefined
        ? this.#places.find(({ state }) => state !== 'starting' && state !== 'failed')?.member
        : (members.find(({ tasks }) => tasks.includes(task)) ??
          members.find(({ health }) => health.standbyTasks.some((copy) => copy.task === task)))
    return owner?.readStore(request, isolation) ?? Promise.reject(storeNotHere(request))
  }

  /** `release` is called when everything else is closed, and waited for. */
  onRelease(release: () => Promise<void>): void {
    this.#releases.push(release)
  }

  /** Resolves when every member has made its topics and is joining its group; rejects with what kept one from it. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#places.map((place) => this.#startMember(place)))
      if (this.#state === 'failed') throw this.#failure
    } catch (error) {
      await this.#fail(error)
      // Members that are closed because another one failed reject too: the first failure is the cause.
      throw this.#failure ?? error
    }
  }

  waitFor(state: ApplicationState): Promise<void> {
    return this.#waiters.wait(state, this.#state, this.#failure)
  }

  pause(): void {
    this.#paused = true
    for (const member of this.members) member.pause()
  }

  resume(): void {
    this.#paused = false
    for (const member of this.members) member.resume()
  }

  async close(options: CloseOptions = {}): Promise<void> {
    checkOptions('close', options, closeOptions)
    if (this.#state === 'closed') return
    this.#stop.abort()
    if (this.#state !== 'failed') this.#enter('closing')
    await Promise.allSettled(this.#replacing)
    // Each call reaches the members: a later one may be less patient than the first.
    const closed = await Promise.allSettled(this.members.map((member) => member.close(options)))
    await this.#release()
    const failed = this.#places.find(({ state }) => state === 'failed')
    if (this.#state === 'closing' && failed !== undefined) this.#failClosing(failed.member.failure)
    if (this.#state === 'closing') this.#enter('closed')
    const refused = closed.find((each) => each.status === 'rejected')
    if (this.#state === 'failed') this.#completion.reject(this.#failure)
    else if (refused === undefined) this.#completion.resolve()
    else this.#completion.reject(refused.reason)
    if (refused !== undefined) throw refused.reason
  }

  /** A record failed while the last work was finished: `close` rejects with it. */
  #failClosing(failure: unknown): void {
    this.#failure = failure
    this.#options.onFailure({ failure, fields: this.#fieldsOf(failure), isHandled: true })
    this.#enter('failed')
  }

  #place(number: number): Place<W> {
    const place = {
      number,
      state: 'starting',
      started: false,
      response: 'stopClient',
      pauseMs: 0,
    } as Place<W>
    place.member = this.#createMember(place)
    return place
  }

  async #startMember(place: Place<W>): Promise<void> {
    await place.member.start()
    place.started = true
  }

  #createMember(place: Place<W>): W {
    const { createMember, listener } = this.#options
    return createMember(place.number, {
      listener: { ...listener, onState: (state) => this.#onState(place, state) },
      responseToFailure: () => place.response,
    })
  }

  #onState(place: Place<W>, state: ApplicationState): void {
    place.state = state
    if (state !== 'failed') return this.#follow()
    const { failure } = place.member
    place.response = this.#responseTo(place, failure)
    if (place.response === 'replaceThread') this.#replace(place)
    // A start that fails rejects, with the same failure.
    else if (place.started) void this.#fail(failure)
    if (place.response === 'stopApplication' && place.member.isGone === true) this.#stopThroughAnother(place)
  }

  /** A member that is gone cannot stop its group; another one can. */
  #stopThroughAnother(gone: Place<W>): void {
    const other = this.#places.find((place) => place !== gone && place.state !== 'failed')
    if (other !== undefined) other.member.stopApplication(messageOf(gone.member.failure))
    else this.#options.listener.onWarning?.('no other stream thread of this process can stop the group')
  }

  /** What is to become of it; never a replacement where the group, or the owner, has ended the application. */
  #responseTo(place: Place<W>, failure: unknown): UncaughtFailureResponse {
    const { onUncaughtFailure, listener, maxReplacementsPerMinute } = this.#options
    if (!place.started || this.#stop.signal.aborted || isFault(failure, 'APPLICATION_STOPPED'))
      return 'stopClient'
    const response = this.#ask(onUncaughtFailure, failure)
    if (response !== 'replaceThread') return response
    const pauseMs = this.#replacements.next()
    if (pauseMs !== undefined) {
      place.pauseMs = pauseMs
      return response
    }
    listener.onWarning?.(
      `stream threads failed more than ${maxReplacementsPerMinute} times within a minute and are no longer replaced`,
    )
    return 'stopClient'
  }

  /** What the handler decides; where it fails or decides nothing, the application stops, and a warning says why. */
  #ask(handler: UncaughtFailureHandler, failure: unknown): UncaughtFailureResponse {
    try {
      const response = optionalResultOf('onUncaughtFailure', handler(failure))
      if (responses.has(response)) return response
      this.#warnOfHandler(`onUncaughtFailure returned ${shown(response)}`)
    } catch (error) {
      this.#warnOfHandler(
        `onUncaughtFailure has failed: ${isFault(error) ? error.summary : messageOf(error)}`,
      )
    }
    return 'stopClient'
  }

  #warnOfHandler(what: string): void {
    this.#options.listener.onWarning?.(
      `${what}, so this application stops; return replaceThread, stopClient or stopApplication`,
      { code: 'FAILURE_HANDLER_FAILED' },
    )
  }

  /** A new member in the place of one that failed, as soon as that has let go of everything. */
  #replace(place: Place<W>): void {
    const { clock, listener } = this.#options
    const failed = place.member
    place.state = 'starting'
    this.#follow()
    listener.onWarning?.(`a stream thread failed and is replaced: ${messageOf(failed.failure)}`)
    const replaced = (async () => {
      // Once the application closes, that closes these members too, in the time that it has.
      await Promise.race([failed.close({ timeoutMs: lettingGoMs }).catch(() => undefined), this.#stopped])
      await sleep(clock, place.pauseMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      this.#counted = sumMetrics([this.#counted, failed.metrics])
      place.member = this.#createMember(place)
      if (this.#paused) place.member.pause()
      // A failure to start is also reported by its state, and handled there.
      await Promise.race([place.member.start().catch(() => undefined), this.#stopped])
    })()
    this.#replacing.add(replaced)
    void replaced.finally(() => this.#replacing.delete(replaced))
  }

  /** One failure ends them all: the others commit what they have. */
  async #fail(failure: unknown): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'closing' || this.#state === 'closed') return
    this.#failure = failure
    this.#stop.abort()
    this.#options.onFailure({ failure, fields: this.#fieldsOf(failure), isHandled: this.#isHandled })
    this.#enter('failed')
    await Promise.allSettled(this.#replacing)
    await Promise.allSettled(this.members.map((member) => member.close()))
    await this.#release()
    this.#completion.reject(failure)
  }

  /** A caller gets the failure: from `start`, which rejects as long as a member has not started, `waitFor` or `done`. */
  get #isHandled(): boolean {
    const isStarting = this.#places.some(({ started }) => !started)
    return isStarting || this.#waiters.isWaiting || this.#completion.isWatched
  }

  #fieldsOf(failure: unknown): EventFields {
    if (!isFault(failure)) return {}
    const { topic, partition } = failure.place
    const { inputs } = this.health
    const input = inputs.find((each) => each.topic === topic && each.partition === partition)
    return { ...fieldsOf(failure), task: input?.task }
  }

  /** Once: what is let go may belong to another process right after. */
  #release(): Promise<void> {
    this.#released ??= (async () => {
      await Promise.allSettled(this.#releases.map((release) => release()))
      this.#options.release()
    })()
    return this.#released
  }

  /** The least ready of the members says how ready all are. */
  #follow(): void {
    if (this.#state === 'failed' || this.#state === 'closing' || this.#state === 'closed') return
    const states = new Set(this.#places.map(({ state }) => state))
    const state = readiness.find((each) => states.has(each))
    if (state !== undefined && state !== this.#state) this.#enter(state)
  }

  #enter(state: ApplicationState): void {
    if (state === this.#state) return
    this.#state = state
    this.#options.listener.onState?.(state)
    this.#waiters.entered(state, this.#failure)
  }
}

const responses: ReadonlySet<unknown> = new Set(uncaughtFailureResponses)

/** How long a member that failed may take to let go of what it holds before it is cut off. */
const lettingGoMs = 30_000

const readiness: readonly ApplicationState[] = ['starting', 'rebalancing', 'paused', 'running']
