import { sleep } from '../base/clock.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { partsOfTask } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogTopicOf } from './internal-topics.ts'

/**
 * The stores of which a copy can be kept: those on disk with a changelog of their own. What memory holds ends with its
 * task, and a topic of the world that serves as a changelog runs ahead of what has been processed.
 */
export const copiedStoresOf = (plan: ApplicationPlan, task: TaskId): readonly StoreDefinition[] =>
  plan.subTopologies[partsOfTask(task).subTopology]?.stores.filter(
    ({ changelog, changelogTopic, storage }) =>
      changelog && changelogTopic === undefined && storage !== 'memory',
  ) ?? []

/** The changelog partition of a task's store. */
export const changelogOf = (
  { applicationId }: ApplicationPlan,
  task: TaskId,
  store: StoreDefinition,
): { readonly topic: string; readonly partition: number } => ({
  topic: changelogTopicOf(applicationId, store),
  partition: partsOfTask(task).partition,
})

/**
 * The records in the changelogs of the tasks that have state, as the distance between their first and last offsets. The
 * whole group waits for the answer, so where it takes long all count as empty, and tasks move as if they had no state.
 */
export const changelogSizes = async (
  cluster: Cluster,
  plan: ApplicationPlan,
): Promise<ReadonlyMap<TaskId, number>> => {
  const stateful = plan.tasks.flatMap((task) =>
    copiedStoresOf(plan, task).map((store) => ({ task, ...changelogOf(plan, task, store) })),
  )
  const sizes = new Map(stateful.map(({ task }) => [task, 0]))
  if (stateful.length === 0) return sizes
  const asked = measure(cluster, stateful)
  const answer = await Promise.race([
    asked,
    sleep(cluster.clock, answerTimeoutMs).then(() => undefined),
  ]).catch(() => undefined)
  asked.catch(() => undefined)
  for (const { task, topic, partition } of stateful)
    sizes.set(task, (sizes.get(task) as number) + (answer?.get(partitionName(topic, partition)) ?? 0))
  return sizes
}

const answerTimeoutMs = 2_000

/** How far the last offset of each of these partitions is from its first, by partition name. */
export const measure = async (
  cluster: Cluster,
  places: readonly TopicPartition[],
): Promise<ReadonlyMap<string, number>> => {
  const at = (where: 'earliest' | 'latest') =>
    listOffsets(
      cluster,
      places.map(({ topic, partition }) => ({ topic, partition, at: where })),
    )
  const [starts, ends] = await Promise.all([at('earliest'), at('latest')])
  return new Map(
    Array.from(ends, ([place, { offset }]) => [place, offset - (starts.get(place)?.offset ?? 0)]),
  )
}
