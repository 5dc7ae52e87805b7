import { utf8Encode } from '../../../src/base/bytes.ts'
import { sleep } from '../../../src/base/clock.ts'
import type { Fault } from '../../../src/base/fault.ts'
import type { Cluster } from '../../../src/kafka/cluster.ts'
import type { ClassicMembershipOptions } from '../../../src/kafka/group/classic-membership.ts'
import { ClassicMembership } from '../../../src/kafka/group/classic-membership.ts'
import type { Assignment } from '../../../src/kafka/group/consumer-protocol.ts'
import type {
  AssignedPartitions,
  GroupAssignor,
  GroupMember,
} from '../../../src/kafka/group/group-membership.ts'
import type { TopicPartition } from '../../../src/kafka/topic-partition.ts'

export interface TrialMemberOptions extends Partial<ClassicMembershipOptions> {
  readonly cluster: Cluster
  readonly groupId: string
  readonly name: string
  readonly kind: GroupAssignor['kind']
  readonly topic: string
  readonly partitions: number
  /** How long the member takes to take over what it is assigned. */
  readonly assignMs?: number
  readonly onAssign?: (assignment: AssignedPartitions) => Promise<void>
  readonly onRevoke?: (member: TrialMember, partitions: readonly TopicPartition[]) => Promise<void>
  readonly onLost?: () => Promise<void>
}

/** A member that notes what happens to it. */
export class TrialMember {
  readonly membership: ClassicMembership
  readonly log: string[] = []
  readonly assignments: AssignedPartitions[] = []
  readonly faults: Fault[] = []
  /** The members that this one, as the leader, last dealt out to. */
  seenAsLeader: readonly GroupMember[] = []

  constructor({
    name,
    kind,
    topic,
    partitions,
    assignMs = 0,
    onAssign,
    onRevoke,
    onLost,
    ...options
  }: TrialMemberOptions) {
    this.membership = new ClassicMembership({
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 10_000,
      topics: () => [topic],
      ...options,
      assignor: {
        name: 'trial',
        kind,
        userData: () => utf8Encode(name),
        assign: (members) => {
          this.seenAsLeader = members
          return dealOut(members, topic, partitions)
        },
      },
      listener: {
        onRevoke: async (revoked) => {
          this.log.push(`revoke ${numbersOf(revoked)}`)
          await onRevoke?.(this, revoked)
        },
        onAssign: async (assignment) => {
          if (assignMs > 0) await sleep(options.cluster.clock, assignMs)
          await onAssign?.(assignment)
          this.assignments.push(assignment)
          this.log.push(`assign ${numbersOf(assignment.assigned)} added ${numbersOf(assignment.added)}`)
        },
        onLost: async (lost) => {
          await onLost?.()
          this.log.push(`lost ${numbersOf(lost)}`)
        },
        onFault: (fault) => this.faults.push(fault),
      },
    })
    this.membership.start()
  }

  get owned(): string {
    return numbersOf(this.membership.ownedPartitions)
  }
}

export const numbersOf = (partitions: readonly TopicPartition[]): string =>
  partitions
    .map(({ partition }) => partition)
    .toSorted((left, right) => left - right)
    .join()

/** Round by member id; what another still owns waits for the next round, as cooperative rebalancing wants it. */
const dealOut = (
  members: readonly GroupMember[],
  topic: string,
  count: number,
): ReadonlyMap<string, Assignment> => {
  const sorted = members.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1))
  const owners = new Map(
    members.flatMap(({ memberId, ownedPartitions }) =>
      ownedPartitions.map(({ partition }) => [partition, memberId] as const),
    ),
  )
  const dealt = new Map(sorted.map(({ memberId }) => [memberId, [] as TopicPartition[]]))
  for (let partition = 0; partition < count; partition++) {
    const target = (sorted[partition % sorted.length] as GroupMember).memberId
    if ((owners.get(partition) ?? target) === target) dealt.get(target)?.push({ topic, partition })
  }
  return new Map(
    Array.from(dealt, ([memberId, partitions]) => [
      memberId,
      { partitions, userData: utf8Encode(`for ${memberId}`) },
    ]),
  )
}
