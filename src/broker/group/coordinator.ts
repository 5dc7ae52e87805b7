import type { Bytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { BrokerSettings } from '../settings.ts'
import { Group } from './group.ts'
import {
  Member,
  type GroupProtocol,
  type JoinResult,
  type MemberDescription,
  type SyncResult,
} from './member.ts'
import { NO_BYTES } from './protocol-metadata.ts'

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
export interface JoinRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** Since version 4 a new dynamic member must come back with the id it is given. */
  readonly requireKnownMemberId: boolean
  /** Since version 9 a returning static leader can be told to leave the assignment as it is. */
  readonly supportsSkippingAssignment: boolean
}

export interface SyncRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Bytes }[]
}

type JoinAnswer = (result: JoinResult) => void

const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

export class GroupCoordinator {
  readonly groups: Map<string, Group> = new Map()
  readonly #clock: Clock
  readonly #settings: BrokerSettings
  readonly #newId: () => string

  constructor(clock: Clock, settings: BrokerSettings, newId: () => string) {
    this.#clock = clock
    this.#settings = settings
    this.#newId = newId
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
      if (memberId === '') this.#joinNew(group, request, answer)
      else this.#joinExisting(group, request, answer, refuse)
    })
  }

  #joinNew(group: Group, request: JoinRequest, answer: JoinAnswer): void {
    const { groupInstanceId, clientId } = request
    const memberId = `${groupInstanceId ?? clientId}-${this.#newId()}`
    const knownStatic = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    if (knownStatic !== undefined) this.#replaceStatic(group, knownStatic, memberId, request, answer)
    else if (groupInstanceId === null && request.requireKnownMemberId) {
      this.#awaitKnownId(group, memberId, request.sessionTimeoutMs)
      answer(failedJoin(Errors.MEMBER_ID_REQUIRED, memberId))
    } else this.#addMember(group, memberId, request, answer)
  }

  #joinExisting(
    group: Group,
    request: JoinRequest,
    answer: JoinAnswer,
    refuse: (errorCode: ErrorCode) => void,
  ): void {
    const { memberId, groupInstanceId, protocols } = request
    if (group.pendingMembers.has(memberId)) return this.#addMember(group, memberId, request, answer)
    const error = group.memberError(memberId, groupInstanceId)
    if (error !== Errors.NONE) return refuse(error)
    const member = group.members.get(memberId) as Member
    const isLeader = group.isLeader(memberId)
    switch (group.state) {
      case 'PreparingRebalance':
        return this.#rejoin(group, member, request, answer)
      case 'CompletingRebalance':
        // It may have missed the answer of this very generation: give it again.
        if (member.hasSameProtocols(protocols))
          return answer(group.joinResult(memberId, isLeader ? group.joinedMembers() : []))
        return this.#rejoin(group, member, request, answer)
      case 'Stable':
        // A leader that joins again asks for a rebalance; another member only if it has something new to say.
        if (isLeader || !member.hasSameProtocols(protocols))
          return this.#rejoin(group, member, request, answer)
        return answer(group.joinResult(memberId, []))
      case 'Empty':
      case 'Dead':
        return refuse(Errors.UNKNOWN_MEMBER_ID)
    }
  }

  #awaitKnownId(group: Group, memberId: string, sessionTimeoutMs: number): void {
    const cancel = this.#clock.setTimer(() => {
      group.pendingMembers.delete(memberId)
      this.#maybeCompleteJoin(group)
    }, sessionTimeoutMs)
    group.pendingMembers.set(memberId, cancel)
  }

  #addMember(group: Group, memberId: string, request: JoinRequest, answer: JoinAnswer): void {
    group.pendingMembers.get(memberId)?.()
    group.pendingMembers.delete(memberId)
    const member = new Member(describe(memberId, request))
    if (group.members.size === 0) group.protocolType = request.protocolType
    member.isNew = true
    member.awaitingJoin = answer
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true
    group.add(member)
    this.#resetSession(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    this.#rebalanceOrComplete(group)
  }

  #rejoin(group: Group, member: Member, request: JoinRequest, answer: JoinAnswer): void {
    updateMember(member, request, answer)
    this.#rebalanceOrComplete(group)
  }

  /** A static member is back under a new id, and whoever used the old one is fenced. */
  #replaceStatic(
    group: Group,
    oldMemberId: string,
    memberId: string,
    request: JoinRequest,
    answer: JoinAnswer,
  ): void {
    const oldLeaderId = group.leaderId
    const member = group.members.get(oldMemberId) as Member
    member.answerJoin(failedJoin(Errors.FENCED_INSTANCE_ID, oldMemberId))
    member.answerSync(failedSync(Errors.FENCED_INSTANCE_ID))
    this.#rename(group, member, memberId)
    updateMember(member, request, answer)
    this.#resetSession(group, member)
    if (group.state === 'Stable' && group.selectProtocol() === group.protocolName)
      this.#welcomeBack(group, member, request, oldLeaderId)
    else if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.#prepareRebalance(group)
    else this.#maybeCompleteJoin(group)
  }

  /** Nothing has changed for the group: the member is told its place, without a rebalance. */
  #welcomeBack(group: Group, member: Member, request: JoinRequest, oldLeaderId: string | null): void {
    const { memberId } = member
    const skipAssignment = request.supportsSkippingAssignment && group.isLeader(memberId)
    const result = group.joinResult(memberId, skipAssignment ? group.joinedMembers() : [])
    // An older client that found itself leader would compute an assignment: it is shown its old id as leader instead.
    const leader = request.supportsSkippingAssignment ? result.leader : (oldLeaderId ?? '')
    member.answerJoin({ ...result, leader, skipAssignment })
  }

  #rename(group: Group, member: Member, memberId: string): void {
    const wasLeader = group.isLeader(member.memberId)
    const wasPending = group.pendingSync.delete(member.memberId)
    member.cancelSession()
    group.remove(member.memberId)
    member.description.memberId = memberId
    group.add(member)
    if (wasLeader) group.leaderId = memberId
    if (wasPending) group.pendingSync.add(memberId)
  }

  #rebalanceOrComplete(group: Group): void {
    if (group.state === 'PreparingRebalance') this.#maybeCompleteJoin(group)
    else if (group.state !== 'Dead') this.#prepareRebalance(group)
  }

  #prepareRebalance(group: Group): void {
    if (group.state === 'CompletingRebalance') {
      for (const member of group.members.values()) {
        member.assignment = NO_BYTES
        if (member.awaitingSync === undefined) continue
        member.answerSync(failedSync(Errors.REBALANCE_IN_PROGRESS))
        this.#resetSession(group, member)
      }
    }
    group.cancelSyncTimer()
    group.pendingSync.clear()
    const isInitial = group.state === 'Empty'
    group.transitionTo('PreparingRebalance')
    const { groupInitialRebalanceDelayMs } = this.#settings
    if (isInitial) this.#delayFirstJoin(group, groupInitialRebalanceDelayMs, group.rebalanceTimeoutMs)
    else {
      this.#setJoinTimer(group, group.rebalanceTimeoutMs, () => this.#completeJoin(group))
      this.#maybeCompleteJoin(group)
    }
  }

  /** An empty group waits a little for more members, as long as they keep coming and the timeout allows. */
  #delayFirstJoin(group: Group, delayMs: number, timeoutMs: number): void {
    if (delayMs <= 0) return this.#completeJoin(group)
    const remainingMs = Math.max(timeoutMs - delayMs, 0)
    this.#setJoinTimer(group, delayMs, () => {
      if (!group.newMemberAdded || remainingMs === 0) return this.#completeJoin(group)
      group.newMemberAdded = false
      this.#delayFirstJoin(group, Math.min(delayMs, remainingMs), remainingMs)
    })
  }

  #setJoinTimer(group: Group, delayMs: number, expired: () => void): void {
    group.cancelJoinTimer()
    group.cancelJoinTimer = this.#clock.setTimer(expired, delayMs)
  }

  #maybeCompleteJoin(group: Group): void {
    if (group.state === 'PreparingRebalance' && group.previousState !== 'Empty' && group.allMembersJoined)
      this.#completeJoin(group)
  }

  #completeJoin(group: Group): void {
    group.cancelJoinTimer()
    for (const member of group.members.values()) {
      if (member.awaitingJoin !== undefined || member.isStatic) continue
      member.cancelSession()
      group.remove(member.memberId)
    }
    if (group.members.size > 0 && !group.electJoinedLeader()) {
      // Only absent static members are left: wait on, until one returns or their sessions end.
      this.#setJoinTimer(group, group.rebalanceTimeoutMs, () => this.#completeJoin(group))
      return
    }
    group.nextGeneration()
    if (group.state === 'CompletingRebalance') this.#announceGeneration(group)
  }

  #announceGeneration(group: Group): void {
    this.#setSyncTimer(group)
    for (const member of group.members.values()) {
      group.pendingSync.add(member.memberId)
      member.isNew = false
      if (member.awaitingJoin !== undefined) this.#resetSession(group, member)
      member.answerJoin(
        group.joinResult(member.memberId, group.isLeader(member.memberId) ? group.joinedMembers() : []),
      )
    }
  }

  /** Members that joined and then do not sync in time are removed. */
  #setSyncTimer(group: Group): void {
    group.cancelSyncTimer()
    group.cancelSyncTimer = this.#clock.setTimer(() => {
      for (const memberId of group.pendingSync) this.#drop(group, memberId)
      if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.#prepareRebalance(group)
    }, group.rebalanceTimeoutMs)
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
        this.#resetSession(group, member)
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
      this.#resetSession(group, member)
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
    this.#resetSession(group, group.members.get(memberId) as Member)
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
    if (errors.includes(Errors.NONE)) this.#afterRemoval(group)
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
    if (error === Errors.NONE) this.#drop(group, id)
    return error
  }

  #drop(group: Group, memberId: string): void {
    const member = group.members.get(memberId)
    if (member === undefined) return
    member.cancelSession()
    member.answerJoin(failedJoin(Errors.UNKNOWN_MEMBER_ID, memberId))
    member.answerSync(failedSync(Errors.UNKNOWN_MEMBER_ID))
    group.remove(memberId)
  }

  #afterRemoval(group: Group): void {
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.#prepareRebalance(group)
    else this.#maybeCompleteJoin(group)
  }

  #resetSession(group: Group, member: Member, timeoutMs = member.description.sessionTimeoutMs): void {
    member.cancelSession()
    member.cancelSession = this.#clock.setTimer(() => this.#sessionExpired(group, member), timeoutMs)
  }

  #sessionExpired(group: Group, member: Member): void {
    const waits = member.awaitingJoin !== undefined || member.awaitingSync !== undefined
    if (group.members.get(member.memberId) !== member || (waits && !member.isNew)) return
    this.#drop(group, member.memberId)
    this.#afterRemoval(group)
  }

  /** A commit is a sign of life too. */
  touch(group: Group, memberId: string): void {
    const member = group.members.get(memberId)
    if (member !== undefined) this.#resetSession(group, member)
  }

  /** Forgets the group; the caller has made sure that it is empty. */
  delete(group: Group): void {
    group.transitionTo('Dead')
    this.groups.delete(group.groupId)
  }

  /** Ends all timers and answers whoever still waits. */
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

const describe = (memberId: string, request: JoinRequest): MemberDescription => ({
  memberId,
  groupInstanceId: request.groupInstanceId,
  clientId: request.clientId,
  clientHost: request.clientHost,
  sessionTimeoutMs: request.sessionTimeoutMs,
  rebalanceTimeoutMs: request.rebalanceTimeoutMs,
  protocols: keep(request.protocols),
})

/** Request frames are not kept: what outlives them is copied. */
const keep = (protocols: readonly GroupProtocol[]): GroupProtocol[] =>
  protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() }))

const updateMember = (member: Member, request: JoinRequest, answer: JoinAnswer): void => {
  member.answerJoin(failedJoin(Errors.UNKNOWN_MEMBER_ID, member.memberId))
  member.description.protocols = keep(request.protocols)
  member.description.sessionTimeoutMs = request.sessionTimeoutMs
  member.description.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.awaitingJoin = answer
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

const failedJoin = (errorCode: ErrorCode, memberId: string): JoinResult => ({
  errorCode,
  memberId,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  skipAssignment: false,
  members: [],
})

const failedSync = (errorCode: ErrorCode): SyncResult => ({
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: NO_BYTES,
})

const syncResult = (group: Group, member: Member): SyncResult => ({
  errorCode: Errors.NONE,
  protocolType: group.protocolType,
  protocolName: group.protocolName,
  assignment: member.assignment,
})
