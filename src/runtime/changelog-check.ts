import type { Clock } from '../base/clock.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StoredState, StoreOrigin } from '../state/disk.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { partsOfTask } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogOf } from './changelog-sizes.ts'
import type { ChangelogNow, Changelogs } from './changelogs.ts'
import type { TaskFolders } from './task-folders.ts'

export interface ChangelogCheckOptions {
  readonly changelogs: Changelogs
  readonly clock: Clock
  readonly planOf: () => ApplicationPlan
  readonly folders: TaskFolders
  readonly onWarning: (message: string) => void
}

/** What each store on disk notes of its changelog, by store name. */
export type StoreOrigins = ReadonlyMap<string, StoreOrigin>

/**
 * Decides whether the state of a task on disk can be continued: an offset alone does not say that it belongs to this
 * changelog, nor that the changelog still has every deletion written since. State that does not pass is set aside with a
 * warning, and its task is restored from the changelogs.
 */
export class ChangelogCheck {
  readonly #options: ChangelogCheckOptions
  readonly #preparing = new Map<TaskId, Promise<StoreOrigins>>()

  constructor(options: ChangelogCheckOptions) {
    this.#options = options
  }

  /** Refuses tasks for whose state the process has no file descriptors, before the first of them is opened. */
  refuseTooMany(tasks: readonly TaskId[]): void {
    const { planOf, folders } = this.#options
    const plan = planOf()
    folders.refuseTooMany(tasks.filter((task) => hasStoreOnDisk(plan, task)).length)
  }

  /** Sets aside what cannot be continued; resolves with what the stores note from now on. */
  prepare(task: TaskId): Promise<StoreOrigins> {
    const running = this.#preparing.get(task)
    if (running !== undefined) return running
    const prepared = this.#prepare(task).finally(() => this.#preparing.delete(task))
    this.#preparing.set(task, prepared)
    return prepared
  }

  /** Sets the state of a task aside; its folder must be closed. */
  setAside(task: TaskId, store: string, problem: string): void {
    const path = this.#options.folders.setAside(task)
    this.#options.onWarning(
      `the state of task ${task} is restored from its changelogs: store '${store}' ${problem}; the old state was moved to ${path}`,
    )
  }

  async #prepare(task: TaskId): Promise<StoreOrigins> {
    const { clock, planOf, folders, changelogs } = this.#options
    const plan = planOf()
    const stores = durableStoresOf(plan, task)
    if (stores.length === 0) return new Map()
    const nowMs = clock.now()
    const stored = (await folders.read(task)) ?? new Map<string, StoredState>()
    const places = stores.map((store) => changelogOf(plan, task, store))
    const now = await changelogs.at(places)
    const found = places.map(({ topic, partition }) => now.get(partitionName(topic, partition)))
    for (const [index, { name }] of stores.entries()) {
      const problem = problemOf(stored.get(name), found[index] as ChangelogNow, nowMs)
      if (problem === undefined) continue
      this.setAside(task, name, problem)
      stored.clear()
      break
    }
    return new Map(
      stores.map(({ name }, index) => [
        name,
        {
          topicId: found[index]?.topicId,
          caughtUpMs: stored.get(name)?.origin?.caughtUpMs ?? nowMs,
        },
      ]),
    )
  }
}

/** Stores that are restored from a changelog and lie on disk, also those whose input topic is their changelog. */
const durableStoresOf = (plan: ApplicationPlan, task: TaskId): readonly StoreDefinition[] =>
  plan.subTopologies[partsOfTask(task).subTopology]?.stores.filter(
    ({ changelog, storage }) => changelog && storage !== 'memory',
  ) ?? []

const hasStoreOnDisk = (plan: ApplicationPlan, task: TaskId): boolean =>
  plan.subTopologies[partsOfTask(task).subTopology]?.stores.some(({ storage }) => storage !== 'memory') ===
  true

/** Why stored state cannot be continued; undefined where it can, or where there is none. */
export const problemOf = (
  stored: StoredState | undefined,
  { topicId, startOffset, endOffset, tombstoneRetentionMs }: ChangelogNow,
  nowMs: number,
): string | undefined => {
  if (stored === undefined || stored.changelogOffset === 0) return undefined
  const { changelogOffset, aheadOffset = 0, origin } = stored
  if (origin === undefined) return 'was written by a version that did not note its changelog'
  if (origin.topicId !== undefined && topicId !== undefined && origin.topicId !== topicId)
    return `was made from an earlier changelog of the same name (topic id ${origin.topicId}, now ${topicId})`
  const lastOffset = Math.max(changelogOffset, aheadOffset)
  if (lastOffset > endOffset) return `is at offset ${lastOffset} of its changelog, which ends at ${endOffset}`
  if (changelogOffset < startOffset)
    return `is at offset ${changelogOffset} of its changelog, which begins at ${startOffset}`
  const ageMs = nowMs - origin.caughtUpMs
  if (ageMs > tombstoneRetentionMs)
    return `was last up to date ${ageMs} ms ago, and its changelog drops deletions after ${tombstoneRetentionMs} ms (delete.retention.ms)`
  if (ageMs < -clockToleranceMs)
    return `was last up to date in ${-ageMs} ms from now: the clock was set back, so its age is unknown`
  return undefined
}

const clockToleranceMs = 60_000
