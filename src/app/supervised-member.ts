import type { ApplicationHealth } from '../runtime/application-health.ts'
import type { MetricsSnapshot } from '../runtime/metrics.ts'
import type { RuntimeListener } from '../runtime/runtime-settings.ts'
import type { CloseOptions, ApplicationMember } from '../runtime/application-member.ts'
import type { UncaughtFailureResponse } from '../runtime/uncaught-failure.ts'

/** What can be read of a member at any time. */
export type MemberView = Pick<
  ApplicationMember,
  'failure' | 'metrics' | 'health' | 'tasks' | 'taskCounts' | 'metadata' | 'inputTopics' | 'internalTopics'
>

/**
 * One member as its supervisor sees it: a member of the group with connections, tasks and a folder of its own, in this
 * thread or in another one. It says how it is by its listener's `onState`; it is started once, and once it has failed or
 * is closed, another one takes its place.
 */
export interface SupervisedMember extends MemberView {
  /** True where it failed so badly that it can do nothing more, not even leave its group. */
  readonly isGone?: boolean
  start(): Promise<void>
  /** One page of a store of a task that runs there; rejects with STORE_NOT_HERE where it does not. */
  readonly readStore: ApplicationMember['readStore']
  pause(): void
  resume(): void
  /** Resolves when everything it held is let go, also after a failure. */
  close(options?: CloseOptions): Promise<void>
  /** Stops the whole group, and fails itself. */
  stopApplication(reason: string): void
}

/** What a member needs of its supervisor. */
export interface MemberHost {
  readonly listener: RuntimeListener
  /** Asked right after `onState('failed')`: what is to become of it all. */
  readonly responseToFailure: () => UncaughtFailureResponse
}

/** `number` counts from 0 and stays with a member's replacement. */
export type MemberFactory<W extends SupervisedMember> = (number: number, host: MemberHost) => W

export const noMetrics: MetricsSnapshot = {
  processedRecords: 0,
  producedRecords: 0,
  commits: 0,
  restoredRecords: 0,
  dropped: [],
}

/** The counts of several members as one. */
export const sumMetrics = (all: readonly MetricsSnapshot[]): MetricsSnapshot => {
  const sum = (of: (each: MetricsSnapshot) => number): number =>
    all.reduce((total, each) => total + of(each), 0)
  const dropped = Map.groupBy(
    all.flatMap((each) => each.dropped),
    ({ node, reason }) => `${node}\u0000${reason}`,
  )
  return {
    processedRecords: sum((each) => each.processedRecords),
    producedRecords: sum((each) => each.producedRecords),
    commits: sum((each) => each.commits),
    restoredRecords: sum((each) => each.restoredRecords),
    dropped: Array.from(dropped.values(), ([first, ...others]) => ({
      ...(first as MetricsSnapshot['dropped'][number]),
      records: others.reduce((total, { records }) => total + records, first?.records ?? 0),
    })),
  }
}

/** The health of several members as one; its state is the supervisor's to say. */
export const sumHealth = (
  state: ApplicationHealth['state'],
  all: readonly ApplicationHealth[],
): ApplicationHealth => ({
  state,
  connected: all.length > 0 && all.every(({ connected }) => connected),
  tasks: all.flatMap(({ tasks }) => tasks).toSorted(),
  standbyTasks: all.flatMap(({ standbyTasks }) => standbyTasks),
  restoring: all.flatMap(({ restoring }) => restoring),
  lastCommitMs: all.reduce<number | undefined>(
    (latest, { lastCommitMs }) =>
      lastCommitMs === undefined || (latest !== undefined && latest > lastCommitMs) ? latest : lastCommitMs,
    undefined,
  ),
  inputs: all.flatMap(({ inputs }) => inputs),
})
