import type { Clock } from '../base/clock.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { StateStore } from '../state/store.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'
import type { StoredOffsets } from './dormant-state.ts'
import { DormantState } from './dormant-state.ts'
import type { RestoreProgress } from './restore.ts'
import { Restorer } from './restore.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import { StandbyTasks } from './standby-tasks.ts'
import type { TaskStores } from './task-factory.ts'

export interface StateKeeperOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly settings: RuntimeSettings
  readonly planOf: () => ApplicationPlan
  readonly openTaskStores: (task: TaskId) => TaskStores
  /** What of the tasks' state was on the disk before; nothing unless given. */
  readonly readStored?: (() => Promise<StoredOffsets>) | undefined
  readonly onRestore: (progress: RestoreProgress) => void
  readonly onRestored: (records: number) => void
  /** Tasks may be able to move. */
  readonly onRebalance: (reason: string) => void
  readonly onWarning: (message: string) => void
}

/**
 * The state that one worker has of tasks, in all its conditions: being restored for a task that is about to begin, kept
 * as a copy of a task that runs elsewhere, or left on the disk without use. Together they are what the leader is told.
 */
export class StateKeeper {
  readonly restorer: Restorer
  readonly #planOf: () => ApplicationPlan
  readonly #standbys: StandbyTasks
  readonly #dormant: DormantState

  constructor(options: StateKeeperOptions) {
    const { cluster, planOf, readStored = () => Promise.resolve(new Map()) } = options
    this.#planOf = planOf
    this.restorer = new Restorer({
      cluster,
      onProgress: options.onRestore,
      onRestored: options.onRestored,
    })
    this.#dormant = new DormantState({ cluster, planOf, readStored })
    this.#standbys = new StandbyTasks({ ...options, onEnd: (task, offsets) => this.ended(task, offsets) })
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
    this.#dormant.note(task, offsets)
  }

  /** Ends all other copies. One lies where its task would, so it is let go before that begins here. */
  keepCopies(wanted: readonly TaskId[]): Promise<void> {
    return this.#standbys.keep(wanted)
  }

  /** Begins copies, after their tasks have ended here; warm-ups are for tasks that shall move here. */
  followCopies(standbys: readonly TaskId[], warmups: readonly TaskId[]): void {
    this.#standbys.follow(standbys, warmups)
  }

  /** By how many records the state is behind that is here: of tasks still being restored, of copies, of what nobody uses. */
  async lags(ownTasks: readonly TaskId[]): Promise<ReadonlyMap<TaskId, number>> {
    const { copies } = this
    const unused = await this.#dormant.lags(new Set([...ownTasks, ...copies.keys()]))
    const restoring = ownTasks
      .map((task) => [task, this.#remainingOf(task)] as const)
      .filter(([, lag]) => lag > 0)
    return new Map([...unused, ...copies, ...restoring])
  }

  async close(): Promise<void> {
    this.restorer.close()
    await this.#standbys.close()
  }

  #remainingOf(task: TaskId): number {
    const plan = this.#planOf()
    return copiedStoresOf(plan, task)
      .map((store) => this.restorer.remaining(changelogOf(plan, task, store)))
      .reduce((sum, each) => sum + each, 0)
  }
}
