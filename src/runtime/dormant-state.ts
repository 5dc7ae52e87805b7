import { sleep } from '../base/clock.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogOf, copiedStoresOf } from './changelog-sizes.ts'

/** How far each store of a task that lies on this disk has come, by store name, as offsets of the changelogs. */
export type StoredOffsets = ReadonlyMap<TaskId, ReadonlyMap<string, number>>

export interface DormantStateOptions {
  readonly cluster: Cluster
  readonly planOf: () => ApplicationPlan
  /** What was on the disk when this process started. */
  readonly readStored: () => Promise<StoredOffsets>
}

/**
 * State on this disk that nobody uses: of tasks that ran here before a restart, or that have moved away since. The leader
 * is told how far behind it is, so that a task comes back to where least is to be restored.
 */
export class DormantState {
  readonly #options: DormantStateOptions
  readonly #offsets = new Map<TaskId, ReadonlyMap<string, number>>()
  #scan: Promise<void> | undefined

  constructor(options: DormantStateOptions) {
    this.#options = options
  }

  /** Notes where the stores of a task stood when it ended here. */
  note(task: TaskId, offsets: ReadonlyMap<string, number>): void {
    this.#offsets.set(task, offsets)
  }

  /** By how many records the state of each task is behind that is not in use; empty where the brokers don't tell in time. */
  async lags(inUse: ReadonlySet<TaskId>): Promise<ReadonlyMap<TaskId, number>> {
    const { cluster, planOf } = this.#options
    await (this.#scan ??= this.#read())
    const places = [...this.#offsets].flatMap(([task, offsets]) =>
      inUse.has(task) ? [] : placesOf(planOf(), task, offsets),
    )
    if (places.length === 0) return new Map()
    const asked = listOffsets(
      cluster,
      places.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
    ).catch(() => undefined)
    const ends = await Promise.race([asked, sleep(cluster.clock, patienceMs).then(() => undefined)])
    const lags = new Map<TaskId, number>()
    if (ends === undefined) return lags
    for (const { task, topic, partition, offset } of places) {
      const behind = (ends.get(partitionName(topic, partition))?.offset ?? 0) - offset
      // A changelog that ends before the state is another one than the state was made from.
      lags.set(task, (lags.get(task) ?? 0) + (behind < 0 ? Number.MAX_SAFE_INTEGER / 2 : behind))
    }
    return lags
  }

  async #read(): Promise<void> {
    for (const [task, offsets] of await this.#options.readStored())
      if (!this.#offsets.has(task)) this.#offsets.set(task, offsets)
  }
}

const patienceMs = 2_000

interface Place {
  readonly task: TaskId
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Nothing for a task that the plan does not have, or that has no state to copy. */
const placesOf = (
  plan: ApplicationPlan,
  task: TaskId,
  offsets: ReadonlyMap<string, number>,
): readonly Place[] =>
  plan.tasks.includes(task)
    ? copiedStoresOf(plan, task).map((store) => ({
        task,
        ...changelogOf(plan, task, store),
        offset: offsets.get(store.name) ?? 0,
      }))
    : []
