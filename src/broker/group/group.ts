import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { JoinedMember, JoinResult, Member } from './member.ts'
import { OffsetTable, type CommittedOffset } from './offsets.ts'
import { subscribedTopics } from './protocol-metadata.ts'

/**
 * - `Empty`: no members; offsets may remain.
 * - `PreparingRebalance`: members are asked to join again.
 * - `CompletingRebalance`: all have joined; the leader works out the assignment.
 * - `Stable`: everyone has its assignment.
 * - `Dead`: deleted.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** The data of one classic group; the coordinator moves it from state to state. */
export class Group {
  readonly groupId: string
  readonly members: Map<string, Member> = new Map()
  readonly staticMembers: Map<string, string> = new Map()
  /** Ids that were handed out with MEMBER_ID_REQUIRED, each with what ends the wait for it. */
  readonly pendingMembers: Map<string, () => void> = new Map()
  readonly pendingSync: Set<string> = new Set()
  readonly offsets: OffsetTable = new OffsetTable()
  /** By producer id: offsets that a transaction has sent and not yet committed. */
  readonly transactionalOffsets: Map<number, OffsetTable> = new Map()
  state: GroupState = 'Empty'
  previousState: GroupState = 'Dead'
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** Whether someone joined while the first rebalance waits for more. */
  newMemberAdded = false
  cancelJoinTimer: () => void = () => undefined
  cancelSyncTimer: () => void = () => undefined

  constructor(groupId: string) {
    this.groupId = groupId
  }

  transitionTo(state: GroupState): void {
    this.previousState = this.state
    this.state = state
  }

  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { description } of this.members.values())
      longest = Math.max(longest, description.rebalanceTimeoutMs)
    return longest
  }

  get allMembersJoined(): boolean {
    if (this.pendingMembers.size > 0) return false
    for (const member of this.members.values()) if (member.awaitingJoin === undefined) return false
    return true
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  /** The error of a request that names a member wrongly. */
  memberError(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const known = this.staticMembers.get(groupInstanceId)
      if (known === undefined) return Errors.UNKNOWN_MEMBER_ID
      if (known !== memberId) return Errors.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? Errors.NONE : Errors.UNKNOWN_MEMBER_ID
  }

  add(member: Member): void {
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    const { groupInstanceId } = member.description
    if (groupInstanceId !== null) this.staticMembers.set(groupInstanceId, member.memberId)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    this.members.delete(memberId)
    this.pendingSync.delete(memberId)
    const { groupInstanceId } = member.description
    if (groupInstanceId !== null) this.staticMembers.delete(groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  /** Keeps an offset until the transaction of its producer ends. */
  addPending(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    let table = this.transactionalOffsets.get(producerId)
    if (table === undefined) this.transactionalOffsets.set(producerId, (table = new OffsetTable()))
    table.set(topic, partition, committed)
  }

  /** Whether one protocol would remain that all members have in common. */
  supportsProtocols(protocolType: string, protocols: readonly { readonly name: string }[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.state === 'Empty') return true
    if (protocolType !== this.protocolType) return false
    // While only ids that were handed out are waited for, no protocols limit the choice.
    if (this.members.size === 0) return true
    const candidates = this.#commonProtocols()
    return protocols.some(({ name }) => candidates.has(name))
  }

  /** The protocol with the most votes among those that all members support. */
  selectProtocol(): string | null {
    const candidates = this.#commonProtocols()
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const vote = member.voteFor(candidates)
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
    }
    let winner: string | null = null
    for (const [name, count] of votes) if (winner === null || count > (votes.get(winner) ?? 0)) winner = name
    return winner
  }

  /** Makes sure that the leader is one of those who have joined; false where no member has. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader?.awaitingJoin !== undefined) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === undefined) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  nextGeneration(): void {
    this.generationId++
    if (this.members.size === 0) {
      this.protocolName = null
      this.transitionTo('Empty')
      return
    }
    this.protocolName = this.selectProtocol()
    this.transitionTo('CompletingRebalance')
  }

  joinedMembers(): JoinedMember[] {
    return Array.from(this.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.description.groupInstanceId,
      metadata: member.metadataOf(this.protocolName),
    }))
  }

  joinResult(memberId: string, members: readonly JoinedMember[]): JoinResult {
    return {
      errorCode: Errors.NONE,
      memberId,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      members,
    }
  }

  /** True where a consumer of this group subscribes to the topic. */
  isSubscribedTo(topic: string): boolean {
    for (const member of this.members.values()) {
      if (subscribedTopics(member.metadataOf(this.protocolName ?? this.selectProtocol())).includes(topic))
        return true
    }
    return false
  }

  #commonProtocols(): Set<string> {
    const [first, ...others] = this.members.values()
    const names = first?.description.protocols.map(({ name }) => name) ?? []
    return new Set(names.filter((name) => others.every((member) => member.supports(name))))
  }
}
