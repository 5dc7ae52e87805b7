import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { Fault, messageOf } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { flag, wholeNumber } from '../base/value-kinds.ts'
import { Admin } from '../kafka/admin.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import type { ClassicMembership } from '../kafka/group/classic-membership.ts'
import type { IsolationLevel } from '../kafka/list-offsets.ts'
import { readPage, walkPlanOf } from '../state/read-page.ts'
import type { StateStore } from '../state/store.ts'
import type { PageRequest, StorePage } from '../state/store-query.ts'
import type { FailureHandler } from '../task/failure-handler.ts'
import type { RowFailureHandler } from '../task/global-rows.ts'
import { readableRows } from '../task/global-rows.ts'
import type { ReadableRows } from './restore.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import { globalTablesOf, sourcesOfChangelogs } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import type { ApplicationHealth } from './application-health.ts'
import { inputHealthOf, RestoreBoard } from './application-health.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { StoreOrigins } from './changelog-check.ts'
import type { TaskFolders } from './task-folders.ts'
import type { TasksHere } from './task-state-manager.ts'
import { TaskStateManager } from './task-state-manager.ts'
import type { TaskAssignment } from './application-membership.ts'
import { membershipOf } from './application-membership.ts'
import { writtenTopicsOf } from './cluster-plan.ts'
import type { InputStart } from './input-starts.ts'
import { offsetResetOf, startsOfInputs } from './input-starts.ts'
import { applicationOutput } from './application-output.ts'
import { BlockedLog } from './blocked-log.ts'
import { DropLog } from './drop-log.ts'
import { GlobalTables } from './global-tables.ts'
import type { QueryEndpoint } from './application-metadata.ts'
import { TopologyPlan } from './topology-plan.ts'
import type { MetricsSnapshot } from './metrics.ts'
import { Metrics } from './metrics.ts'
import { allowLongestWork, longWorkWarnings } from './longest-work.ts'
import { RecordFailureHandler } from './record-failure-handler.ts'
import type { RecordOutput } from './record-output.ts'
import { RecordRetries } from './record-retries.ts'
import { RepartitionPurge } from './repartition-purge.ts'
import type { ApplicationState, EventFields, RuntimeListener, RuntimeSettings } from './runtime-settings.ts'
import { fieldsOf } from './runtime-settings.ts'
import { storeNotHere } from './store-not-here.ts'
import { StoreReads } from './store-reads.ts'
import type { TaskStores } from './task-stores.ts'
import { TaskFactory } from './task-factory.ts'
import type { UncaughtFailureResponse } from './uncaught-failure.ts'
import { StreamThread } from './stream-thread.ts'

export interface ApplicationMemberOptions {
  readonly topology: Topology
  readonly settings: RuntimeSettings
  readonly cluster: Cluster
  readonly clock: Clock
  /** Distinguishes this process from others of the same application; the same for all members of a process. */
  readonly processId: string
  /** Distinguishes this member from all others of the application, in the name of its transactions; defaults to `processId`. */
  readonly transactionName?: string
  /** Asked after `onState('failed')`: what is to become of the others. */
  readonly responseToFailure?: () => UncaughtFailureResponse | Promise<UncaughtFailureResponse>
  /** Asked before the policies of the settings what becomes of a record that failed. */
  readonly onFailedRecord?: FailureHandler | undefined
  readonly listener: RuntimeListener
  readonly openTaskStores: (task: TaskId, origins: StoreOrigins) => TaskStores
  /** The folders of the tasks on disk; without, nothing of their state is kept. */
  readonly folders?: TaskFolders
  readonly openGlobalStore: (definition: StoreDefinition) => StateStore
  /** Ends all connections: requests in flight fail, and nothing can be committed any more. */
  readonly disconnect?: () => Promise<void>
}

/** Options of `application.close`. */
export interface CloseOptions {
  /** Lets go of everything after this long, even if it is not done; defaults to no limit. */
  readonly timeoutMs?: number
  /** Whether the others take the tasks over at once; a static member keeps its place by default. */
  readonly leaveGroup?: boolean
}

export const closeOptions: OptionShape<CloseOptions> = { timeoutMs: wholeNumber, leaveGroup: flag }

/** One topology, running against a cluster: topics made, group joined, one stream thread running. */
export class ApplicationMember {
  readonly topology: Topology
  readonly #options: ApplicationMemberOptions
  /** Without the timeouts that the topology's asynchronous work needs. */
  readonly #givenSettings: RuntimeSettings
  readonly #metrics = new Metrics()
  readonly #reads: StoreReads
  readonly #retries: RecordRetries
  readonly #drops: DropLog
  readonly #blocked: BlockedLog
  readonly #failureHandler: RecordFailureHandler
  readonly #restoring = new RestoreBoard()
  #state: ApplicationState = 'starting'
  #failure: unknown
  readonly #plans: TopologyPlan
  #metadata: readonly QueryEndpoint[] = []
  /** Another round of the rebalance follows, which may bring tasks. */
  #followUp = false
  #hasPeers = false
  /** Resolves once others may have what was here; undefined unless this process is about to leave. */
  #handedOver: PromiseWithResolvers<void> | undefined
  #thread: StreamThread | undefined
  #membership: ClassicMembership | undefined
  #globals: GlobalTables | undefined
  #output: RecordOutput | undefined
  #fetcher: Fetcher | undefined
  readonly #states: TaskStateManager
  #running: Promise<void> | undefined
  #ending: Promise<void> | undefined
  #released: Promise<void> | undefined
  #abandoned = false
  #paused = false
  #isGroupToStop = false
  /** Why the group is to stop, for the leader to hear. */
  #stopRequest: string | undefined
  readonly #stopNotified = Promise.withResolvers<void>()

  constructor(given: ApplicationMemberOptions) {
    const options = { ...given, settings: allowLongestWork(given.topology, given.settings) }
    this.#givenSettings = given.settings
    this.#options = { ...options, listener: this.#restoring.watch(options.listener) }
    this.topology = options.topology
    this.#reads = new StoreReads(options.clock, () => this.#thread?.isClean ?? true)
    this.#retries = new RecordRetries(options.settings)
    this.#drops = new DropLog({
      metrics: this.#metrics,
      clock: options.clock,
      onWarning: (message, fields) => this.#warn(message, fields),
    })
    this.#blocked = new BlockedLog({
      clock: options.clock,
      onWarning: (message, fields) => this.#warn(message, fields),
    })
    this.#failureHandler = new RecordFailureHandler({
      policies: options.settings,
      metrics: this.#metrics,
      onWarning: (message, fields) => this.#warn(message, fields),
      onFailedRecord: options.onFailedRecord,
    })
    this.#plans = new TopologyPlan({
      ...options,
      onPlan: async (plan) => {
        await this.#output?.prepare(writtenTopicsOf(plan, options.settings))
        this.#globals?.follow(plan.sizes)
      },
      onOutdated: (reason) => this.#membership?.requestRejoin(reason),
      onWarning: (message) => this.#warn(message),
    })
    this.#states = new TaskStateManager({
      ...options,
      planOf: () => this.#plans.planned,
      onRestore: (progress) => this.#options.listener.onRestore?.(progress),
      onRestored: (records) => (this.#metrics.restoredRecords += records),
      readableRows: this.#readableRows(),
      onRebalance: (reason) => this.#membership?.requestRejoin(reason),
      onWarning: (message) => this.#warn(message),
    })
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** What ended it; undefined unless the state is `failed`. */
  get failure(): unknown {
    return this.#failure
  }

  get metrics(): MetricsSnapshot {
    return this.#metrics.snapshot()
  }

  /** The tasks that run here. */
  get tasks(): readonly TaskId[] {
    return [...(this.#thread?.tasks.keys() ?? [])]
  }

  /** The copy that is kept here of a store whose task runs elsewhere, to read from; undefined where there is none. */
  standbyStore(name: string, partition: number): StateStore | undefined {
    return this.#states.copyOf(name, partition)
  }

  /** How it fares: what a health check wants to know. */
  get health(): ApplicationHealth {
    return {
      state: this.#state,
      connected: this.#membership?.isConnected ?? false,
      tasks: this.tasks,
      standbyTasks: Array.from(this.#states.copies, ([task, lag]) => ({ task, lag })),
      restoring: this.#restoring.running,
      lastCommitMs: this.#metrics.lastCommitMs,
      inputs: inputHealthOf(this.#thread?.tasks.values() ?? [], this.#fetcher),
    }
  }

  /** Who of this application serves queries for what, as of the last rebalance. */
  get metadata(): readonly QueryEndpoint[] {
    return this.#metadata
  }

  /** How many tasks each sub-topology has; undefined before the topics are known. */
  get taskCounts(): readonly number[] | undefined {
    return this.#plans.plan?.counts.tasks
  }

  /** The topics that are read, the application's own apart from all others. */
  get inputTopics(): { readonly external: readonly string[]; readonly internal: readonly string[] } {
    const topics = this.#plans.plan?.topics ?? []
    const own = new Set(this.internalTopics)
    return {
      external: topics.filter((topic) => !own.has(topic)),
      internal: topics.filter((topic) => own.has(topic)),
    }
  }

  /** The repartition and changelog topics of this application. */
  get internalTopics(): readonly string[] {
    return this.#plans.plan?.internalTopics.map(({ name }) => name) ?? []
  }

  /** A store of a task that runs here, to read from; undefined where it does not. */
  store(name: string, partition: number): StateStore | undefined {
    for (const { task } of this.#thread?.tasks.values() ?? [])
      if (task.partition === partition && task.stores.has(name)) return task.stores.get(name)
    return this.#globals?.store(name)
  }

  /**
   * One page of a store of a task that runs here. `read_committed` sees what is final alone and waits for the commit
   * under way; `read_uncommitted` sees what the task sees. A copy, of which everything is final, is read where the
   * request allows it and no such task runs. Rejects with STORE_NOT_HERE where there is neither.
   */
  readStore(request: PageRequest, isolation: IsolationLevel): Promise<StorePage> {
    const { store: name, partition, copy = false } = request
    const storeNow = (): StateStore | undefined => {
      const own = this.#state === 'starting' ? undefined : this.store(name, partition)
      return own ?? (copy ? this.standbyStore(name, partition) : undefined)
    }
    const read = (): StorePage => {
      const definition = this.topology.stores.find((each) => each.name === name)
      const store = storeNow()
      if (definition === undefined || store === undefined) throw storeNotHere(request)
      return readPage(store, definition, request)
    }
    const committed = isolation === 'read_committed' && this.store(name, partition) !== undefined
    const plan = walkPlanOf(request)
    const prepare = (isOver: () => boolean): boolean =>
      plan === undefined || (storeNow()?.prepareWalk?.(isOver, plan) ?? true)
    return this.#reads.run(read, {
      committed,
      timeoutMs: request.timeoutMs,
      prepare,
    })
  }

  /** Makes the internal topics, fills the global tables and joins the group. */
  async start(): Promise<void> {
    try {
      for (const warning of longWorkWarnings(this.topology, this.#givenSettings)) this.#warn(warning)
      await this.#connect(await this.#plans.begin())
    } catch (error) {
      await this.#fail(error)
      throw error
    }
  }

  /** Stops processing; the membership of the group is kept. */
  pause(): void {
    this.#paused = true
    this.#thread?.pause()
    if (this.#state === 'running') this.#enter('paused')
  }

  resume(): void {
    this.#paused = false
    this.#thread?.resume()
    if (this.#state === 'paused') this.#enter('running')
  }

  /**
   * A last commit, then the group is left and everything is closed. Where that takes longer than `timeoutMs`, what is in
   * hand is let go and the promise rejects with `CLOSE_TIMED_OUT`; no record is lost by it. It rejects too where a record
   * fails while the last work is finished.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const isOver = this.#state === 'failed' || this.#state === 'closed'
    const ending = isOver ? (this.#ending ?? Promise.resolve()) : (this.#ending ??= this.#close(options))
    if (options.timeoutMs === undefined) return ending
    const { clock } = this.#options
    const done = new AbortController()
    const late = sleep(clock, options.timeoutMs, done.signal).then(() => 'late' as const)
    const first = await Promise.race([ending, late]).finally(() => done.abort())
    if (first !== 'late') return
    ending.catch(() => undefined)
    await this.#abandon(options)
    throw closedLate(this.topology.name, options.timeoutMs)
  }

  async #connect(plan: ApplicationPlan): Promise<void> {
    const { settings, cluster, clock, processId, transactionName = processId } = this.#options
    const { output, committer } = applicationOutput({
      cluster,
      settings,
      metrics: this.#metrics,
      failureHandler: this.#failureHandler,
      transactionName,
      membership: () => this.#membership as ClassicMembership,
      onRetry: (fault) => this.#warn(fault.message, fieldsOf(fault)),
    })
    this.#output = output
    await output.prepare(writtenTopicsOf(plan, settings))
    await committer.initialize()
    this.#globals = this.#openGlobals()
    await this.#globals.start((error) => void this.#fail(error))
    this.#fetcher = new Fetcher({
      cluster,
      offsetReset: (topic) => offsetResetOf(settings, this.#plans.planned, topic),
      isolation: 'read_committed',
      maxWaitMs: settings.fetchMaxWaitMs,
      maxBufferedBytes: settings.inputBufferMaxBytes,
      checkCrcs: settings.checkCrcs,
      onReset: (fault) => this.#warn(fault.message, fieldsOf(fault)),
      onRetry: (fault) => {
        this.#warn(fault.message, fieldsOf(fault))
        this.#plans.noticed(fault)
      },
    })
    const membership = this.#member()
    this.#membership = membership
    const beginnings = new Map<string, InputStart>()
    const thread = new StreamThread({
      planOf: () => this.#plans.planned,
      settings,
      clock,
      fetcher: this.#fetcher,
      output,
      metrics: this.#metrics,
      retries: this.#retries,
      committer,
      purge: this.#purge(plan),
      onWarning: (message, fields) => this.#warn(message, fields),
      onClean: () => this.#reads.release(),
      onTasksChange: () => this.#settle(),
      onTaskEnd: (task, offsets) => this.#states.ended(task, offsets),
      tasks: this.#taskFactory(output),
      startsOf: (inputs) =>
        startsOfInputs(
          {
            cluster,
            settings,
            membership,
            plan: this.#plans.planned,
            onWarning: (fault) => this.#warn(fault.message, fieldsOf(fault)),
            beginnings,
          },
          inputs,
        ),
    })
    this.#thread = thread
    if (this.#paused) thread.pause()
    this.#enter('rebalancing')
    this.#running = thread.run().catch((error: unknown) => this.#fail(error))
    membership.start()
    this.#plans.follow()
    this.#states.lookAfter(() => this.#tasksHere(thread))
  }

  /** Undefined while tasks may come or go. */
  #tasksHere(thread: StreamThread): TasksHere | undefined {
    const isSettled = this.#state === 'running' || this.#state === 'paused'
    if (!isSettled || this.#membership?.isConnected !== true) return undefined
    return { ids: thread.ownTasks, running: thread.tasks.values() }
  }

  /** What is read again at a start is counted, and never written as a dead letter again. */
  get #onFailedRow(): RowFailureHandler {
    return this.#failureHandler.with(() => undefined)
  }

  #readableRows(): ReadableRows {
    const sources = sourcesOfChangelogs(this.#options.topology)
    return ({ store, partition }, columns) => {
      const source = sources.get(store.name)
      return source === undefined ? columns : readableRows(columns, { source, partition }, this.#onFailedRow)
    }
  }

  #openGlobals(): GlobalTables {
    const { topology, cluster, settings, openGlobalStore } = this.#options
    const tables = globalTablesOf(topology)
    const stores = new Map(tables.map(({ store }) => [store.name, openGlobalStore(store)]))
    const onReset = (fault: Fault): void =>
      this.#warn(
        `a global table reads its topic again, and keeps rows that it no longer has until the next start: ${fault.message}`,
        fieldsOf(fault),
      )
    const { checkCrcs } = settings
    return new GlobalTables({ cluster, tables, stores, checkCrcs, onFailedRow: this.#onFailedRow, onReset })
  }

  #taskFactory(output: RecordOutput): TaskFactory {
    const { settings, clock, openTaskStores } = this.#options
    const planOf = (): ApplicationPlan => this.#plans.planned
    return new TaskFactory({
      planOf,
      settings,
      clock,
      restorer: this.#states.restorer,
      check: this.#states.check,
      output,
      metrics: this.#metrics,
      retries: this.#retries,
      failureHandler: this.#failureHandler,
      openTaskStores,
      globalStore: (name) => this.#globals?.store(name),
      requestCommit: () => this.#thread?.requestCommit(),
      workReady: () => this.#thread?.wake(),
      blocked: (task, event) => this.#blocked.note(task, event),
      // Of topics with fewer partitions than its others, a task has inputs that do not exist and never bring anything.
      hasMore: (topic, partition) =>
        planOf().taskOf({ topic, partition }) !== undefined && this.#fetcher?.lag(topic, partition) !== 0,
    })
  }

  #purge(plan: ApplicationPlan): RepartitionPurge {
    const { settings, cluster, clock } = this.#options
    const admin = new Admin(cluster)
    return new RepartitionPurge({
      clock,
      intervalMs: settings.repartitionPurgeIntervalMs,
      topics: new Set(
        [...plan.counts.repartitions.keys()].map((topic) => `${settings.applicationId}-${topic}`),
      ),
      deleteRecords: (before) => admin.deleteRecords(before),
      onWarning: (message) => this.#warn(message),
    })
  }

  #member(): ClassicMembership {
    const { settings, cluster, processId } = this.#options
    return membershipOf({
      cluster,
      settings,
      processId,
      plans: this.#plans,
      ownTasks: () => this.#thread?.ownTasks ?? [],
      stopRequest: () => this.#stopRequest,
      onStop: (reason) => {
        this.#stopNotified.resolve()
        void this.#fail(applicationStopped(reason))
      },
      ownLags: () => this.#states.lags(this.#thread?.ownTasks ?? []),
      isLeaving: () => this.#handedOver !== undefined,
      onRevoke: async (partitions) => {
        this.#enter('rebalancing')
        await this.#thread?.revoke(partitions)
      },
      onAssign: (assignment) => this.#assign(assignment),
      onLost: async () => {
        this.#handedOver?.resolve()
        this.#enter('rebalancing')
        await this.#thread?.lost()
      },
      onWarning: (message) => this.#warn(message),
      onFailure: (fault) => void this.#fail(fault),
    })
  }

  /** A copy lies where its task would: it is let go before that begins here, and begun after it has ended here. */
  async #assign({ tasks, standbys, warmups, followUp, members, endpoints }: TaskAssignment): Promise<void> {
    this.#metadata = endpoints
    this.#followUp = followUp
    this.#hasPeers = members > 1
    if (tasks.length === 0) this.#handedOver?.resolve()
    await this.#states.keepCopies([...standbys, ...warmups])
    await this.#thread?.assign(tasks)
    if (this.#state !== 'closing' && this.#state !== 'failed') this.#states.followCopies(standbys, warmups)
    this.#settle()
  }

  /** Says `running` once all that is ours runs; members of which nothing moves never stop saying it. */
  #settle(): void {
    const { isOpening = true, isPaused = false } = this.#thread ?? {}
    if (!isOpening) this.#restoring.clear()
    if (isOpening && (this.#state === 'running' || this.#state === 'paused')) this.#enter('rebalancing')
    if (this.#state !== 'rebalancing' || isOpening || this.#followUp) return
    this.#enter(isPaused ? 'paused' : 'running')
  }

  async #close({ leaveGroup, timeoutMs = Infinity }: CloseOptions): Promise<void> {
    this.#enter('closing')
    try {
      if (leaveGroup ?? this.#options.settings.groupInstanceId === undefined)
        await this.#handOver(timeoutMs / 3)
      await this.#membership?.close(leaveGroup === undefined ? {} : { leave: leaveGroup })
      await this.#thread?.close(true)
    } catch (error) {
      await this.#fail(error)
    }
    await this.#running
    await this.#release()
    if (this.#isFailed) throw this.#failure
    if (this.#state === 'closing') this.#enter('closed')
  }

  /** A record may fail while the last work is finished: then the application has failed, and is not closed. */
  get #isFailed(): boolean {
    return this.#state === 'failed'
  }

  /**
   * Says that it leaves before it does: the others are ready by then, and what was here stands still for a moment only.
   * They hear it with their next heartbeats, and one that does not is not waited for.
   */
  async #handOver(longestMs: number): Promise<void> {
    if (!this.#hasPeers || this.tasks.length === 0) return
    const { clock, settings } = this.#options
    this.#handedOver = Promise.withResolvers()
    this.#membership?.requestRejoin('this process leaves')
    const over = new AbortController()
    const late = sleep(clock, Math.min(longestMs, 3 * settings.heartbeatIntervalMs), over.signal)
    await Promise.race([this.#handedOver.promise, late]).finally(() => over.abort())
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'closed' || this.#abandoned) return
    this.#failure = error
    this.#enter('failed')
    this.#ending = (async () => {
      this.#thread?.stop()
      // Nothing more is committed: what was not is processed again after the next start.
      await this.#thread?.close(false)
      const response = this.#isGroupToStop ? 'stopApplication' : await this.#options.responseToFailure?.()
      if (response === 'stopApplication') await this.#stopGroup(error)
      await this.#membership?.close().catch(() => undefined)
      await this.#release()
    })()
    await this.#ending.catch(() => undefined)
  }

  /** Fails, and stops the whole group. */
  stopApplication(reason: string): void {
    this.#isGroupToStop = true
    void this.#fail(applicationStopped(reason))
  }

  /** The leader hands it on with the next assignment, which reaches every member, this one too (KIP-671). */
  async #stopGroup(reason: unknown): Promise<void> {
    const { clock } = this.#options
    this.#stopRequest = messageOf(reason)
    this.#membership?.requestRejoin('the application is to stop')
    await Promise.race([this.#stopNotified.promise, sleep(clock, stopTimeoutMs)])
  }

  /** Nothing is waited for any more; what is not committed is processed again after the next start. */
  async #abandon({ leaveGroup }: CloseOptions): Promise<void> {
    const { clock } = this.#options
    this.#abandoned = true
    const left = this.#membership?.abandon(leaveGroup === undefined ? {} : { leave: leaveGroup })
    await Promise.race([left, sleep(clock, farewellMs)])
    await this.#options.disconnect?.()
    await this.#thread?.abandon()
    await this.#release()
    if (this.#state === 'closing') this.#enter('closed')
    this.#ending = Promise.resolve()
  }

  #release(): Promise<void> {
    this.#released ??= (async () => {
      this.#plans.close()
      this.#drops.close()
      this.#fetcher?.close()
      await this.#states.close()
      this.#output?.close()
      await this.#globals?.close()
      await this.#options.disconnect?.()
    })()
    return this.#released
  }

  /** A warning about a partition names the task that reads it. */
  #warn(message: string, fields: EventFields = {}): void {
    const { topic, partition } = fields
    const isInput = topic !== undefined && partition !== undefined
    const task = isInput ? this.#plans.plan?.taskOf({ topic, partition }) : undefined
    this.#options.listener.onWarning?.(message, { task, ...fields })
  }

  #enter(state: ApplicationState): void {
    if (this.#state === 'failed' || (this.#state === 'closing' && state !== 'closed' && state !== 'failed'))
      return
    this.#state = state
    this.#options.listener.onState?.(state)
  }
}

/** How long a broker may take to hear that a member leaves that is cut off. */
const farewellMs = 500

/** How long a failed member waits at most until its group knows that it is to stop. */
const stopTimeoutMs = 10_000

const applicationStopped = (reason: string): Fault =>
  new Fault({
    code: 'APPLICATION_STOPPED',
    actor: 'runtime',
    message: `a member of the group stopped the application: ${reason}`,
  })

const closedLate = (name: string, timeoutMs: number): Fault =>
  new Fault({
    code: 'CLOSE_TIMED_OUT',
    actor: 'runtime',
    message: `application '${name}' was not done within ${timeoutMs} ms and has been cut off`,
    remedy: 'what it had not committed is processed again after the next start',
  })
