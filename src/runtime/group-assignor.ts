import type { Assignment } from '../kafka/group/consumer-protocol.ts'
import type { GroupAssignor, GroupMember } from '../kafka/group/group-membership.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { EndpointTasks, MemberData } from './group-data.ts'
import {
  decodeMemberData,
  encodeAssignmentData,
  encodeMemberData,
  isForeign,
  nothingSaid,
} from './group-data.ts'
import type { Placement, StateHolder, StateSettings } from './place-tasks.ts'
import { placeTasks } from './place-tasks.ts'

export interface TaskAssignorOptions {
  /** What there is to be dealt out; only the leader is asked. */
  readonly planOf: () => ApplicationPlan | Promise<ApplicationPlan>
  readonly settings: StateSettings
  /** What this member tells the leader. */
  readonly ownData: () => MemberData | Promise<MemberData>
  /** A member that is no Millrace application is dealt no tasks; `why` says what is wrong with its metadata. */
  readonly onForeignMember: (memberId: string, why: string) => void
  /** The records in the changelogs of the tasks that have state. */
  readonly sizesOf: (plan: ApplicationPlan) => Promise<ReadonlyMap<TaskId, number>>
}

/**
 * Deals out tasks, not partitions: all inputs of a task go to one member. It is cooperative: what moves is given to its
 * new owner in the round after the one in which the old owner gave it up, and what does not move never stops. Each
 * member is told whether such a round follows, and who serves queries for what. A member that says it is leaving gets
 * nothing, and so does one that is no Millrace application: nobody would run its tasks.
 */
export const taskAssignor = ({
  planOf,
  settings,
  ownData,
  onForeignMember,
  sizesOf,
}: TaskAssignorOptions): GroupAssignor => ({
  name: 'millrace',
  kind: 'cooperative',
  userData: async () => encodeMemberData(await ownData()),
  assign: async (groupMembers) => {
    const stopped = stopAll(groupMembers)
    if (stopped !== undefined) return stopped
    const plan = await planOf()
    const members = ownMembers(groupMembers, onForeignMember).map((each) => memberOf(plan, each))
    const staying = members.filter(({ leaving }) => !leaving)
    const sizes = members.length > 1 ? await sizesOf(plan) : new Map<TaskId, number>()
    return dealOut(plan, members, placeTasks(plan.tasks, sizes, staying, settings))
  },
})

const ownMembers = (
  members: readonly GroupMember[],
  onForeignMember: TaskAssignorOptions['onForeignMember'],
): readonly GroupMember[] =>
  members.filter(({ memberId, userData, unreadable }) => {
    const why = unreadable ?? (isForeign(decodeMemberData(userData)) ? unknownMetadata : undefined)
    if (why !== undefined) onForeignMember(memberId, why)
    return why === undefined
  })

const unknownMetadata = 'its metadata is not that of a Millrace application'

/** Where one member says that the application is to stop, all are told, and nobody gets anything. */
const stopAll = (members: readonly GroupMember[]): ReadonlyMap<string, Assignment> | undefined => {
  const stop = members
    .map(({ userData }) => decodeMemberData(userData).stop)
    .find((each) => each !== undefined)
  if (stop === undefined) return undefined
  const userData = encodeAssignmentData({ ...nothingSaid, stop })
  return new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData }]))
}

/** The tasks that an assignment of partitions stands for. */
export const tasksOfPartitions = (
  plan: ApplicationPlan,
  partitions: readonly TopicPartition[],
): readonly TaskId[] => [
  ...new Set(
    partitions.map((each) => plan.taskOf(each)).filter((task): task is TaskId => task !== undefined),
  ),
]

interface Member extends StateHolder {
  readonly endpoint: string | undefined
  readonly leaving: boolean
}

const memberOf = (plan: ApplicationPlan, { memberId, userData, ownedPartitions }: GroupMember): Member => {
  const { processId, standbys, endpoint, leaving = false } = decodeMemberData(userData)
  return {
    memberId,
    processId,
    owned: new Set(tasksOfPartitions(plan, ownedPartitions)),
    lags: standbys,
    endpoint,
    leaving,
  }
}

const nothing: Placement = { active: [], standby: [], warmup: [] }

const dealOut = (
  plan: ApplicationPlan,
  members: readonly Member[],
  placed: ReadonlyMap<string, Placement>,
): ReadonlyMap<string, Assignment> => {
  const dealt = members.map((member) => roundOf(member, members, placed.get(member.memberId) ?? nothing))
  const said = {
    followUp: dealt.some(({ followUp }) => followUp),
    members: members.length,
    sizes: plan.sizes,
    endpoints: dealt.flatMap(({ member: { endpoint }, active, standbys, warmups }): EndpointTasks[] =>
      endpoint === undefined ? [] : [{ endpoint, active, standby: [...standbys, ...warmups] }],
    ),
  }
  return new Map(
    dealt.map(({ member: { memberId }, active, standbys, warmups }) => [
      memberId,
      {
        partitions: active.flatMap((task) => plan.inputsOf(task)),
        userData: encodeAssignmentData({ ...said, tasks: active, standbys, warmups }),
      },
    ]),
  )
}

/** What of its placement a member gets in this round: not what another has yet to give up. A copy of it stays a copy. */
const roundOf = (member: Member, members: readonly Member[], { active, standby, warmup }: Placement) => {
  const isFree = (task: TaskId): boolean =>
    members.every((other) => other === member || !other.owned.has(task))
  const awaited = active.filter((task) => !isFree(task))
  return {
    member,
    active: active.filter(isFree),
    standbys: [...standby, ...awaited.filter((task) => member.lags.has(task))],
    warmups: warmup,
    followUp: awaited.length > 0,
  }
}
