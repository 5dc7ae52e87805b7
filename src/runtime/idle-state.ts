import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StoredState } from '../state/disk.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { problemOf } from './changelog-check.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'
import type { ChangelogNow, Changelogs } from './changelogs.ts'
import type { TaskFolders } from './task-folders.ts'

export interface IdleStateOptions {
  readonly clock: Clock
  readonly changelogs: Changelogs
  readonly planOf: () => ApplicationPlan
  readonly folders: TaskFolders
}

/**
 * State on this disk that no task uses: of tasks that ran here before a restart, or that have moved away since. The leader
 * gets its lag, so that a task comes back to where least is to be restored. State that stays unused is
 * deleted.
 */
export class IdleState {
  readonly #options: IdleStateOptions
  readonly #states = new Map<TaskId, ReadonlyMap<string, StoredState>>()
  readonly #unusedSinceMs = new Map<TaskId, number>()
  #scan: Promise<void> | undefined

  constructor(options: IdleStateOptions) {
    this.#options = options
  }

  /** Notes where the stores of a task stood when it ended here. */
  note(task: TaskId, offsets: ReadonlyMap<string, number>): void {
    const origin = { topicId: undefined, caughtUpMs: this.#options.clock.now() }
    this.#states.set(
      task,
      new Map(Array.from(offsets, ([store, changelogOffset]) => [store, { changelogOffset, origin }])),
    )
  }

  /** By how many records the state of each task is behind that is not in use; empty where the brokers don't answer in time. */
  async lags(inUse: ReadonlySet<TaskId>): Promise<ReadonlyMap<TaskId, number>> {
    const { clock, changelogs, planOf } = this.#options
    await (this.#scan ??= this.#read())
    const places = [...this.#states].flatMap(([task, states]) =>
      inUse.has(task) ? [] : placesOf(planOf(), task, states),
    )
    if (places.length === 0) return new Map()
    const asked = changelogs.at(places).catch(() => undefined)
    const found = await Promise.race([asked, sleep(clock, answerTimeoutMs).then(() => undefined)])
    const lags = new Map<TaskId, number>()
    if (found === undefined) return lags
    for (const { task, topic, partition, stored } of places) {
      const changelog = found.get(partitionName(topic, partition)) as ChangelogNow
      lags.set(task, (lags.get(task) ?? 0) + lagOf(stored, changelog, clock.now()))
    }
    return lags
  }

  /** Deletes the state of tasks that have not been in use for so long, and what was set aside before. */
  deleteUnused(inUse: ReadonlySet<TaskId>, delayMs: number): void {
    const { clock, folders } = this.#options
    const nowMs = clock.monotonicMs()
    for (const task of inUse) this.#unusedSinceMs.delete(task)
    for (const task of folders.tasks().filter((each) => !inUse.has(each))) {
      const sinceMs = this.#unusedSinceMs.get(task) ?? nowMs
      this.#unusedSinceMs.set(task, sinceMs)
      if (nowMs - sinceMs < delayMs) continue
      folders.delete(task)
      this.#states.delete(task)
      this.#unusedSinceMs.delete(task)
    }
    folders.deleteSetAside(clock.now() - delayMs)
  }

  /** Deletes the state that processes and threads left which no longer run here. */
  deleteAbandoned(delayMs: number): Promise<void> {
    return this.#options.folders.deleteAbandoned(delayMs)
  }

  /** While the group is not settled, tasks may come back. */
  keepUnused(): void {
    this.#unusedSinceMs.clear()
  }

  async #read(): Promise<void> {
    const { folders } = this.#options
    for (const task of folders.tasks()) {
      if (this.#states.has(task)) continue
      // What cannot be read now is reported as if there were none; a task that opens it learns why.
      const states = await folders.read(task).catch(() => undefined)
      if (states !== undefined && !this.#states.has(task)) this.#states.set(task, states)
    }
  }
}

const answerTimeoutMs = 2_000

/** State that cannot be continued is as far behind as can be. */
const lagOf = (stored: StoredState | undefined, changelog: ChangelogNow, nowMs: number): number =>
  problemOf(stored, changelog, nowMs) === undefined
    ? changelog.endOffset - (stored?.changelogOffset ?? 0)
    : Number.MAX_SAFE_INTEGER / 2

interface Place {
  readonly task: TaskId
  readonly topic: string
  readonly partition: number
  readonly stored: StoredState | undefined
}

/** Nothing for a task that the plan does not have, or that has no state to copy. */
const placesOf = (
  plan: ApplicationPlan,
  task: TaskId,
  states: ReadonlyMap<string, StoredState>,
): readonly Place[] =>
  plan.tasks.includes(task)
    ? copiedStoresOf(plan, task).map((store) => ({
        task,
        ...changelogOf(plan, task, store),
        stored: states.get(store.name),
      }))
    : []
