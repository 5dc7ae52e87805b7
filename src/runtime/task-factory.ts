import type { Clock } from '../base/clock.ts'
import { AssertionFailed } from '../base/assert.ts'
import { TimeSlice } from '../base/time-slice.ts'
import type { StateStore } from '../state/store.ts'
import type { Blocked, TaskHost } from '../task/ports.ts'
import { queueSourceOf, Task } from '../task/task.ts'
import type { SubTopology } from '../topology/sub-topologies.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { partsOfTask } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogTopicOf } from './internal-topics.ts'
import type { Metrics } from './metrics.ts'
import type { RecordFailureHandler } from './record-failure-handler.ts'
import type { RecordOutput } from './record-output.ts'
import type { RecordRetries } from './record-retries.ts'
import type { ChangelogCheck, StoreOrigins } from './changelog-check.ts'
import type { Restorer } from './restore.ts'
import { RunningTask } from './running-task.ts'
import type { TaskStores } from './task-stores.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

export interface TaskFactoryOptions {
  readonly planOf: () => ApplicationPlan
  readonly settings: RuntimeSettings
  readonly clock: Clock
  readonly restorer: Restorer
  readonly output: RecordOutput
  readonly metrics: Metrics
  readonly retries: RecordRetries
  readonly failureHandler: RecordFailureHandler
  readonly check: ChangelogCheck
  readonly openTaskStores: (task: TaskId, origins: StoreOrigins) => TaskStores
  readonly globalStore: (name: string) => StateStore | undefined
  readonly requestCommit: () => void
  readonly workReady: () => void
  /** A step of a task held the thread for long. */
  readonly blocked: (task: TaskId, event: Blocked) => void
  /** True where an input has records that have not arrived yet. */
  readonly hasMore: (topic: string, partition: number) => boolean
}

/** Makes tasks and brings their stores up to date. */
export class TaskFactory {
  readonly #options: TaskFactoryOptions
  readonly #slice: TimeSlice

  constructor(options: TaskFactoryOptions) {
    this.#options = options
    this.#slice = new TimeSlice(options.clock, options.settings.maxPollDurationMs)
  }

  /** Throws where the process can't have so many more tasks open. */
  refuseTooMany(ids: readonly TaskId[]): void {
    this.#options.check.refuseTooMany(ids)
  }

  /**
   * Opens a task; resolves when its stores stand at the end of their changelogs, or without one where the signal says to
   * stop, with what was restored kept. Inputs go on at `startOf`.
   */
  async open(
    id: TaskId,
    startOf: (place: string) => number | undefined,
    signal: AbortSignal,
  ): Promise<RunningTask | undefined> {
    const { check, clock, restorer } = this.#options
    const beganMs = clock.now()
    const origins = await check.prepare(id)
    // Hundreds of tasks are opened at once after a rebalance.
    while (this.#slice.check()) await this.#slice.next()
    if (signal.aborted) return undefined
    const opened = this.#open(id, origins)
    try {
      await restorer.restore(opened.restorations(startOf), signal)
      if (!signal.aborted) opened.caughtUp(beganMs)
    } catch (error) {
      await opened.close()
      throw error
    }
    if (!signal.aborted) return opened
    await opened.close()
    return undefined
  }

  #open(id: TaskId, origins: StoreOrigins): RunningTask {
    const { planOf, settings, failureHandler, output } = this.#options
    const plan = planOf()
    const parts = partsOfTask(id)
    const subTopology = plan.subTopologies[parts.subTopology]
    if (subTopology === undefined) throw new AssertionFailed(`no sub-topology for task ${id}`)
    const stores = this.#options.openTaskStores(id, origins)
    const task = new Task({
      topology: plan.topology,
      subTopology,
      partition: parts.partition,
      idleAdvanceMs: settings.idleAdvanceMs,
      maxTimestampAheadMs: settings.maxTimestampAheadMs,
      host: this.#hostOf(id, stores, subTopology),
      onFailure: this.#options.retries.before(
        failureHandler.with((topic, row) => output.sendRow(topic, row)),
      ),
    })
    const inputs = plan.inputsOf(id)
    for (const { topic, partition } of inputs) addMatched(task, subTopology, topic, partition)
    return new RunningTask(task, inputs, subTopology.stores, settings.applicationId, stores)
  }

  #hostOf(id: TaskId, stores: TaskStores, subTopology: SubTopology): TaskHost {
    const { settings, clock, output, metrics, globalStore, requestCommit, workReady, hasMore } = this.#options
    const { partition } = partsOfTask(id)
    const topics = new Map(
      subTopology.stores.map((store) => [store.name, changelogTopicOf(settings.applicationId, store)]),
    )
    return {
      applicationId: settings.applicationId,
      clock,
      output,
      openStore: (definition, changelog) => stores.open(definition, changelog),
      globalStore: (name) => {
        const store = globalStore(name)
        if (store === undefined) throw new AssertionFailed(`no global store '${name}'`)
        return store
      },
      changelog: output.changelog(partition, (store) => topics.get(store) as string),
      dropped: (reason, node) => metrics.drop(reason, node),
      requestCommit,
      workReady,
      hasMore,
      blocked: (event) => this.#options.blocked(id, event),
      freezeState: settings.freezeState,
    }
  }
}

/** A topic that a pattern matched has no queue yet. */
const addMatched = (task: Task, { nodes }: SubTopology, topic: string, partition: number): void => {
  if (task.queue(topic) !== undefined) return
  for (const node of nodes)
    if (node.kind === 'source' && node.topics instanceof RegExp && matchesWhole(node.topics, topic))
      task.addTopic(queueSourceOf(node, topic, partition))
}
