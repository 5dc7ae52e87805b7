import { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { GroupMembership } from '../kafka/group/group-membership.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { OffsetReset, TopologyNode } from '../topology/node.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'
import type { ApplicationPlan, TopicPartition } from './application-plan.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/** Where an input goes on: the offset, and what was committed beside it. */
export interface InputStart {
  readonly offset: number
  readonly metadata: string | null
}

/**
 * Where each input goes on, by partition name: where its group left off, or where the settings say. A pending
 * transaction that holds offsets is waited for.
 */
export const startsOfInputs = async (
  cluster: Cluster,
  settings: RuntimeSettings,
  plan: ApplicationPlan,
  membership: GroupMembership,
  inputs: readonly TopicPartition[],
): Promise<ReadonlyMap<string, InputStart>> => {
  const committed = await membership.fetchOffsets({ partitions: inputs, requireStable: true })
  const starts = new Map<string, InputStart>(committed)
  const fresh = inputs.filter(({ topic, partition }) => !starts.has(partitionName(topic, partition)))
  if (fresh.length === 0) return starts
  const queries = fresh.map((input) => {
    const at = offsetResetOf(settings, plan, input.topic)
    if (at === 'none') throw noOffset(input, settings.applicationId)
    return { ...input, at }
  })
  for (const [place, { offset }] of await listOffsets(cluster, queries, 'read_committed'))
    starts.set(place, { offset, metadata: null })
  return starts
}

/** A source may say for itself where it begins; repartition topics always begin at their beginning. */
export const offsetResetOf = (
  settings: RuntimeSettings,
  plan: ApplicationPlan,
  topic: string,
): OffsetReset => {
  if (plan.internalTopics.some(({ name }) => name === topic)) return 'earliest'
  const reader = plan.topology.nodes.find((node) => readsTopic(node, topic)) as
    | { offsetReset?: OffsetReset }
    | undefined
  return reader?.offsetReset ?? settings.autoOffsetReset
}

const readsTopic = (node: TopologyNode, topic: string): boolean => {
  if (node.kind === 'tableSource') return node.topic.name === topic
  if (node.kind !== 'source') return false
  return node.topics instanceof RegExp
    ? matchesWhole(node.topics, topic)
    : node.topics.some(({ name }) => name === topic)
}

const noOffset = ({ topic, partition }: TopicPartition, group: string): Fault =>
  new Fault({
    code: 'OFFSET_MISSING',
    actor: 'author',
    message: `group '${group}' has no committed offset and autoOffsetReset is none`,
    remedy:
      'set autoOffsetReset to earliest or latest, or commit an offset: millrace reset FILE --to-earliest --execute',
    place: { topic, partition },
  })
