import type { Assignment } from '../kafka/group/consumer-protocol.ts'
import type { GroupAssignor, GroupMember } from '../kafka/group/group-membership.ts'
import type { ApplicationPlan, TopicPartition } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { assignTasks } from './assign-tasks.ts'
import type { EndpointTasks, MemberData } from './group-data.ts'
import { decodeMemberData, encodeAssignmentData, encodeMemberData } from './group-data.ts'

/**
 * Deals out tasks, not partitions: all inputs of a task go to one member. It is cooperative: what moves is given to its
 * new owner in the round after the one in which the old owner gave it up, and what does not move never stops. Each
 * member is told whether such a round follows, and who serves queries for what.
 */
export const taskAssignor = (
  planOf: () => ApplicationPlan,
  ownData: () => MemberData | Promise<MemberData>,
): GroupAssignor => ({
  name: 'millrace',
  kind: 'cooperative',
  userData: async () => encodeMemberData(await ownData()),
  assign: (members) => stopAll(members) ?? dealOut(planOf(), members),
})

/** Where one member says that the application is to stop, all are told, and nobody gets anything. */
const stopAll = (members: readonly GroupMember[]): ReadonlyMap<string, Assignment> | undefined => {
  const stop = members
    .map(({ userData }) => decodeMemberData(userData).stop)
    .find((each) => each !== undefined)
  if (stop === undefined) return undefined
  const userData = encodeAssignmentData({ standbys: [], followUp: false, endpoints: [], stop })
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

interface Member {
  readonly memberId: string
  readonly data: MemberData
  /** What it has not given up yet. */
  readonly owned: ReadonlySet<TaskId>
}

const dealOut = (
  plan: ApplicationPlan,
  groupMembers: readonly GroupMember[],
): ReadonlyMap<string, Assignment> => {
  const members = groupMembers.map((each) => memberOf(plan, each))
  const wanted = assignTasks(
    plan.tasks,
    members.map(({ memberId, data, owned }) => ({ memberId, previousTasks: [...owned, ...data.tasks] })),
  )
  const dealt = members.map((member) => {
    const tasks = wanted.get(member.memberId) ?? []
    const isFree = (task: TaskId): boolean =>
      members.every((other) => other === member || !other.owned.has(task))
    return { member, tasks: tasks.filter(isFree), followUp: !tasks.every(isFree) }
  })
  const userData = encodeAssignmentData({
    standbys: [],
    followUp: dealt.some(({ followUp }) => followUp),
    endpoints: dealt.flatMap(({ member, tasks }) => endpointOf(member, tasks)),
  })
  return new Map(
    dealt.map(({ member, tasks }) => [
      member.memberId,
      { partitions: tasks.flatMap((task) => plan.inputsOf(task)), userData },
    ]),
  )
}

const memberOf = (plan: ApplicationPlan, { memberId, userData, ownedPartitions }: GroupMember): Member => ({
  memberId,
  data: decodeMemberData(userData),
  owned: new Set(tasksOfPartitions(plan, ownedPartitions)),
})

const endpointOf = ({ data: { endpoint } }: Member, active: readonly TaskId[]): readonly EndpointTasks[] =>
  endpoint === undefined ? [] : [{ endpoint, active, standby: [] }]
