import type { Clock } from '../../base/clock.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { BrokerSettings } from '../settings.ts'
import { Group } from './group.ts'
import { Joins } from './joins.ts'
import type { JoinResult, Member, SyncResult } from './member.ts'
import { NO_BYTES } from './protocol-metadata.ts'
import { Rebalances } from './rebalances.ts'
import type { JoinRequest, SyncRequest } from './requests.ts'
import { failedJoin, failedSync, syncResult } from './results.ts'

/**
 * The coordinator of classic groups, with Apache Kafka's rules for who waits for whom.
 *
 * Non-obvious:
 * - The first JoinGroup of a dynamic member is answered MEMBER_ID_REQUIRED, and the id handed out is awaited: a
 *   rebalance does not complete while such an id is pending.
 * - A member that waits for an answer to JoinGroup or SyncGroup cannot heartbeat, so its session does not expire then;
 *   a brand-new one gets five minutes instead.
 * - Static members survive a rebalance that they do not take part in; only their session timeout removes them.
 */
export class GroupCoordinator {
  readonly groups: Map<string, Group> = new Map()
  readonly #settings: BrokerSettings
  readonly #rebalances: Rebalances
  readonly #joins: Joins

  constructor(clock: Clock, settings: BrokerSettings, newId: () => string) {
    this.#settings = settings
    this.#rebalances = new Rebalances(clock, settings)
    this.#joins = new Joins(this.#rebalances, newId)
  }

  getOrCreate(groupId: string): Group {
    let group = this.groups.get(groupId)
    if (group === undefined) this.groups.set(groupId, (group = new Group(groupId)))
    return group
  }

  /** JoinGroup: the answer comes when the rebalance is complete. */
  join(request: JoinRequest): Promise<JoinResult> {
    return new Promise((answer) => {
      const refuse = (errorCode: ErrorCode, memberId = request.memberId): void =>
        answer(failedJoin(errorCode, memberId))
      const { groupId, memberId, sessionTimeoutMs } = request
      if (groupId === '') return refuse(Errors.INVALID_GROUP_ID)
      const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#settings
      if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs)
        return refuse(Errors.INVALID_SESSION_TIMEOUT)
      const group = memberId === '' ? this.getOrCreate(groupId) : this.groups.get(groupId)
      if (group === undefined) return refuse(Errors.UNKNOWN_MEMBER_ID)
      if (!group.supportsProtocols(request.protocolType, request.protocols))
        return refuse(Errors.INCONSISTENT_GROUP_PROTOCOL)
      if (memberId === '') this.#joins.joinNew(group, request, answer)
      else this.#joins.joinExisting(group, request, answer, refuse)
    })
  }

  /** SyncGroup: the answer comes with the leader's assignment. */
  sync(request: SyncRequest): Promise<SyncResult> {
    return new Promise((answer) => {
      const group = this.groups.get(request.groupId)
      const error = this.#syncError(group, request)
      if (group === undefined || error !== Errors.NONE) return answer(failedSync(error))
      const member = group.members.get(request.memberId) as Member
      group.pendingSync.delete(member.memberId)
      if (group.state === 'Stable') {
        this.#rebalances.resetSession(group, member)
        return answer(syncResult(group, member))
      }
      member.answerSync(failedSync(Errors.REBALANCE_IN_PROGRESS))
      member.awaitingSync = answer
      if (group.isLeader(member.memberId)) this.#assign(group, request.assignments)
    })
  }

  #syncError(group: Group | undefined, request: SyncRequest): ErrorCode {
    if (request.groupId === '') return Errors.INVALID_GROUP_ID
    if (group === undefined) return Errors.UNKNOWN_MEMBER_ID
    const error = generationError(group, request.memberId, request.groupInstanceId, request.generationId)
    if (error !== Errors.NONE) return error
    const differs = (given: string | null, own: string | null): boolean => given !== null && given !== own
    if (
      differs(request.protocolType, group.protocolType) ||
      differs(request.protocolName, group.protocolName)
    )
      return Errors.INCONSISTENT_GROUP_PROTOCOL
    return group.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
  }

  #assign(group: Group, assignments: SyncRequest['assignments']): void {
    const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    group.transitionTo('Stable')
    for (const member of group.members.values()) {
      member.assignment = byMember.get(member.memberId)?.slice() ?? NO_BYTES
      if (member.awaitingSync === undefined) continue
      this.#rebalances.resetSession(group, member)
      member.answerSync(syncResult(group, member))
    }
    if (group.pendingSync.size === 0) group.cancelSyncTimer()
  }

  heartbeat(
    groupId: string,
    memberId: string,
    groupInstanceId: string | null,
    generationId: number,
  ): ErrorCode {
    if (groupId === '') return Errors.INVALID_GROUP_ID
    const group = this.groups.get(groupId)
    if (group === undefined) return Errors.UNKNOWN_MEMBER_ID
    const error = generationError(group, memberId, groupInstanceId, generationId)
    if (error !== Errors.NONE) return error
    this.#rebalances.resetSession(group, group.members.get(memberId) as Member)
    return group.state === 'PreparingRebalance' ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE
  }

  /** LeaveGroup: one error per member, in order. */
  leave(
    groupId: string,
    leaving: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[],
  ): ErrorCode[] {
    const group = this.groups.get(groupId)
    if (group === undefined) return leaving.map(() => Errors.UNKNOWN_MEMBER_ID)
    const errors = leaving.map(({ memberId, groupInstanceId }) =>
      this.#leaveOne(group, memberId, groupInstanceId),
    )
    if (errors.includes(Errors.NONE)) this.#rebalances.afterRemoval(group)
    return errors
  }

  #leaveOne(group: Group, memberId: string, groupInstanceId: string | null): ErrorCode {
    const pending = group.pendingMembers.get(memberId)
    if (pending !== undefined && groupInstanceId === null) {
      pending()
      group.pendingMembers.delete(memberId)
      return Errors.NONE
    }
    const byInstance = groupInstanceId !== null && memberId === ''
    const id = byInstance ? (group.staticMembers.get(groupInstanceId) ?? '') : memberId
    const error = group.memberError(id, groupInstanceId)
    if (error === Errors.NONE) this.#rebalances.drop(group, id)
    return error
  }

  /** A commit is a sign of life too. */
  touch(group: Group, memberId: string): void {
    const member = group.members.get(memberId)
    if (member !== undefined) this.#rebalances.resetSession(group, member)
  }

  /** Forgets the group; the caller has made sure that it is empty. */
  delete(group: Group): void {
    group.transitionTo('Dead')
    this.groups.delete(group.groupId)
  }

  /** Ends all timers and answers the requests that still wait. */
  close(): void {
    for (const group of this.groups.values()) {
      group.cancelJoinTimer()
      group.cancelSyncTimer()
      for (const cancel of group.pendingMembers.values()) cancel()
      for (const member of group.members.values()) {
        member.cancelSession()
        member.answerJoin(failedJoin(Errors.COORDINATOR_NOT_AVAILABLE, member.memberId))
        member.answerSync(failedSync(Errors.COORDINATOR_NOT_AVAILABLE))
      }
    }
  }
}

const generationError = (
  group: Group,
  memberId: string,
  groupInstanceId: string | null,
  generationId: number,
): ErrorCode => {
  const error = group.memberError(memberId, groupInstanceId)
  if (error !== Errors.NONE) return error
  return generationId === group.generationId ? Errors.NONE : Errors.ILLEGAL_GENERATION
}
