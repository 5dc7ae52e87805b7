import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { ApplicationPlan } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'
import type { EndpointTasks } from './group-data.ts'

/**
 * Who of an application serves queries for what, as the leader told with the last assignment. Only members that have
 * set `applicationServer` are in it. While partitions move, they are with nobody.
 */
export interface QueryEndpoint {
  /** `host:port`. */
  readonly endpoint: string
  readonly activeTasks: readonly TaskId[]
  /** The input partitions of the tasks that run there. */
  readonly activePartitions: readonly TopicPartition[]
  readonly standbyTasks: readonly TaskId[]
  /** The input partitions of the tasks whose state is kept there as a copy. */
  readonly standbyPartitions: readonly TopicPartition[]
}

/** Members of one endpoint, such as the workers of one process, are one. */
export const queryEndpointsOf = (
  plan: ApplicationPlan,
  endpoints: readonly EndpointTasks[],
): readonly QueryEndpoint[] =>
  Array.from(
    Map.groupBy(endpoints, ({ endpoint }) => endpoint),
    ([endpoint, members]) => {
      const activeTasks = members.flatMap(({ active }) => active)
      const standbyTasks = members.flatMap(({ standby }) => standby)
      return {
        endpoint,
        activeTasks,
        activePartitions: activeTasks.flatMap((task) => plan.inputsOf(task)),
        standbyTasks,
        standbyPartitions: standbyTasks.flatMap((task) => plan.inputsOf(task)),
      }
    },
  )
