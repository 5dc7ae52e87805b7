import type { Assignment } from '../kafka/group/consumer-protocol.ts'
import type { GroupAssignor, GroupMember } from '../kafka/group/group-membership.ts'
import type { ApplicationPlan, TopicPartition } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { assignTasks } from './assign-tasks.ts'
import type { EndpointTasks, MemberData } from './group-data.ts'
import { decodeMemberData, encodeAssignmentData, encodeMemberData } from './group-data.ts'

/**
 * Deals out tasks, not partitions: all inputs of a task go to one member. Members tell which tasks they have held, so
 * that these come back to where their state is; each is told who serves queries for what.
 */
export const taskAssignor = (
  planOf: () => ApplicationPlan,
  ownData: () => MemberData | Promise<MemberData>,
): GroupAssignor => ({
  name: 'millrace',
  kind: 'eager',
  userData: async () => encodeMemberData(await ownData()),
  assign: (members) => dealOut(planOf(), members),
})

/** The tasks that an assignment of partitions stands for. */
export const tasksOfPartitions = (
  plan: ApplicationPlan,
  partitions: readonly TopicPartition[],
): readonly TaskId[] => [
  ...new Set(
    partitions.map((each) => plan.taskOf(each)).filter((task): task is TaskId => task !== undefined),
  ),
]

const dealOut = (plan: ApplicationPlan, members: readonly GroupMember[]): ReadonlyMap<string, Assignment> => {
  const data = new Map(members.map(({ memberId, userData }) => [memberId, decodeMemberData(userData)]))
  const assigned = assignTasks(
    plan.tasks,
    Array.from(data, ([memberId, { tasks }]) => ({ memberId, previousTasks: tasks })),
  )
  const endpoints = Array.from(assigned, ([memberId, active]) =>
    endpointOf(data.get(memberId) as MemberData, active),
  ).flat()
  const userData = encodeAssignmentData({ standbys: [], followUp: false, endpoints })
  return new Map(
    Array.from(assigned, ([memberId, tasks]) => [
      memberId,
      { partitions: tasks.flatMap((task) => plan.inputsOf(task)), userData },
    ]),
  )
}

const endpointOf = ({ endpoint }: MemberData, active: readonly TaskId[]): readonly EndpointTasks[] =>
  endpoint === undefined ? [] : [{ endpoint, active, standby: [] }]
