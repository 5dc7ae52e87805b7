import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { Assignment } from '../kafka/group/consumer-protocol.ts'
import type { GroupAssignor, GroupMember } from '../kafka/group/group-membership.ts'
import type { ApplicationPlan, TopicPartition } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import { assignTasks } from './assign-tasks.ts'

/**
 * Deals out tasks, not partitions: all inputs of a task go to one member. Members tell which tasks they have held, so
 * that these come back to where their state is.
 */
export const taskAssignor = (plan: ApplicationPlan, heldTasks: () => readonly TaskId[]): GroupAssignor => ({
  name: 'millrace',
  kind: 'eager',
  userData: () => utf8Encode(JSON.stringify({ version: 1, tasks: heldTasks() })),
  assign: (members) => {
    const assigned = assignTasks(
      plan.tasks,
      members.map((member) => ({ memberId: member.memberId, previousTasks: tasksOf(member) })),
    )
    return new Map(Array.from(assigned, ([memberId, tasks]) => [memberId, assignmentOf(plan, tasks)]))
  },
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

const assignmentOf = (plan: ApplicationPlan, tasks: readonly TaskId[]): Assignment => ({
  partitions: tasks.flatMap((task) => plan.inputsOf(task)),
  userData: null,
})

/** What a member of another version or make says is not understood, and it begins with nothing. */
const tasksOf = ({ userData }: GroupMember): readonly TaskId[] => {
  try {
    const { version, tasks } = JSON.parse(utf8Decode(userData as Bytes)) as {
      version: unknown
      tasks: unknown
    }
    return version === 1 && Array.isArray(tasks) ? tasks.filter((task) => typeof task === 'string') : []
  } catch {
    return []
  }
}
