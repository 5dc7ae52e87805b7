import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import { isFault } from '../base/fault.ts'
import { Mutex } from '../base/mutex.ts'
import { TimeSlice } from '../base/time-slice.ts'
import type { FetchedBatch, Fetcher } from '../kafka/fetcher.ts'
import { isRetriableFault } from '../kafka/protocol-errors.ts'
import type { Task } from '../task/task.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { Metrics } from './metrics.ts'
import { CarefulProgress } from './careful-progress.ts'
import { CatchUp } from './catch-up.ts'
import type { Committer } from './committer.ts'
import type { InputStart } from './input-starts.ts'
import type { InputFilter, OffsetToCommit, RunningTask } from './running-task.ts'
import type { RecordOutput } from './record-output.ts'
import type { RecordRetries } from './record-retries.ts'
import type { RepartitionPurge } from './repartition-purge.ts'
import { RestartPause } from './restart-pause.ts'
import type { EventFields, RuntimeSettings } from './runtime-settings.ts'
import { fieldsOf } from './runtime-settings.ts'
import type { TaskFactory } from './task-factory.ts'
import { TaskRegistry } from './task-registry.ts'
import { TaskRotation } from './task-rotation.ts'

export interface WorkerOptions {
  /** What the application does here as of now. */
  readonly planOf: () => ApplicationPlan
  readonly settings: RuntimeSettings
  readonly clock: Clock
  readonly fetcher: Fetcher
  readonly output: RecordOutput
  readonly committer: Committer
  readonly tasks: TaskFactory
  readonly metrics: Metrics
  readonly retries: RecordRetries
  readonly purge: RepartitionPurge
  readonly onWarning: (message: string, fields?: EventFields) => void
  /** Called where the stores hold nothing any more that is not committed, before the next record. */
  readonly onClean: () => void
  /** Tasks have begun, or are being opened. */
  readonly onTasksChange: () => void
  /** A task has ended here, with its stores at these offsets of their changelogs. */
  readonly onTaskEnd: (task: TaskId, offsets: ReadonlyMap<string, number>) => void
  /** Where each input goes on, by partition name: where its group left off, or where the settings say. */
  readonly startsOf: (inputs: readonly TopicPartition[]) => Promise<ReadonlyMap<string, InputStart>>
}

/**
 * The loop of one worker: poll → process → commit. A turn processes what was fetched for `maxPollDurationMs` at most, over
 * all tasks, and the next turn goes on with the task after it. Between two turns, and wherever a turn takes longer than
 * that, the event loop runs. It commits when the input is drained or `commitIntervalMs` has passed, whichever is first. A
 * rebalance takes the same lock as a turn, so tasks are given up only between turns; those that are new open beside the
 * turns.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #turns = new Mutex()
  readonly #registry: TaskRegistry
  readonly #progress: CarefulProgress
  readonly #slice: TimeSlice
  readonly #processing = new TaskRotation()
  readonly #punctuation = new TaskRotation()
  readonly #restarts = new RestartPause()
  #lastCommitMs: number
  /** What the group has given to this worker: it is open, or will be again. */
  #assigned: readonly TaskId[] = []
  #commitRequested = false
  #dirty = false
  /** True where inputs moved past markers or aborted records since the last commit. */
  #offsetsMoved = false
  #paused = false
  /** True where inputs whose records wait are not read on. */
  #areQueuesFull = false
  #closing = false
  readonly #stop = new AbortController()
  /** Set once: the record that failed counts as processed, so nothing is processed or committed any more. */
  #failure: { readonly error: unknown } | undefined
  #lastPunctuationMs = 0
  /** True where a slice was over before all that was due had run. */
  #punctuatesAgain = false
  readonly #catchUp: CatchUp

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#catchUp = new CatchUp({
      ...options,
      timeoutMs: options.settings.wallClockCatchUpTimeoutMs,
      silenceMs: options.settings.fetchMaxWaitMs + stallMs,
    })
    this.#lastCommitMs = options.clock.monotonicMs()
    this.#progress = new CarefulProgress(options.settings)
    const { maxPollDurationMs, commitIntervalMs } = options.settings
    this.#slice = new TimeSlice(options.clock, Math.min(maxPollDurationMs, commitIntervalMs))
    this.#registry = new TaskRegistry({
      ...options,
      onChange: options.onTasksChange,
      onFailure: (error) => {
        this.#failure ??= { error }
        this.wake()
      },
    })
  }

  get tasks(): ReadonlyMap<TaskId, RunningTask> {
    return this.#registry.running
  }

  /** The tasks that are this worker's: those that run and those that are being opened. */
  get ownTasks(): readonly TaskId[] {
    return this.#registry.ids
  }

  /** True while tasks are being opened. */
  get isOpening(): boolean {
    return this.#registry.isOpening
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** True where the stores hold nothing that is not committed. */
  get isClean(): boolean {
    return !this.#dirty
  }

  /** Asks for a commit at the end of this turn. */
  requestCommit(): void {
    this.#commitRequested = true
  }

  /** Runs until `stop`; rejects with what stopped it otherwise. */
  async run(): Promise<void> {
    while (!this.#closing) {
      const batches = this.#hasWork() ? [] : await this.#fetch()
      if (this.#failure !== undefined) throw this.#failure.error
      await this.#turns.run(() => this.#guardedTurn(batches))
    }
  }

  /** There is something to do although no record came. */
  wake(): void {
    this.#options.fetcher.wakeup()
  }

  /** Ends the loop after the turn in hand. */
  stop(): void {
    this.#closing = true
    this.#stop.abort()
    this.#options.fetcher.wakeup()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#catchUp.resumed(this.tasks.values())
    this.#options.fetcher.wakeup()
  }

  /** Takes these tasks on; those that run already go on. New ones open in the background. */
  async assign(taskIds: readonly TaskId[]): Promise<void> {
    this.#assigned = taskIds
    const kept = new Set(taskIds)
    for (const id of this.#registry.outdated) kept.delete(id)
    await this.#giveUp(this.#registry.ids.filter((id) => !kept.has(id)))
    // A turn that begins all tasks anew opens them itself.
    await this.#turns.run(() => Promise.resolve(this.#openAssigned()))
  }

  /** The barrier before partitions are given up: what was processed is committed; their tasks end, others go on. */
  revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const readers = new Set(this.#registry.readersOf(partitions, this.#assigned))
    this.#assigned = this.#assigned.filter((id) => !readers.has(id))
    return this.#giveUp(this.#registry.ids.filter((id) => readers.has(id)))
  }

  /** The group went on without us: nothing may be committed any more, and nothing is. */
  async lost(): Promise<void> {
    this.#assigned = []
    await this.#turns.run(() => this.#standStill())
  }

  /** Opens what is this worker's and is not open. */
  #openAssigned(): void {
    const known = new Set(this.#registry.ids)
    if (!this.#closing) this.#registry.open(this.#assigned.filter((id) => !known.has(id)))
  }

  /** Gives up everything, after a last commit where all is well; a turn may fail while this waits for its own. */
  async close(clean: boolean): Promise<void> {
    this.stop()
    await this.#turns.run(async () => {
      try {
        const isClean = clean && this.#failure === undefined
        if (isClean) await this.#drain()
        if (isClean && this.#hasOffsetsToCommit(anyInput)) await this.#commit(anyInput)
        else if (!isClean) await this.#options.committer.abort().catch(() => undefined)
      } finally {
        this.#options.purge.close()
        await this.#closeAll()
      }
    })
  }

  /** Lets go of everything at once, whatever is in hand; only where nothing can reach a broker any more. */
  async abandon(): Promise<void> {
    this.stop()
    this.#options.purge.close()
    await this.#closeAll()
  }

  /**
   * A turn whose commit may be refused. The group may have gone on without this member: it is told so by its heartbeats,
   * and `lost` follows. A transaction may have been ended by the broker, or nobody may have answered for long: then the
   * records since the last commit are taken up again.
   */
  #guardedTurn(batches: readonly FetchedBatch[]): Promise<void> {
    return this.#guarded(() => this.#turn(batches))
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      await work()
    } catch (error) {
      if (isFault(error)) this.#progress.lost(error, this.tasks.values(), this.#options.clock.monotonicMs())
      if (isFault(error) && outOfGroup.has(error.code)) await this.#standStill()
      else if (isFault(error) && mayStartOver(error)) await this.#startOver(error)
      else {
        this.#failure ??= { error }
        throw error
      }
    }
  }

  /** Ends tasks after a last commit. All others go on, also while asynchronous work of these is waited for. */
  async #giveUp(ids: readonly TaskId[]): Promise<void> {
    if (ids.length === 0) return
    this.#registry.stopReading(ids)
    for (const id of ids) await this.#finishWork(id)
    await this.#turns.run(async () => {
      await this.#guarded(async () => {
        if (this.#hasOffsetsToCommit(anyInput)) await this.#commit(anyInput)
      })
      await this.#registry.close(ids)
    })
  }

  /** Hands on what asynchronous work of a task brings, until there is none. */
  async #finishWork(id: TaskId): Promise<void> {
    const { clock, settings } = this.#options
    const workOf = (): Promise<void> | undefined => this.tasks.get(id)?.task.pendingAsync()
    for (let work = workOf(); work !== undefined && !this.#closing; work = workOf()) {
      await Promise.race([work, sleep(clock, settings.fetchMaxWaitMs)])
      await this.#turns.run(() => this.#guarded(() => this.#processSliceOf(id)))
    }
  }

  async #processSliceOf(id: TaskId): Promise<void> {
    const task = this.tasks.get(id)?.task
    this.#slice.begin()
    if (task !== undefined) this.#process(task)
    await this.#slice.next()
  }

  /** Nothing is processed until the group has said what is ours. */
  async #standStill(): Promise<void> {
    const closed = this.#closeAll()
    // What can't be taken back now would become final with what comes after it.
    await this.#options.committer.abort().catch((error: unknown) => this.#beginAnew(error))
    await closed
  }

  /** Makes ready to write again, if the reason allows it; a broker that is away is asked until it is back. */
  async #beginAnew(reason: unknown, note = ''): Promise<void> {
    const { clock, onWarning } = this.#options
    const pause = new RestartPause()
    let cause = reason
    while (isFault(cause) && mayStartOver(cause) && !this.#closing) {
      onWarning(`${cause.message}${cause === reason ? note : ''}`, fieldsOf(cause))
      await sleep(clock, pause.next().pauseMs, this.#stop.signal)
      try {
        await this.#options.committer.initialize()
        return
      } catch (error) {
        cause = error
      }
    }
    if (!this.#closing) throw cause
  }

  /** What was not committed is forgotten, in the stores too: tasks begin again at the last commit. */
  async #startOver(reason: Fault): Promise<void> {
    const { clock, retries } = this.#options
    const { restarts, pauseMs } = retries.isRetry(reason)
      ? { restarts: 1, pauseMs: retries.pauseMsAfter(reason) }
      : this.#restarts.next()
    await this.#closeAll()
    await this.#beginAnew(reason, restarts > 1 ? pausedNote(restarts, pauseMs) : '')
    await sleep(clock, pauseMs, this.#stop.signal)
    this.#openAssigned()
  }

  async #turn(batches: readonly FetchedBatch[]): Promise<void> {
    for (const batch of batches) {
      this.#registry.deliver(batch)
      if (endsWithoutRecord(batch)) this.#offsetsMoved = true
    }
    this.#slice.begin()
    this.#processSlice()
    while (this.#slice.check()) await this.#slice.next()
    this.#punctuate()
    if (this.#options.output.isFull) await this.#options.output.drained()
    if (this.#isCommitDue()) await this.#commit()
    await this.#slice.next()
    if (!this.#dirty && this.#mayCommitOffsets()) this.#dirty = true
    if (!this.#dirty) await this.#options.committer.settle()
    else if (!this.#hasWork() && this.#isDrained()) await this.#finishDrained()
  }

  /** Results go out at once, and become final with the commit, which an input that trickles in is not worth each time. */
  async #finishDrained(): Promise<void> {
    if (this.#untilDrainedCommitMs() <= 0) await this.#commit()
    else await this.#options.output.flush()
  }

  /** A transaction holds its results back until it is committed, so it ends where there is nothing more to put in. */
  #untilDrainedCommitMs(): number {
    const { processingGuarantee, commitIntervalMs } = this.#options.settings
    if (processingGuarantee === 'exactly_once') return 0
    return this.#untilCommitMs() - Math.max(0, commitIntervalMs - drainedCommitIntervalMs)
  }

  #processSlice(): void {
    if (this.#paused) return
    const beganMs = this.#slice.nowMs
    if (this.#progress.isOneByOne) this.#processOne()
    else this.#processing.visit(this.tasks, this.#slice, ({ task }) => this.#process(task))
    if (this.#dirty) this.#progress.began(beganMs)
    for (const running of this.tasks.values()) if (running.inputs.length > 1) this.#balance(running)
  }

  #processOne(): void {
    const done = this.#progress.processOne(this.tasks.values(), this.#slice)
    this.#processed(done)
    if (done > 0) this.#commitRequested = true
  }

  #process(task: Task): void {
    if (!task.isReady) return
    this.#dirty = true
    this.#processed(task.process(this.#options.settings.maxPollRecords, this.#slice))
  }

  #processed(done: number): void {
    if (done === 0) return
    this.#dirty = true
    this.#options.metrics.processedRecords += done
  }

  /** Inputs of one task are read at the pace of its slowest: one that runs ahead is not fetched while enough waits. */
  #balance({ task, inputs }: RunningTask): void {
    const { fetcher, settings } = this.#options
    const enough = 10 * settings.maxPollRecords
    for (const { topic, partition } of inputs) {
      const queue = task.queue(topic)
      if (queue === undefined) continue
      if (!queue.isHeldBack && queue.size > enough) {
        queue.isHeldBack = true
        fetcher.pause(topic, partition)
      } else if (queue.isHeldBack && queue.size * 2 <= enough && !this.#areQueuesFull) {
        queue.isHeldBack = false
        fetcher.resume(topic, partition)
      }
    }
  }

  /** As in Kafka Streams, inputs whose records wait are not read on while all of them take `inputBufferMaxBytes`; or while paused. */
  #limitQueues(): void {
    const { fetcher, settings } = this.#options
    this.#areQueuesFull = this.#paused || this.#queuedBytes() >= settings.inputBufferMaxBytes
    for (const { task, inputs } of this.tasks.values())
      for (const { topic, partition } of inputs) {
        const queue = task.queue(topic)
        if (queue === undefined) continue
        if (queue.size > 0 && this.#areQueuesFull && !queue.isHeldBack) {
          queue.isHeldBack = true
          fetcher.pause(topic, partition)
        } else if (queue.isHeldBack && (queue.size === 0 || (!this.#areQueuesFull && inputs.length === 1))) {
          queue.isHeldBack = false
          fetcher.resume(topic, partition)
        }
      }
  }

  #queuedBytes(): number {
    let bytes = 0
    for (const { task } of this.tasks.values()) for (const queue of task.queues) bytes += queue.bytes
    return bytes
  }

  #punctuate(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs === this.#lastPunctuationMs || this.#paused) return
    const sinceMs = nowMs - this.#lastPunctuationMs
    if (sinceMs > this.#options.settings.fetchMaxWaitMs + stallMs)
      this.#catchUp.stalled(this.tasks.values(), sinceMs)
    this.#lastPunctuationMs = nowMs
    this.#punctuatesAgain = !this.#punctuation.visit(this.tasks, this.#slice, (running) => {
      if (this.#mayPunctuate(running) && running.task.punctuateWallClock(this.#slice) > 0) this.#dirty = true
    })
  }

  #mayPunctuate(running: RunningTask): boolean {
    return running.task.hasWallClockPunctuators && this.#catchUp.isDone(running)
  }

  /** Offsets that moved over markers and aborted records alone are committed too, but not for each transaction of others. */
  #mayCommitOffsets(): boolean {
    const { clock, settings } = this.#options
    const pauseMs = Math.max(settings.commitIntervalMs, offsetsAloneIntervalMs)
    return clock.monotonicMs() - this.#lastCommitMs >= pauseMs && this.#hasOffsetsAlone(this.#isAnswered)
  }

  #hasOffsetsToCommit(isWanted: InputFilter): boolean {
    return this.#dirty || this.#hasOffsetsAlone(isWanted)
  }

  #hasOffsetsAlone(isWanted: InputFilter): boolean {
    if (this.#offsetsMoved) return true
    for (const running of this.tasks.values()) if (running.hasNewInputs(isWanted)) return true
    return false
  }

  /** An input that may not be read fails by its fetch request, which says more than a refused commit of its beginning. */
  readonly #isAnswered: InputFilter = ({ topic, partition }) =>
    this.#options.fetcher.lag(topic, partition) !== undefined

  #isCommitDue(): boolean {
    if (!this.#dirty) return false
    return this.#commitRequested || this.#untilCommitMs() <= 0
  }

  #untilCommitMs(): number {
    const { clock, settings } = this.#options
    return settings.commitIntervalMs - (clock.monotonicMs() - this.#lastCommitMs)
  }

  /** True where the broker has nothing more for any task, as of the last responses. */
  #isDrained(): boolean {
    const { fetcher } = this.#options
    for (const { inputs } of this.tasks.values())
      for (const { topic, partition } of inputs) if ((fetcher.lag(topic, partition) ?? 0) > 0) return false
    return true
  }

  /** Held-back results and state changes go out, everything is acknowledged, then the offsets follow. */
  async #commit(isWanted: InputFilter = this.#isAnswered): Promise<void> {
    const { committer, metrics, clock, settings, purge } = this.#options
    // What a transaction holds of a record's effects, it holds all of.
    if (settings.processingGuarantee === 'exactly_once') await this.#drain()
    for (const { task } of this.tasks.values()) {
      while (!task.prepareCommit(this.#slice)) await this.#slice.next()
      if (this.#slice.isOver) await this.#slice.next()
    }
    this.#progress.worked(clock.monotonicMs())
    const offsets = new Map<RunningTask, readonly OffsetToCommit[]>()
    for (const each of this.tasks.values()) offsets.set(each, each.offsetsToCommit(isWanted))
    const all = Array.from(offsets.values()).flat()
    const acked = await committer.commit(all)
    for (const [each, committed] of offsets) {
      // It may have been closed in between, with what was committed.
      if (this.tasks.get(each.task.id) === each) each.committed(committed, acked)
      while (this.#slice.check()) await this.#slice.next()
    }
    purge.committed(all)
    this.#progress.committed(this.tasks.values())
    this.#restarts.reset()
    this.#dirty = false
    this.#offsetsMoved = false
    this.#commitRequested = false
    this.#lastCommitMs = clock.monotonicMs()
    metrics.commits++
    metrics.lastCommitMs = clock.now()
    this.#options.onClean()
  }

  async #closeAll(): Promise<void> {
    this.#dirty = false
    this.#progress.forgetWork()
    this.#offsetsMoved = false
    await this.#registry.closeAll()
    this.#options.onClean()
  }

  /** True where a turn has something to process without waiting. */
  #hasWork(): boolean {
    return !this.#paused && this.#isReady()
  }

  #isReady(): boolean {
    for (const { task } of this.tasks.values()) if (task.isReady) return true
    return false
  }

  /** What has arrived; nothing while a task has all the asynchronous work in hand that it may. */
  async #fetch(): Promise<readonly FetchedBatch[]> {
    this.#limitQueues()
    const full = [...this.tasks.values()].filter(({ task }) => task.isFull)
    if (full.length === 0) return this.#options.fetcher.poll(this.#pollWaitMs())
    const { clock, settings } = this.#options
    await Promise.race([
      ...full.map(({ task }) => task.pendingAsync()),
      sleep(clock, settings.fetchMaxWaitMs),
    ])
    return []
  }

  /** Waits for asynchronous work and hands its results on. */
  async #drain(): Promise<void> {
    const busy = [...this.tasks.values()].filter(({ task }) => task.pendingAsync() !== undefined)
    if (busy.length > 0) this.#dirty = true
    // Side by side: one after another, calls that follow calls would add up over the tasks.
    await Promise.all(busy.map(({ task }) => task.drain(this.#slice)))
  }

  /** Idle workers wait for records; one with timers, or with something to commit, looks at the clock in between. */
  #pollWaitMs(): number {
    const { settings } = this.#options
    if (this.#punctuatesAgain) return 0
    if (this.#dirty) {
      const untilCommitMs = this.#isDrained() ? this.#untilDrainedCommitMs() : this.#untilCommitMs()
      return Math.max(0, Math.min(settings.fetchMaxWaitMs, untilCommitMs))
    }
    const timers = [...this.tasks.values()].some(({ task }) => task.hasWallClockPunctuators)
    return timers ? Math.min(settings.fetchMaxWaitMs, settings.commitIntervalMs) : settings.fetchMaxWaitMs
  }
}

const pausedNote = (restarts: number, pauseMs: number): string =>
  `; nothing was committed ${restarts} times in a row, so records are processed again after ${pauseMs} ms`

/** A loop that did not come round for this long, beyond the longest wait for records, stood still. */
const stallMs = 1_000

/** How often offsets are committed at the most where an input is drained again and again, at least once. */
const drainedCommitIntervalMs = 20

/** How often offsets are committed where nothing was processed: a pipeline behind transactions sees a marker for each. */
const offsetsAloneIntervalMs = 1_000

/** True where a batch ends in markers, aborted or compacted records. */
const endsWithoutRecord = ({ columns: { count, offsets }, nextOffset }: FetchedBatch): boolean =>
  count === 0 || (offsets[count - 1] as number) + 1 < nextOffset

/** What a commit is answered when the group has gone on. */
const outOfGroup = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

/** Before tasks leave, their beginnings are committed too, whether or not a broker has answered. */
const anyInput: InputFilter = () => true

/** What came to nothing, or nobody knows what came of it, can be done again from the last commit. */
const mayStartOver = (fault: Fault): boolean => startOver.has(fault.code) || isRetriableFault(fault)

/** A transaction that the broker has ended, or that nobody knows the end of; records that could not be stored in time. */
const startOver = new Set([
  'TRANSACTION_TIMED_OUT',
  'TRANSACTION_OUTCOME_UNKNOWN',
  'TRANSACTION_ABORTABLE',
  'DELIVERY_TIMED_OUT',
])
