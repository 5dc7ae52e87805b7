import type { Bytes } from '../../base/bytes.ts'
import type { Fault } from '../../base/fault.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { Assignment, Subscription } from './consumer-protocol.ts'
import type {
  CommitFence,
  CommittedOffset,
  FetchOffsetsOptions,
  GroupGeneration,
  OffsetToCommit,
} from './offsets.ts'

/**
 * Being a member of a group: the port that the classic protocol implements (classic-membership.ts) and that the
 * broker-side one can implement later.
 *
 * The member lives on its own once started: it joins, heartbeats and rebalances, and calls its listener. A rebalance
 * waits for `onRevoke`, the barrier before partitions are given up: drain, commit and flush in it. The generation is
 * still good for commits there.
 */
export interface GroupMembership extends CommitFence {
  /** Joins the group; a permanent failure goes to `onFault`. */
  start(): void
  /** What commits are fenced by; generation -1 while not a member. */
  readonly generation: GroupGeneration
  readonly ownedPartitions: readonly TopicPartition[]
  readonly isLeader: boolean
  /**
   * False where no sign of life was answered for a whole session: the group may have gone on, and nothing may be written
   * for it any more before the next `onAssign`. A process that stood still learns it here first; `onLost` follows.
   */
  checkSession(): boolean
  /** Asks for a rebalance: the member's user data or topics have changed. */
  requestRejoin(reason: string): void
  /** Asks the group more often whether a rebalance has begun, until it has: the leader has announced one. */
  expectRebalance(heartbeatIntervalMs: number): void
  /** Commits outside transactions, through `commit`. */
  commitOffsets(offsets: readonly OffsetToCommit[]): Promise<void>
  fetchOffsets(options?: FetchOffsetsOptions): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>>
  /** Calls `onRevoke` for all that is owned, then leaves; a static member stays unless `leave` is true. */
  close(options?: { readonly leave?: boolean }): Promise<void>
}

export interface GroupListener {
  /** These partitions are about to be given up; they are kept until the promise settles. */
  onRevoke(partitions: readonly TopicPartition[]): Promise<void>
  /** A new generation has begun. `added` was not owned before; `assigned` is all. */
  onAssign(assignment: AssignedPartitions): Promise<void>
  /** The group has thrown this member out: others may own these partitions already, so nothing can be committed. */
  onLost(partitions: readonly TopicPartition[]): Promise<void>
  /** The member cannot go on, or it met a fault that it tries again (`fault.actor` is `retry` then). */
  onFault(fault: Fault): void
}

export interface AssignedPartitions {
  readonly generationId: number
  readonly memberId: string
  readonly added: readonly TopicPartition[]
  readonly assigned: readonly TopicPartition[]
  /** What the leader's assignor has for this member. */
  readonly userData: Bytes | null
}

/** A member as the leader's assignor sees it. */
export interface GroupMember extends Subscription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Why its subscription cannot be read; it counts as an empty one. Undefined where it can. */
  readonly unreadable?: string | undefined
}

/** How partitions are dealt out. All members of a group must have the same name and kind. */
export interface GroupAssignor {
  readonly name: string
  /** Eager members give up everything before a rebalance, cooperative ones only what moves, in two rounds. */
  readonly kind: 'eager' | 'cooperative'
  /** The user data that this member sends the leader, asked for before each join. */
  userData(): Bytes | null | Promise<Bytes | null>
  /** Called on the leader. Members that are missing from the result get nothing. */
  assign(
    members: readonly GroupMember[],
  ): ReadonlyMap<string, Assignment> | Promise<ReadonlyMap<string, Assignment>>
}
