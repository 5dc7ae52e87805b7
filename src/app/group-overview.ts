import { Fault } from '../base/fault.ts'
import type { Admin } from '../kafka/admin.ts'
import type { GroupListing, GroupMemberDescription } from '../kafka/group-admin.ts'
import { nameOfPartition, partitionName } from '../kafka/topic-partition.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { listedGroup } from './live-group.ts'
import { decodeAssignmentData } from '../runtime/group-data.ts'

/** A group as seen from outside: who is in it, who reads what, and how far they are. */
export interface GroupOverview {
  readonly groupId: string
  /** Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, … */
  readonly state: string
  /** The name of its assignor; `millrace` deals out tasks. */
  readonly assignor: string
  readonly members: readonly GroupMemberOverview[]
  readonly partitions: readonly GroupPartition[]
  /** Over all partitions. */
  readonly lag: number
}

export interface GroupMemberOverview {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  /** The tasks it runs, and those whose state it keeps as a copy; empty for groups that are no application's. */
  readonly tasks: readonly string[]
  readonly standbyTasks: readonly string[]
  readonly partitions: readonly TopicPartition[]
}

export interface GroupPartition extends TopicPartition {
  /** Undefined where nothing is committed. */
  readonly committedOffset: number | undefined
  /** Undefined where the topic does not exist any more. */
  readonly endOffset: number | undefined
  readonly lag: number | undefined
  /** Who reads it; undefined where no member does. */
  readonly memberId: string | undefined
}

/** Looks at a group; a group that is not there is a fault. */
export const groupOverview = async (admin: Admin, groupId: string): Promise<GroupOverview> => {
  const listed = await requireGroup(admin, groupId)
  const { state, protocolName, members } = await admin.describeGroup(groupId)
  const partitions = await partitionsOf(admin, groupId, members)
  return {
    groupId,
    // The broker describes every group as dead that is not classic.
    state: state === 'Dead' ? listed.state : state,
    assignor: protocolName,
    members: members.map(memberOf),
    partitions,
    lag: partitions.reduce((sum, { lag = 0 }) => sum + lag, 0),
  }
}

/** The group as it is listed; rejects where there is no such group. */
export const requireGroup = async (admin: Admin, groupId: string): Promise<GroupListing> => {
  const listed = await listedGroup(admin, groupId)
  if (listed !== undefined) return listed
  throw new Fault({
    code: 'GROUP_MISSING',
    actor: 'author',
    message: `group '${groupId}' does not exist`,
    remedy: 'list the groups there are: millrace groups --list',
  })
}

const memberOf = (member: GroupMemberDescription): GroupMemberOverview => {
  const { tasks = [], standbys } = decodeAssignmentData(member.userData)
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    host: member.clientHost.replace(/^\//, ''),
    tasks,
    standbyTasks: standbys,
    partitions: member.partitions,
  }
}

/** What is committed and what is read, with the ends of those partitions that exist. */
const partitionsOf = async (
  admin: Admin,
  groupId: string,
  members: readonly GroupMemberDescription[],
): Promise<readonly GroupPartition[]> => {
  const committed = await admin.groupOffsets(groupId)
  const readers = new Map(
    members.flatMap(({ memberId, partitions }) =>
      partitions.map((each) => [nameOfPartition(each), memberId] as const),
    ),
  )
  const all = new Map(
    [...committed.values(), ...members.flatMap(({ partitions }) => partitions)].map((each) => [
      nameOfPartition(each),
      each,
    ]),
  )
  const counts = await admin.partitionCounts([...new Set([...all.values()].map(({ topic }) => topic))])
  const present = [...all.values()].filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
  const ends = await admin.listOffsets(
    present.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
  )
  return [...all.values()]
    .map(({ topic, partition }) => {
      const place = partitionName(topic, partition)
      const committedOffset = committed.get(place)?.offset
      const endOffset = ends.get(place)?.offset
      const lag =
        endOffset === undefined || committedOffset === undefined
          ? undefined
          : Math.max(0, endOffset - committedOffset)
      return { topic, partition, committedOffset, endOffset, lag, memberId: readers.get(place) }
    })
    .toSorted((left, right) => left.topic.localeCompare(right.topic) || left.partition - right.partition)
}
