import type { Clock } from '../../base/clock.ts'
import { Errors } from '../protocol/errors.ts'
import type { BrokerSettings } from '../settings.ts'
import type { Group } from './group.ts'
import type { Member } from './member.ts'
import { NO_BYTES } from './protocol-metadata.ts'
import { failedJoin, failedSync } from './results.ts'

/**
 * The steps of a rebalance and the clocks that drive it: who is waited for, how long, and what happens to those who do
 * not come. `PreparingRebalance` ends when all have joined or the time is over; `CompletingRebalance` when the leader
 * has brought the assignment.
 */
export class Rebalances {
  readonly #clock: Clock
  readonly #settings: BrokerSettings

  constructor(clock: Clock, settings: BrokerSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /** Waits for a client to come back with the id that it was given, as long as its session would last. */
  awaitKnownId(group: Group, memberId: string, sessionTimeoutMs: number): void {
    const cancel = this.#clock.setTimer(() => {
      group.pendingMembers.delete(memberId)
      this.maybeComplete(group)
    }, sessionTimeoutMs)
    group.pendingMembers.set(memberId, cancel)
  }

  /** A member has joined: a rebalance begins, or the one under way is perhaps complete. */
  rebalanceOrComplete(group: Group): void {
    if (group.state === 'PreparingRebalance') this.maybeComplete(group)
    else if (group.state !== 'Dead') this.prepare(group)
  }

  /** Asks all members to join again. */
  prepare(group: Group): void {
    if (group.state === 'CompletingRebalance') {
      for (const member of group.members.values()) {
        member.assignment = NO_BYTES
        if (member.awaitingSync === undefined) continue
        member.answerSync(failedSync(Errors.REBALANCE_IN_PROGRESS))
        this.resetSession(group, member)
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
      this.maybeComplete(group)
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

  /** Completes the join phase if no member is missing. */
  maybeComplete(group: Group): void {
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
      this.resetSession(group, member)
      member.answerJoin(
        group.joinResult(member.memberId, group.isLeader(member.memberId) ? group.joinedMembers() : []),
      )
    }
  }

  /** Members that joined and then do not sync in time are removed. */
  #setSyncTimer(group: Group): void {
    group.cancelSyncTimer()
    group.cancelSyncTimer = this.#clock.setTimer(() => {
      if (group.pendingSync.size === 0) return
      for (const memberId of group.pendingSync) this.drop(group, memberId)
      if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.prepare(group)
    }, group.rebalanceTimeoutMs)
  }

  /** Takes a member out, and answers it if it waits; the caller sees to the others. */
  drop(group: Group, memberId: string): void {
    const member = group.members.get(memberId)
    if (member === undefined) return
    member.cancelSession()
    member.answerJoin(failedJoin(Errors.UNKNOWN_MEMBER_ID, memberId))
    member.answerSync(failedSync(Errors.UNKNOWN_MEMBER_ID))
    group.remove(memberId)
  }

  /** Members have gone: the others share what they had. */
  afterRemoval(group: Group): void {
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.prepare(group)
    else this.maybeComplete(group)
  }

  /** A sign of life: the session starts again. */
  resetSession(group: Group, member: Member, timeoutMs: number = member.description.sessionTimeoutMs): void {
    member.cancelSession()
    member.cancelSession = this.#clock.setTimer(() => this.#sessionExpired(group, member), timeoutMs)
  }

  #sessionExpired(group: Group, member: Member): void {
    const waits = member.awaitingJoin !== undefined || member.awaitingSync !== undefined
    if (group.members.get(member.memberId) !== member || (waits && !member.isNew)) return
    this.drop(group, member.memberId)
    this.afterRemoval(group)
  }
}
