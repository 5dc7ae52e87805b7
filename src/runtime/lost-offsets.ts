import { Fault, isFault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { GroupMembership } from '../kafka/group/group-membership.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { sourceTopicsOf } from '../topology/topics.ts'
import type { ApplicationPlan } from './application-plan.ts'
import { measure } from './changelog-sizes.ts'

/** True where a topic still is the one with this id. What is known may be outdated, so it is asked for before the answer is no. */
export const isSameTopic = async (cluster: Cluster, topic: string, id: string): Promise<boolean> => {
  try {
    return (await cluster.topic(topic)).id === id || (await cluster.refresh(topic)).id === id
  } catch (error) {
    // Reading a topic that is gone reports it.
    if (isFault(error, 'TOPIC_MISSING')) return true
    throw error
  }
}

/**
 * Those of the inputs without a committed offset that had one before: the application has state, and the group has no
 * offset for any partition of their topic. Partitions that were added, and topics that a pattern matches only now, are
 * no reason for a warning.
 */
export const inputsWithLostOffsets = async <T extends TopicPartition>(
  cluster: Cluster,
  plan: ApplicationPlan,
  membership: Pick<GroupMembership, 'fetchOffsets'>,
  missing: readonly T[],
): Promise<readonly T[]> => {
  if (missing.length === 0 || !(await hasState(cluster, plan))) return []
  const partitions = plan.tasks.flatMap((task) => plan.inputsOf(task))
  const committed = await membership.fetchOffsets({ partitions, requireStable: true })
  const topics = new Set(Array.from(committed.values(), ({ topic }) => topic))
  const named = new Set([...sourceTopicsOf(plan.topology), ...plan.internalTopics.map(({ name }) => name)])
  return missing.filter(({ topic }) => !topics.has(topic) && (topics.size === 0 || named.has(topic)))
}

/** True where a changelog of the application has rows. */
const hasState = async (cluster: Cluster, { internalTopics }: ApplicationPlan): Promise<boolean> => {
  const changelogs = internalTopics
    .filter(({ name }) => name.endsWith('-changelog'))
    .flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    )
  const sizes = await measure(cluster, changelogs)
  return [...sizes.values()].some((size) => size > 0)
}

type Reset = 'earliest' | 'latest'

export const expiredOffset = (
  { topic, partition, at }: TopicPartition & { readonly at: Reset },
  group: string,
): Fault =>
  new Fault({
    code: 'OFFSET_EXPIRED',
    actor: 'retry',
    message: `group '${group}' has no committed offset for an input although the application has state: the offset has expired (offsets.retention.minutes of the broker), its topic was created again, or the input is new. Reading begins at its ${at} offset, so ${consequenceOf(at)}`,
    remedy:
      'to start over with empty state, stop the application: millrace reset FILE --to-earliest --execute',
    place: { topic, partition },
  })

export const recreatedInput = (
  { topic, partition, offset }: TopicPartition & { readonly offset: number },
  topicId: string,
  at: Reset | 'none',
): Fault =>
  new Fault({
    code: 'TOPIC_RECREATED',
    actor: at === 'none' ? 'author' : 'retry',
    message: `the topic was deleted and created again since offset ${offset} was committed (topic id ${topicId})${at === 'none' ? ', and autoOffsetReset is none' : `: reading begins at its ${at} offset. State of the earlier topic is kept, so ${consequenceOf(at)}`}`,
    remedy:
      'to start over with empty state, stop the application: millrace reset FILE --to-earliest --execute',
    place: { topic, partition, offset },
  })

const consequenceOf = (at: Reset): string =>
  at === 'latest'
    ? 'records that were written before now are skipped'
    : 'records that the state already contains are counted twice'
