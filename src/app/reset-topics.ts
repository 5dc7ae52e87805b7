import type { Admin } from '../kafka/admin.ts'
import { internalTopicNamesOf } from '../runtime/internal-topics.ts'
import { externalTopicsOf } from '../topology/partition-counts.ts'
import { subTopologiesOf } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'

/** The topics a reset is about; the internal ones are those that exist. */
export interface ResetTopics {
  readonly input: readonly string[]
  readonly internal: readonly string[]
}

/** What a topology reads through its group, and the internal topics it names. Global tables keep no offsets. */
export const topicsOfTopology = async (
  admin: Admin,
  topology: Topology,
  applicationId: string,
): Promise<ResetTopics> => {
  const existing = await admin.listTopics()
  const matching = (pattern: RegExp): readonly string[] =>
    existing.filter((name) => matchesWhole(pattern, name))
  const input = subTopologiesOf(topology).flatMap((each) => externalTopicsOf(each, matching))
  const named = new Set(internalTopicNamesOf(topology, applicationId))
  return {
    input: [...new Set(input)].toSorted(),
    internal: existing.filter((name) => named.has(name)),
  }
}

/**
 * What is known of an application by its id alone: its internal topics begin with the id and end as Kafka Streams' do,
 * and its inputs are all other topics its group has offsets of. A topic that another group's longer id explains better
 * is that group's: `shop-eu-counts-changelog` belongs to `shop-eu`, not to `shop`.
 */
export const ownTopicsOfGroup = async (admin: Admin, applicationId: string): Promise<ResetTopics> => {
  const groups = (await admin.listGroups()).map(({ groupId }) => groupId)
  const nearer = groups.filter((group) => group.startsWith(`${applicationId}-`))
  const isInternal = (topic: string): boolean =>
    topic.startsWith(`${applicationId}-`) &&
    /-(?:changelog|repartition)$/.test(topic) &&
    !nearer.some((group) => topic.startsWith(`${group}-`))
  const committed = [...(await admin.groupOffsets(applicationId)).values()].map(({ topic }) => topic)
  return {
    input: [...new Set(committed)].filter((topic) => !isInternal(topic)).toSorted(),
    internal: (await admin.listTopics()).filter(isInternal),
  }
}
