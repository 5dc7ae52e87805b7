import { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { GroupMembership } from '../kafka/group/group-membership.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { nameOfPartition } from '../kafka/topic-partition.ts'
import type { OffsetReset, TopologyNode } from '../topology/node.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { decodeOffsetMetadata } from './offset-metadata.ts'
import { refuseOtherSizes } from './input-sizes.ts'
import { expiredOffset, inputsWithLostOffsets, isSameTopic, recreatedInput } from './lost-offsets.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/** Where an input goes on: the offset, and what was committed beside it. */
export interface InputStart {
  readonly offset: number
  readonly metadata: string | null
  /** The topic that the offset belongs to; undefined where it is not known. */
  readonly topicId?: string | undefined
  /** The partitions of its topic. */
  readonly partitions?: number | undefined
  /** True where the group has no offset for it, or one without this topic. */
  readonly isNew?: boolean
}

export interface InputStartsOptions {
  readonly cluster: Cluster
  readonly settings: RuntimeSettings
  readonly plan: ApplicationPlan
  readonly membership: Pick<GroupMembership, 'fetchOffsets'>
  readonly onWarning: (fault: Fault) => void
  /**
   * Where inputs began in this process for which nothing has been committed yet, by partition name: after a failure they
   * begin there again. The latest offset is another one by then, and records in between would be lost.
   */
  readonly beginnings: Map<string, InputStart>
}

/**
 * Where each input goes on, by partition name: where its group left off, or where the settings say. A pending
 * transaction that holds offsets is waited for.
 */
export const startsOfInputs = async (
  options: InputStartsOptions,
  inputs: readonly TopicPartition[],
): Promise<ReadonlyMap<string, InputStart>> => {
  const { cluster, settings, plan, membership, onWarning, beginnings } = options
  const committed = await membership.fetchOffsets({ partitions: inputs, requireStable: true })
  const starts = new Map<string, InputStart>()
  const sizes = new Map<string, number>()
  for (const [place, start] of committed) {
    beginnings.delete(place)
    const { topic } = decodeOffsetMetadata(start.metadata)
    if (topic !== undefined) sizes.set(start.topic, topic.partitions)
    if (topic === undefined || (await isSameTopic(cluster, start.topic, topic.id))) {
      const partitions = sizeOf(plan, start.topic)
      starts.set(place, {
        ...start,
        topicId: topic?.id,
        partitions,
        isNew: topic?.partitions !== partitions,
      })
      continue
    }
    const fault = recreatedInput(start, topic.id, offsetResetOf(settings, plan, start.topic))
    if (fault.actor === 'author') throw fault
    onWarning(fault)
  }
  refuseOtherSizes(plan, sizes)
  for (const place of inputs.map(nameOfPartition)) {
    const beginning = beginnings.get(place)
    if (beginning !== undefined) starts.set(place, beginning)
  }
  const fresh = inputs.filter((input) => !starts.has(nameOfPartition(input)))
  if (fresh.length === 0) return starts
  const queries = fresh.map((input) => {
    const at = offsetResetOf(settings, plan, input.topic)
    if (at === 'none') throw noOffset(input, settings.applicationId)
    return { ...input, at }
  })
  const missing = queries.filter((input) => !committed.has(nameOfPartition(input)))
  for (const input of await inputsWithLostOffsets(cluster, plan, membership, missing))
    onWarning(expiredOffset(input, settings.applicationId))
  const offsets = await listOffsets(cluster, queries, 'read_committed')
  for (const input of queries) {
    const offset = offsets.get(nameOfPartition(input))?.offset
    const partitions = sizeOf(plan, input.topic)
    if (offset === undefined) continue
    const start: InputStart = { offset, metadata: null, partitions, isNew: true }
    starts.set(nameOfPartition(input), start)
    if (input.at === 'latest') beginnings.set(nameOfPartition(input), start)
  }
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

const sizeOf = ({ sizes, internalTopics }: ApplicationPlan, topic: string): number | undefined =>
  sizes.get(topic) ?? internalTopics.find(({ name }) => name === topic)?.partitions

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
