import { Admin } from '../kafka/admin.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { sinkTopicsOf, sourceTopicsOf } from '../topology/topics.ts'
import type { Topology } from '../topology/topology.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { planApplication } from './application-plan.ts'
import { matchesWhole } from './input-starts.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/** Plans an application for the topics that the cluster has now. */
export const planOnCluster = async (
  topology: Topology,
  { applicationId }: RuntimeSettings,
  cluster: Cluster,
): Promise<ApplicationPlan> => {
  const patterns = topology.nodes.some((node) => node.kind === 'source' && node.topics instanceof RegExp)
  const all = patterns ? (await cluster.allTopics()).filter(({ isInternal }) => !isInternal) : []
  const counts = await new Admin(cluster).partitionCounts(sourceTopicsOf(topology))
  const sizes = new Map([...counts, ...all.map(({ name, partitions }) => [name, partitions.length] as const)])
  return planApplication(
    topology,
    applicationId,
    (topic) => sizes.get(topic),
    (pattern) => all.map(({ name }) => name).filter((name) => matchesWhole(pattern, name)),
  )
}

/** Makes the repartition and changelog topics that are missing. */
export const createInternalTopics = async (
  { internalTopics }: ApplicationPlan,
  { replicationFactor }: RuntimeSettings,
  cluster: Cluster,
): Promise<void> => {
  const missing = internalTopics.map(({ name, partitions, configs }) => ({
    topic: name,
    partitions,
    replicationFactor,
    configs,
  }))
  await new Admin(cluster).createTopics(missing)
}

/** The topics that an application writes to, as far as they are known before it runs. */
export const writtenTopicsOf = (
  { topology, internalTopics }: ApplicationPlan,
  { deadLetterTopic }: RuntimeSettings,
): readonly string[] => [
  ...sinkTopicsOf(topology),
  ...internalTopics.map(({ name }) => name),
  ...topology.stores.flatMap(({ changelogTopic }) => changelogTopic ?? []),
  ...(deadLetterTopic === undefined ? [] : [deadLetterTopic]),
]
