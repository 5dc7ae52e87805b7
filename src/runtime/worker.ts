import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { Mutex } from '../base/mutex.ts'
import type { FetchedBatch, Fetcher } from '../kafka/fetcher.ts'
import type { ApplicationPlan, TopicPartition } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { Metrics } from './metrics.ts'
import type { OffsetToCommit, RunningTask } from './running-task.ts'
import type { RecordOutput } from './record-output.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import type { TaskFactory } from './task-factory.ts'

/** What the worker asks of its group. */
export interface GroupLink {
  commit(offsets: readonly OffsetToCommit[]): Promise<void>
  /** The committed offsets, with their metadata; partitions without one are left out. */
  committed(
    partitions: readonly TopicPartition[],
  ): Promise<readonly (TopicPartition & { readonly offset: number; readonly metadata: string | null })[]>
}

export interface WorkerOptions {
  readonly plan: ApplicationPlan
  readonly settings: RuntimeSettings
  readonly clock: Clock
  readonly fetcher: Fetcher
  readonly output: RecordOutput
  readonly group: GroupLink
  readonly tasks: TaskFactory
  readonly metrics: Metrics
  /** Where an input without a committed offset begins. */
  readonly startOffsets: (inputs: readonly TopicPartition[]) => Promise<ReadonlyMap<string, number>>
}

/**
 * The loop of one worker: poll → process → commit. A turn is what happens between two waits: everything that was fetched
 * is processed, slice by slice, and committed when the input is drained or `commitIntervalMs` has passed, whichever is
 * first. A rebalance takes the same lock as a turn, so tasks change hands only between turns.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #turns = new Mutex()
  readonly #tasks = new Map<TaskId, RunningTask>()
  #generation = 0
  #lastCommitMs: number
  #commitRequested = false
  #dirty = false
  #paused = false
  #closing = false
  #lastPunctuationMs = 0

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#lastCommitMs = options.clock.now()
  }

  get tasks(): ReadonlyMap<TaskId, RunningTask> {
    return this.#tasks
  }

  /** Asks for a commit at the end of this turn. */
  requestCommit(): void {
    this.#commitRequested = true
  }

  /** Runs until `stop`; rejects with what stopped it otherwise. */
  async run(): Promise<void> {
    while (!this.#closing) {
      const batches = await this.#options.fetcher.poll(this.#pollWaitMs())
      await this.#turns.run(() => this.#turn(batches))
    }
  }

  /** Ends the loop after the turn in hand. */
  stop(): void {
    this.#closing = true
    this.#options.fetcher.wakeup()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#options.fetcher.wakeup()
  }

  /** Takes these tasks on, giving up all others: stores are restored, then reading begins where the group left off. */
  async assign(taskIds: readonly TaskId[], generation: number): Promise<void> {
    await this.#turns.run(async () => {
      this.#generation = generation
      for (const id of [...this.#tasks.keys()]) if (!taskIds.includes(id)) await this.#closeTask(id)
      const added = taskIds.filter((id) => !this.#tasks.has(id))
      const opened = await this.#options.tasks.open(added)
      await this.#begin(opened)
      for (const each of opened) this.#tasks.set(each.task.id, each)
      this.#options.fetcher.assign(this.#positions(), generation)
    })
  }

  /** The barrier before partitions are given up: what was processed is committed, and fetched records are let go. */
  async revoke(): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#dirty) await this.#commit()
      this.#options.fetcher.assign([], this.#generation)
      for (const { task } of this.#tasks.values()) for (const queue of task.queues) queue.clear()
    })
  }

  /** The group went on without us: nothing may be committed any more, and nothing is. */
  async lost(): Promise<void> {
    await this.#turns.run(async () => {
      this.#options.fetcher.assign([], this.#generation)
      await this.#options.output.discard()
      this.#dirty = false
      for (const id of [...this.#tasks.keys()]) await this.#closeTask(id)
    })
  }

  /** Gives up everything, after a last commit where all is well. */
  async close(clean: boolean): Promise<void> {
    this.stop()
    await this.#turns.run(async () => {
      try {
        if (clean && this.#dirty) await this.#commit()
      } finally {
        for (const id of [...this.#tasks.keys()]) await this.#closeTask(id)
      }
    })
  }

  async #turn(batches: readonly FetchedBatch[]): Promise<void> {
    for (const batch of batches) this.#deliver(batch)
    do {
      this.#processSlice()
      this.#punctuate()
      if (this.#options.output.isFull) await this.#options.output.drained()
      if (this.#isCommitDue()) await this.#commit()
      // Heartbeats and other timers get their turn between two slices.
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#queued() > 0 && !this.#closing && !this.#paused)
    if (this.#dirty && this.#queued() === 0) await this.#commit()
  }

  #deliver({ topic, partition, generation, columns, nextOffset }: FetchedBatch): void {
    const task = this.#options.plan.taskOf({ topic, partition })
    if (task === undefined || generation !== this.#generation) return
    this.#tasks.get(task)?.task.push(topic, columns, nextOffset)
  }

  #processSlice(): void {
    if (this.#paused) return
    for (const { task } of this.#tasks.values()) {
      const done = task.process(this.#options.settings.maxPollRecords)
      if (done === 0) continue
      this.#dirty = true
      this.#options.metrics.processedRecords += done
    }
  }

  #punctuate(): void {
    const nowMs = this.#options.clock.now()
    if (nowMs === this.#lastPunctuationMs || this.#paused) return
    this.#lastPunctuationMs = nowMs
    for (const { task } of this.#tasks.values()) if (task.punctuateWallClock() > 0) this.#dirty = true
  }

  #isCommitDue(): boolean {
    if (!this.#dirty) return false
    return (
      this.#commitRequested ||
      this.#options.clock.now() - this.#lastCommitMs >= this.#options.settings.commitIntervalMs
    )
  }

  /** Held-back results and state changes go out, everything is acknowledged, then the offsets follow. */
  async #commit(): Promise<void> {
    const { output, group, metrics, clock } = this.#options
    for (const { task } of this.#tasks.values()) task.prepareCommit()
    const acked = await output.flush()
    const offsets = new Map([...this.#tasks.values()].map((each) => [each, each.offsetsToCommit()]))
    const moved = [...offsets.values()].flat()
    if (moved.length > 0) await group.commit(moved)
    for (const [each, committed] of offsets) each.committed(committed, acked)
    this.#dirty = false
    this.#commitRequested = false
    this.#lastCommitMs = clock.now()
    metrics.commits++
  }

  async #begin(opened: readonly RunningTask[]): Promise<void> {
    const inputs = opened.flatMap((each) => each.inputs)
    const committed = await this.#options.group.committed(inputs)
    const known = new Map(committed.map((each) => [`${each.topic}-${each.partition}`, each]))
    const missing = inputs.filter(({ topic, partition }) => !known.has(`${topic}-${partition}`))
    const starts =
      missing.length === 0 ? new Map<string, number>() : await this.#options.startOffsets(missing)
    for (const each of opened)
      for (const input of each.inputs) {
        const place = `${input.topic}-${input.partition}`
        const found = known.get(place)
        each.begin(
          input,
          found?.offset ?? starts.get(place) ?? 0,
          this.#options.tasks.partitionTimeOf(found?.metadata),
        )
      }
  }

  #positions(): readonly (TopicPartition & { readonly offset: number })[] {
    return [...this.#tasks.values()].flatMap(({ inputs, task }) =>
      inputs.map((input) => {
        const queue = task.queue(input.topic)
        if (queue === undefined) throw unreadInput(task.id, input)
        queue.clear()
        return { ...input, offset: queue.nextOffset }
      }),
    )
  }

  async #closeTask(id: TaskId): Promise<void> {
    this.#tasks.get(id)?.task.close()
    this.#tasks.delete(id)
  }

  #queued(): number {
    let queued = 0
    for (const { task } of this.#tasks.values()) queued += task.queued
    return queued
  }

  /** Idle workers wait for records; one with timers looks at the clock in between. */
  #pollWaitMs(): number {
    const { settings } = this.#options
    if (!this.#paused && this.#queued() > 0) return 0
    const timers = [...this.#tasks.values()].some(({ task }) => task.hasWallClockPunctuators)
    return timers ? Math.min(settings.fetchMaxWaitMs, settings.commitIntervalMs) : settings.fetchMaxWaitMs
  }
}

const unreadInput = (task: TaskId, { topic, partition }: TopicPartition): Fault =>
  new Fault({
    code: 'TASK_TOPIC_UNKNOWN',
    actor: 'runtime',
    message: `task ${task} was given an input it does not read`,
    place: { topic, partition },
  })
