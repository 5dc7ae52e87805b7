import { Fault } from '../base/fault.ts'
import { Admin } from '../kafka/admin.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { sinkTopicsOf, sourceTopicsOf } from '../topology/topics.ts'
import type { Topology } from '../topology/topology.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'
import type { ApplicationPlan, TopicSizes } from './application-plan.ts'
import { planApplication } from './application-plan.ts'
import { stateStays } from './input-sizes.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/**
 * The topics of the world that a topology reads, with their partitions: those that it names and those that its patterns
 * match now. One that it names and that is not found keeps the size it is known by.
 */
export const sourceSizes = async (
  topology: Topology,
  { applicationId }: Pick<RuntimeSettings, 'applicationId'>,
  cluster: Cluster,
  known: TopicSizes = new Map(),
): Promise<TopicSizes> => {
  const patterns = topology.nodes.flatMap((node) =>
    node.kind === 'source' && node.topics instanceof RegExp ? [node.topics] : [],
  )
  const all = patterns.length === 0 ? [] : await cluster.allTopics()
  const matched = all
    .filter(({ name, isInternal }) => !isInternal && !isOwn(name, applicationId))
    .filter(({ name }) => patterns.some((pattern) => matchesWhole(pattern, name)))
  const named = sourceTopicsOf(topology)
  const counts = await new Admin(cluster).partitionCounts(named)
  const remembered = named.flatMap((name) => {
    const size = known.get(name)
    return size === undefined ? [] : [[name, size] as const]
  })
  return new Map([
    ...matched.map(({ name, partitions }) => [name, partitions.length] as const),
    ...remembered,
    ...counts,
  ])
}

/** A wide pattern would match what the application itself writes. */
const isOwn = (topic: string, applicationId: string): boolean =>
  topic.startsWith(`${applicationId}-`) && /-(changelog|repartition)$/.test(topic)

/** Plans an application for source topics of these sizes. */
export const planFor = (
  topology: Topology,
  { applicationId }: Pick<RuntimeSettings, 'applicationId'>,
  sizes: TopicSizes,
): ApplicationPlan =>
  planApplication(
    topology,
    applicationId,
    (topic) => sizes.get(topic),
    (pattern) => [...sizes.keys()].filter((name) => matchesWhole(pattern, name)),
  )

/** Makes the repartition and changelog topics that are missing; those that are there must be as large as is needed. */
export const createInternalTopics = async (
  { internalTopics }: ApplicationPlan,
  { replicationFactor }: Pick<RuntimeSettings, 'replicationFactor'>,
  cluster: Cluster,
): Promise<void> => {
  const wanted = internalTopics.map(({ name, partitions, configs }) => ({
    topic: name,
    partitions,
    replicationFactor,
    configs,
  }))
  await new Admin(cluster).createTopics(wanted)
  for (const { topic, partitions } of wanted) {
    const size = (await cluster.topic(topic)).partitions.length
    if (size !== partitions) throw otherSize(topic, size, partitions)
  }
}

const otherSize = (topic: string, size: number, wanted: number): Fault =>
  new Fault({
    code: 'INTERNAL_TOPIC_SIZE',
    actor: 'author',
    message: `the application's topic '${topic}' has ${size} partitions, but its inputs have ${wanted} now`,
    remedy: stateStays,
    place: { topic },
  })

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
