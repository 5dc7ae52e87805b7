import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Group } from './group.ts'
import { Member, type GroupProtocol, type JoinResult, type MemberDescription } from './member.ts'
import type { Rebalances } from './rebalances.ts'
import type { JoinRequest } from './requests.ts'
import { failedJoin, failedSync } from './results.ts'

type JoinAnswer = (result: JoinResult) => void

/** Who has no id yet cannot heartbeat: its JoinGroup is given up after a while, should its client be gone. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

/** What a JoinGroup means, by its sender: a new member, a member, or a static member under a new id. */
export class Joins {
  readonly #rebalances: Rebalances
  readonly #newId: () => string

  constructor(rebalances: Rebalances, newId: () => string) {
    this.#rebalances = rebalances
    this.#newId = newId
  }

  /** A client without an id: a new dynamic member, a new static one, or a static one that is back. */
  joinNew(group: Group, request: JoinRequest, answer: JoinAnswer): void {
    const { groupInstanceId, clientId } = request
    const memberId = `${groupInstanceId ?? clientId}-${this.#newId()}`
    const knownStatic = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    if (knownStatic !== undefined) this.#replaceStatic(group, knownStatic, memberId, request, answer)
    else if (groupInstanceId === null && request.requireKnownMemberId) {
      this.#rebalances.awaitKnownId(group, memberId, request.sessionTimeoutMs)
      answer(failedJoin(Errors.MEMBER_ID_REQUIRED, memberId))
    } else this.#addMember(group, memberId, request, answer)
  }

  /** A client that says which member it is. */
  joinExisting(
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

  #addMember(group: Group, memberId: string, request: JoinRequest, answer: JoinAnswer): void {
    group.pendingMembers.get(memberId)?.()
    group.pendingMembers.delete(memberId)
    const member = new Member(describe(memberId, request))
    if (group.members.size === 0) group.protocolType = request.protocolType
    member.isNew = true
    member.awaitingJoin = answer
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true
    group.add(member)
    this.#rebalances.resetSession(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    this.#rebalances.rebalanceOrComplete(group)
  }

  #rejoin(group: Group, member: Member, request: JoinRequest, answer: JoinAnswer): void {
    updateMember(member, request, answer)
    this.#rebalances.rebalanceOrComplete(group)
  }

  /** A static member is back under a new id, and the user of the old one is fenced. */
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
    this.#rebalances.resetSession(group, member)
    if (group.state === 'Stable' && group.selectProtocol() === group.protocolName)
      this.#welcomeBack(group, member, request, oldLeaderId)
    else if (group.state === 'Stable' || group.state === 'CompletingRebalance')
      this.#rebalances.prepare(group)
    else this.#rebalances.maybeComplete(group)
  }

  /** Nothing has changed for the group: the member gets its place, without a rebalance. */
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
