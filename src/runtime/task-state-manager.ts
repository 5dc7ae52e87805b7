import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { StateStore } from '../state/store.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'
import { ChangelogCheck } from './changelog-check.ts'
import type { StoreOrigins } from './changelog-check.ts'
import { Changelogs } from './changelogs.ts'
import { IdleState } from './idle-state.ts'
import type { ReadableRows, RestoreProgress } from './restore.ts'
import { Restorer } from './restore.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import { StandbyTasks } from './standby-tasks.ts'
import type { RunningTask } from './running-task.ts'
import type { TaskStores } from './task-stores.ts'
import type { TaskFolders } from './task-folders.ts'
import { noTaskFolders } from './task-folders.ts'

export interface TaskStateManagerOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly settings: RuntimeSettings
  readonly planOf: () => ApplicationPlan
  readonly openTaskStores: (task: TaskId, origins: StoreOrigins) => TaskStores
  /** The folders of the tasks on disk; without, nothing of their state is kept. */
  readonly folders?: TaskFolders | undefined
  readonly onRestore: (progress: RestoreProgress) => void
  readonly onRestored: (records: number) => void
  readonly readableRows: ReadableRows
  /** Tasks may be able to move. */
  readonly onRebalance: (reason: string) => void
  readonly onWarning: (message: string) => void
}

/** The tasks of this process: those that are its own, and those of them that run. */
export interface TasksHere {
  readonly ids: readonly TaskId[]
  readonly running: Iterable<RunningTask>
}

/**
 * The state that one member has of tasks, in all its conditions: being restored for a task that is about to begin, kept
 * as a copy of a task that runs elsewhere, or left on the disk without use. The leader gets the lags of all of them.
 */
export class TaskStateManager {
  readonly restorer: Restorer
  readonly check: ChangelogCheck
  readonly #options: TaskStateManagerOptions
  readonly #planOf: () => ApplicationPlan
  readonly #standbys: StandbyTasks
  readonly #idle: IdleState
  #cancelCare: (() => void) | undefined
  #cleaning: Promise<void> | undefined

  constructor(options: TaskStateManagerOptions) {
    const { cluster, clock, planOf, folders = noTaskFolders, onWarning } = options
    const changelogs = new Changelogs(cluster)
    this.check = new ChangelogCheck({ changelogs, clock, planOf, folders, onWarning })
    this.#options = options
    this.#planOf = planOf
    this.restorer = new Restorer({
      cluster,
      onProgress: options.onRestore,
      checkCrcs: options.settings.checkCrcs,
      onRestored: options.onRestored,
      readableRows: options.readableRows,
    })
    this.#idle = new IdleState({ clock, changelogs, planOf, folders })
    this.#standbys = new StandbyTasks({
      ...options,
      check: this.check,
      onEnd: (task, offsets) => this.ended(task, offsets),
    })
  }

  /** The tasks that have a copy of their state here, by how many records it is behind. */
  get copies(): ReadonlyMap<TaskId, number> {
    return this.#standbys.lags
  }

  /** The copy of a store, to read from; undefined where there is none. */
  copyOf(store: string, partition: number): StateStore | undefined {
    return this.#standbys.store(store, partition)
  }

  /** A task has ended here and left its state, with its stores at these offsets of their changelogs. */
  ended(task: TaskId, offsets: ReadonlyMap<string, number>): void {
    this.#idle.note(task, offsets)
  }

  /** Ends all other copies. One lies where its task would, so it is let go before that begins here. */
  keepCopies(wanted: readonly TaskId[]): Promise<void> {
    return this.#standbys.keep(wanted)
  }

  /** Begins copies, after their tasks have ended here; warm-ups are for tasks that will move here. */
  followCopies(standbys: readonly TaskId[], warmups: readonly TaskId[]): void {
    this.#standbys.follow(standbys, warmups)
  }

  /** By how many records the state is behind that is here: of tasks still being restored, of copies, of idle state. */
  async lags(ownTasks: readonly TaskId[]): Promise<ReadonlyMap<TaskId, number>> {
    const { copies } = this
    const unused = await this.#idle.lags(new Set([...ownTasks, ...copies.keys()]))
    const restoring = ownTasks
      .map((task) => [task, this.#remainingOf(task)] as const)
      .filter(([, lag]) => lag > 0)
    return new Map([...unused, ...copies, ...restoring])
  }

  /**
   * Looks after the state from time to time: what is up to date is noted as such, and what has not been used for long is
   * deleted. `stateOf` returns the tasks here while this process is settled in its group.
   */
  lookAfter(stateOf: () => TasksHere | undefined): void {
    const { clock, settings } = this.#options
    const intervalMs = Math.max(1, Math.min(longestIntervalMs, settings.stateCleanupDelayMs))
    const sinceMs = clock.monotonicMs()
    this.#cancelCare = clock.setTimer(() => {
      // A process that was stopped meanwhile may have lost its tasks and not know it yet.
      const isLate = clock.monotonicMs() - sinceMs > 2 * intervalMs
      this.#care(isLate ? undefined : stateOf())
      this.lookAfter(stateOf)
    }, intervalMs)
  }

  async close(): Promise<void> {
    this.#cancelCare?.()
    this.restorer.close()
    await this.#cleaning
    await this.#standbys.close()
  }

  #care(here: TasksHere | undefined): void {
    const { clock, settings, onWarning } = this.#options
    if (here === undefined) return this.#idle.keepUnused()
    for (const task of here.running) task.caughtUp(clock.now())
    const inUse = new Set([...here.ids, ...this.#standbys.ids])
    const failed = (error: unknown): void => onWarning(`unused state cannot be deleted: ${messageOf(error)}`)
    try {
      this.#idle.deleteUnused(inUse, settings.stateCleanupDelayMs)
    } catch (error) {
      failed(error)
    }
    this.#cleaning ??= this.#idle
      .deleteAbandoned(settings.stateCleanupDelayMs)
      .catch(failed)
      .finally(() => (this.#cleaning = undefined))
  }

  #remainingOf(task: TaskId): number {
    const plan = this.#planOf()
    return copiedStoresOf(plan, task)
      .map((store) => this.restorer.remaining(changelogOf(plan, task, store)))
      .reduce((sum, each) => sum + each, 0)
  }
}

/** The least often that state is looked after. */
const longestIntervalMs = 60_000
