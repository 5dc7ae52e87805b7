import type { Fault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { ClassicMembership } from '../kafka/group/classic-membership.ts'
import type { QueryEndpoint } from './application-metadata.ts'
import { queryEndpointsOf } from './application-metadata.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { TaskId } from './assign-tasks.ts'
import { changelogSizes } from './changelog-sizes.ts'
import { taskAssignor, tasksOfPartitions } from './group-assignor.ts'
import { decodeAssignmentData } from './group-data.ts'
import type { PlanKeeper } from './plan-keeper.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

export interface ApplicationMemberOptions {
  readonly cluster: Cluster
  readonly settings: RuntimeSettings
  readonly processId: string
  readonly plans: Pick<PlanKeeper, 'planned' | 'renew' | 'adopt'>
  /** The tasks that are here now. */
  readonly ownTasks: () => readonly TaskId[]
  /** Why the whole group is to stop; undefined unless it is. */
  readonly stopRequest: () => string | undefined
  /** A member, this one or another, has asked for that. */
  readonly onStop: (reason: string) => void
  /** By how many records state is behind that is here, of tasks that run elsewhere or are still being restored. */
  readonly ownLags: () => Promise<ReadonlyMap<TaskId, number>>
  readonly isLeaving: () => boolean
  readonly onRevoke: (partitions: readonly TopicPartition[]) => Promise<void>
  readonly onAssign: (assignment: TaskAssignment) => Promise<void>
  readonly onLost: () => Promise<void>
  readonly onWarning: (message: string) => void
  readonly onFailure: (fault: Fault) => void
}

/** What a rebalance has brought, in the runtime's words. */
export interface TaskAssignment {
  readonly tasks: readonly TaskId[]
  /** Whose state is to be kept here too. */
  readonly standbys: readonly TaskId[]
  readonly warmups: readonly TaskId[]
  /** True where more comes in a round that follows at once. */
  readonly followUp: boolean
  /** How many members the group has. */
  readonly members: number
  readonly endpoints: readonly QueryEndpoint[]
}

/** While a round follows, the group is asked so often whether it has begun: what moves stands still until then. */
const followUpHeartbeatMs = 50

/** Makes an application a member of its group: partitions are read as tasks, user data as what they say. */
export const memberOf = (options: ApplicationMemberOptions): ClassicMembership => {
  const { cluster, settings, plans, onRevoke, onLost, onWarning, onFailure } = options
  const membership = new ClassicMembership({
    cluster,
    groupId: settings.applicationId,
    assignor: taskAssignor({
      planOf: () => plans.renew(),
      settings,
      ownData: async () => ({
        processId: options.processId,
        tasks: options.ownTasks(),
        standbys: await options.ownLags(),
        endpoint: settings.applicationServer,
        leaving: options.isLeaving(),
        stop: options.stopRequest(),
      }),
      onForeignMember: (memberId, why) => onWarning(foreignMember(settings.applicationId, memberId, why)),
      sizesOf: (plan) => changelogSizes(cluster, plan),
    }),
    topics: () => plans.planned.topics,
    groupInstanceId: settings.groupInstanceId,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
    listener: {
      onRevoke,
      onAssign: async ({ assigned, userData }) => {
        const { endpoints, stop, sizes, standbys, warmups, followUp, members } =
          decodeAssignmentData(userData)
        if (stop !== undefined) return options.onStop(stop)
        const plan = sizes === undefined ? plans.planned : await plans.adopt(sizes)
        const known = new Set(plan.tasks)
        if (followUp) membership.expectRebalance(followUpHeartbeatMs)
        await options.onAssign({
          followUp,
          members,
          standbys: standbys.filter((task) => known.has(task)),
          warmups: warmups.filter((task) => known.has(task)),
          tasks: tasksOfPartitions(plan, assigned),
          endpoints: queryEndpointsOf(plan, endpoints),
        })
      },
      onLost: async () => {
        onWarning(`the group '${settings.applicationId}' went on without this member; joining again`)
        await onLost()
      },
      onFault: (fault) => {
        if (fault.actor === 'retry') onWarning(fault.message)
        else onFailure(fault)
      },
    },
  })
  return membership
}

const foreignMember = (applicationId: string, memberId: string, why: string): string =>
  `member ${memberId} of group '${applicationId}' is given no tasks: ${why}; stop that member, or give this application another applicationId (millrace groups --describe --group ${applicationId} names its host)`
