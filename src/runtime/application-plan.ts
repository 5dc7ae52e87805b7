import type { TopicPartition } from '../kafka/topic-partition.ts'
import { Fault } from '../base/fault.ts'
import { nameOfPartition } from '../kafka/topic-partition.ts'
import { externalTopicsOf, partitionCountsOf } from '../topology/partition-counts.ts'
import type { PartitionCounts } from '../topology/partition-counts.ts'
import type { GlobalTable, SubTopology } from '../topology/sub-topologies.ts'
import { globalTablesOf, subTopologiesOf } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import type { TaskId } from './assign-tasks.ts'
import type { InternalTopic } from './internal-topics.ts'
import { internalTopicsOf } from './internal-topics.ts'

/** How many partitions topics have, by name. */
export type TopicSizes = ReadonlyMap<string, number>

/**
 * What an application does on this cluster: its tasks and what each reads, and the internal topics it needs. Worked out
 * from the topology and the partition counts of its source topics; every member of a group works out the same.
 */
export interface ApplicationPlan {
  readonly topology: Topology
  readonly applicationId: string
  readonly subTopologies: readonly SubTopology[]
  readonly globalTables: readonly GlobalTable[]
  readonly counts: PartitionCounts
  /** The topics of the world that are read: all that the plan was made from. */
  readonly sizes: TopicSizes
  readonly internalTopics: readonly InternalTopic[]
  /** Everything the tasks read: what the group subscribes to. */
  readonly topics: readonly string[]
  readonly tasks: readonly TaskId[]
  /** The partitions a task reads. */
  inputsOf(task: TaskId): readonly TopicPartition[]
  /** The task that reads a partition. */
  taskOf(input: TopicPartition): TaskId | undefined
}

/** `partitionsOf` knows the topics of the cluster; undefined for one that does not exist. */
export const planApplication = (
  topology: Topology,
  applicationId: string,
  partitionsOf: (topic: string) => number | undefined,
  matching: (pattern: RegExp) => readonly string[] = () => [],
): ApplicationPlan => {
  const subTopologies = subTopologiesOf(topology)
  const sizes = new Map<string, number>()
  const countOf = (topic: string): number => {
    const count = partitionsOf(topic)
    if (count === undefined) throw missingTopic(topology, topic)
    sizes.set(topic, count)
    return count
  }
  const globalTables = globalTablesOf(topology)
  for (const { source } of globalTables) countOf(source.topic.name)
  const counts = partitionCountsOf(topology, countOf, matching)
  const inputs = new Map<TaskId, readonly TopicPartition[]>()
  const tasksByInput = new Map<string, TaskId>()
  for (const subTopology of subTopologies)
    for (const [task, read] of inputsOfSubTopology(subTopology, applicationId, counts, countOf, matching)) {
      inputs.set(task, read)
      for (const each of read) tasksByInput.set(nameOfPartition(each), task)
    }
  return {
    topology,
    applicationId,
    subTopologies,
    globalTables,
    counts,
    sizes,
    internalTopics: internalTopicsOf(topology, applicationId, counts),
    topics: [...new Set([...inputs.values()].flat().map(({ topic }) => topic))].sort(),
    tasks: [...inputs.keys()],
    inputsOf: (task) => inputs.get(task) ?? [],
    taskOf: (input) => tasksByInput.get(nameOfPartition(input)),
  }
}

/** Splits a task's name into the sub-topology's index and the partition. */
export const partsOfTask = (task: TaskId): { readonly subTopology: number; readonly partition: number } => {
  const [subTopology, partition] = task.split('_').map(Number)
  return { subTopology: subTopology as number, partition: partition as number }
}

const inputsOfSubTopology = (
  subTopology: SubTopology,
  applicationId: string,
  counts: PartitionCounts,
  countOf: (topic: string) => number,
  matching: (pattern: RegExp) => readonly string[],
): readonly (readonly [TaskId, readonly TopicPartition[]])[] => {
  const sizes = [
    ...externalTopicsOf(subTopology, matching).map((topic) => [topic, countOf(topic)] as const),
    ...subTopology.reads.map(
      ({ topic }) => [`${applicationId}-${topic}`, counts.repartitions.get(topic) as number] as const,
    ),
  ]
  return Array.from({ length: counts.tasks[subTopology.index] as number }, (_, partition) => [
    `${subTopology.index}_${partition}`,
    sizes.filter(([, size]) => partition < size).map(([topic]) => ({ topic, partition })),
  ])
}

const missingTopic = (topology: Topology, topic: string): Fault =>
  new Fault({
    code: 'TOPIC_MISSING',
    actor: 'author',
    message: `topology '${topology.name}' reads topic '${topic}', which does not exist`,
    remedy: `create it: millrace topics --create --topic ${topic}`,
    place: { topic },
  })
