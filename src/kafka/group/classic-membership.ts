import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { Fault, messageOf } from '../../base/fault.ts'
import type { Cluster } from '../cluster.ts'
import {
  errorName,
  isRetriable,
  isRetriableFault,
  isStaleCoordinator,
  protocolFault,
} from '../protocol-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { nameOfPartition } from '../topic-partition.ts'
import type { Assignment } from './consumer-protocol.ts'
import type { GroupAssignor, GroupListener, GroupMember, GroupMembership } from './group-membership.ts'
import { GroupRequests } from './group-requests.ts'
import { Heartbeat } from './heartbeat.ts'
import type { CommittedOffset, FetchOffsetsOptions, GroupGeneration, OffsetToCommit } from './offsets.ts'
import { commitOffsets, fetchOffsets } from './offsets.ts'

/**
 * Membership by Kafka's classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
 *
 * One loop joins, lives through a generation and joins again. Heartbeats run beside it until the next JoinGroup, also
 * while the listener drains or takes over, so that a slow listener does not cost the membership.
 *
 * Non-obvious: the broker raises the generation as soon as all have joined, so a commit that is under way while
 * JoinGroup or SyncGroup is, may be refused as outdated. That is no loss: `commit` runs it again when the join is over.
 *
 * @example
 * const membership = new ClassicMembership({ cluster, groupId: 'shop', assignor, listener, topics: () => ['orders'] })
 * membership.start()
 * await membership.commitOffsets([{ topic: 'orders', partition: 0, offset: 42 }])
 * await membership.close()
 */
export interface ClassicMembershipOptions {
  readonly cluster: Cluster
  readonly groupId: string
  readonly assignor: GroupAssignor
  readonly listener: GroupListener
  /** The topics to subscribe to, asked for before each join. */
  readonly topics: () => readonly string[]
  /** A name that survives a restart makes the member static: its restart within the session is no rebalance. */
  readonly groupInstanceId?: string | undefined
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
}

interface Joined {
  readonly generationId: number
  readonly assignment: Assignment
}

const retryPauseMs = 100
/** While joining fails again and again, the pause doubles up to here. */
const longestRetryPauseMs = 5_000

export class ClassicMembership implements GroupMembership {
  readonly #options: ClassicMembershipOptions
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #requests: GroupRequests
  readonly #heartbeat: Heartbeat
  readonly #groupInstanceId: string | null
  readonly #stop = new AbortController()
  #memberId = ''
  #generationId = -1
  #owned: readonly TopicPartition[] = []
  #isLeader = false
  #running: Promise<void> | undefined
  /** Aborted when the present generation must end. */
  #generationEnd = new AbortController()
  #rejoinReason = 'the member is new'
  #isRejoinWanted = false
  #isJoining = false
  #joinWaiters: (() => void)[] = []
  #isLost = false
  #losses = 0
  #nextPauseMs = retryPauseMs
  #fatal: Fault | undefined
  /** How many connections had been lost when the coordinator last knew this member. */
  #lossesWhenKnown = 0
  #givenUp: Promise<void> | undefined

  constructor(options: ClassicMembershipOptions) {
    const { cluster, groupId, sessionTimeoutMs = 45_000, rebalanceTimeoutMs = 300_000 } = options
    this.#options = options
    this.#cluster = cluster
    this.#clock = cluster.clock
    this.#groupInstanceId = options.groupInstanceId ?? null
    const protocolName = options.assignor.name
    this.#requests = new GroupRequests({
      cluster,
      groupId,
      protocolName,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
    })
    this.#heartbeat = new Heartbeat({
      clock: cluster.clock,
      intervalMs: options.heartbeatIntervalMs ?? 3_000,
      sessionTimeoutMs,
      beat: () => this.#beat(),
      onErrorCode: (errorCode) => this.#heartbeatRefused(errorCode),
      onFailure: (error) => this.#heartbeatFailed(error),
      onSilence: () => this.#silent(),
    })
  }

  get generation(): GroupGeneration {
    return {
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: this.#groupInstanceId,
    }
  }

  get ownedPartitions(): readonly TopicPartition[] {
    return this.#owned
  }

  /** True while it is a member and the coordinator answers its heartbeats. */
  get isConnected(): boolean {
    return this.#generationId >= 0 && this.#heartbeat.isAnswered
  }

  checkSession(): boolean {
    if (this.#generationId < 0) return this.#stop.signal.aborted
    if (!this.#heartbeat.isOverdue) return true
    this.#lose('SESSION_TIMED_OUT')
    return false
  }

  get isLeader(): boolean {
    return this.#isLeader
  }

  start(): void {
    this.#running ??= this.#run()
  }

  requestRejoin(reason: string): void {
    this.#rejoinReason = reason
    this.#isRejoinWanted = true
    this.#generationEnd.abort()
  }

  expectRebalance(heartbeatIntervalMs: number): void {
    if (!this.#generationEnd.signal.aborted) this.#heartbeat.hurry(heartbeatIntervalMs)
  }

  async commit<T>(run: (generation: GroupGeneration) => Promise<T>): Promise<T> {
    let closesByMs: number | undefined
    for (;;) {
      const { generation } = this
      const losses = this.#losses
      // A commit without a generation would be taken, and be fenced by nothing.
      if (generation.generationId < 0) throw notAMember(this.#options.groupId)
      try {
        return await run(generation)
      } catch (error) {
        if (!this.#isOutdated(error, generation)) throw this.#noteLoss(error)
        if (!this.#stop.signal.aborted) await this.#joinOver()
        else {
          closesByMs ??= this.#clock.monotonicMs() + closingTimeoutMs
          if (!(await this.#joinOverBy(closesByMs))) throw error
        }
        // Another member may own the partitions by now, and this one's new generation must not commit for them.
        if (this.#losses !== losses || this.#generationId < 0) throw error
        if (this.#generationId === generation.generationId) await sleep(this.#clock, retryPauseMs)
      }
    }
  }

  commitOffsets(offsets: readonly OffsetToCommit[]): Promise<void> {
    return this.commit((generation) =>
      commitOffsets(this.#cluster, this.#options.groupId, generation, offsets),
    )
  }

  fetchOffsets(
    options: FetchOffsetsOptions = {},
  ): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>> {
    return fetchOffsets(this.#cluster, this.#options.groupId, options)
  }

  async close({ leave = this.#groupInstanceId === null }: { readonly leave?: boolean } = {}): Promise<void> {
    if (this.#stop.signal.aborted) return this.#running
    this.#stop.abort()
    this.#generationEnd.abort()
    this.#resumeCommits()
    if (!this.#isJoining) {
      await this.#running
      if (leave) await this.#leave()
      return
    }
    // The loop may wait for the other members, for minutes: leaving ends that, and a static member need not wait.
    await this.#giveUpAtEnd()
    if (leave) await this.#leave()
    this.#generationId = -1
  }

  /** Leaves although partitions may not have been given up yet, without waiting. Nothing is committed after it. */
  async abandon({
    leave = this.#groupInstanceId === null,
  }: { readonly leave?: boolean } = {}): Promise<void> {
    this.#stop.abort()
    this.#generationEnd.abort()
    this.#heartbeat.stop()
    this.#resumeCommits()
    if (leave) await this.#leave()
    this.#generationId = -1
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#options.assignor.kind === 'eager') await this.#giveUp(this.#owned)
        const joined = await this.#join()
        if (joined !== undefined) await this.#live(joined)
      } catch (error) {
        if (!(await this.#survive(error))) break
      }
      if (this.#isLost) await this.#giveUpLost()
    }
    this.#endJoin()
    await this.#giveUpAtEnd()
    this.#generationId = -1
  }

  /** One generation: take the assignment over, and live until a rebalance is called for. */
  async #live({ generationId, assignment }: Joined): Promise<void> {
    const end = new AbortController()
    this.#generationEnd = end
    this.#generationId = generationId
    this.#endJoin()
    if (this.#stop.signal.aborted) return
    if (this.#isRejoinWanted) end.abort()
    this.#heartbeat.start()
    try {
      await this.#takeOver(assignment)
      await aborted(end.signal)
      const givesUpAll = this.#options.assignor.kind === 'eager' || this.#stop.signal.aborted
      if (givesUpAll) await this.#giveUp(this.#owned)
    } finally {
      this.#heartbeat.stop()
    }
  }

  async #takeOver({ partitions, userData }: Assignment): Promise<void> {
    const assigned = new Set(partitions.map(nameOfPartition))
    const before = new Set(this.#owned.map(nameOfPartition))
    const revoked = this.#owned.filter((each) => !assigned.has(nameOfPartition(each)))
    if (revoked.length > 0) {
      await this.#giveUp(revoked)
      // What was given up is free for its new owner in the round that follows.
      this.requestRejoin('partitions were given up')
    }
    if (this.#isLost) return
    const added = partitions.filter((each) => !before.has(nameOfPartition(each)))
    this.#owned = partitions
    const { generationId, memberId } = this.generation
    await this.#options.listener.onAssign({ generationId, memberId, added, assigned: partitions, userData })
    this.#nextPauseMs = retryPauseMs
  }

  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    if (this.#isLost) return this.#giveUpLost()
    const names = new Set(partitions.map(nameOfPartition))
    try {
      await this.#options.listener.onRevoke(partitions)
    } catch (error) {
      // The loop reports it, unless it ends.
      if (this.#stop.signal.aborted) this.#report(error)
      throw error
    } finally {
      this.#owned = this.#owned.filter((each) => !names.has(nameOfPartition(each)))
    }
  }

  /** Once, by the first of `close` and the loop that ends. */
  #giveUpAtEnd(): Promise<void> {
    this.#givenUp ??= this.#giveUp(this.#owned).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#report(error)
    })
    return this.#givenUp
  }

  async #giveUpLost(): Promise<void> {
    this.#isLost = false
    const owned = this.#owned
    this.#owned = []
    if (owned.length > 0) await this.#options.listener.onLost(owned)
  }

  /** The group goes on without this member: nothing it owns is its own any more. */
  #lose(reason: string): void {
    this.#isLost = true
    this.#losses++
    if (reason !== 'ILLEGAL_GENERATION') this.#memberId = ''
    this.#generationId = -1
    this.#heartbeat.stop()
    this.#resumeCommits()
    this.requestRejoin(reason)
  }

  /** No heartbeat was answered for a session, so what goes over the same connections will not be answered either. */
  #silent(): void {
    this.#requests.disconnect()
    this.#lose('SESSION_TIMED_OUT')
  }

  async #beat(): Promise<number> {
    const { lostConnections } = this.#cluster.transport
    const errorCode = await this.#requests.heartbeat(this.generation)
    if (errorCode === 0) this.#lossesWhenKnown = lostConnections
    return errorCode
  }

  /**
   * A coordinator that is restarted forgets the id under which it has just let a static member in, and takes it for one
   * that was replaced. That may be meant only where the broker may have gone since it last knew this member.
   */
  #isForgotten(name: string): boolean {
    const { lostConnections } = this.#cluster.transport
    if (name !== 'FENCED_INSTANCE_ID' || lostConnections === this.#lossesWhenKnown) return false
    this.#lossesWhenKnown = lostConnections
    return true
  }

  #heartbeatRefused(errorCode: number): void {
    const name = errorName(errorCode)
    if (name === 'REBALANCE_IN_PROGRESS') {
      if (!this.#generationEnd.signal.aborted) this.requestRejoin('the group rebalances')
    } else if (isStaleCoordinator(errorCode) || isRetriable(errorCode)) this.#forgetCoordinator()
    else {
      if (name === 'FENCED_INSTANCE_ID' && !this.#isForgotten(name)) this.#fatal = this.#fault(errorCode)
      this.#lose(name)
    }
  }

  #heartbeatFailed(error: unknown): void {
    this.#forgetCoordinator()
    if (isRetriableFault(error)) return
    this.#report(error)
    this.requestRejoin(messageOf(error))
  }

  /** JoinGroup and SyncGroup; undefined where the round failed in a way that the next one fixes. */
  async #join(): Promise<Joined | undefined> {
    if (this.#fatal !== undefined) throw this.#fatal
    const { assignor, topics } = this.#options
    this.#isRejoinWanted = false
    const subscription = {
      topics: topics(),
      userData: await assignor.userData(),
      ownedPartitions: this.#owned,
      generationId: this.#owned.length === 0 ? -1 : this.#generationId,
    }
    if (this.#stop.signal.aborted) return undefined
    this.#isJoining = true
    const answer = await this.#requests.join(this.generation, subscription, this.#rejoinReason)
    if (answer.errorCode !== 0) return this.#joinRefused(answer.errorCode, answer.memberId)
    const { memberId, generationId, isLeader, members } = answer
    this.#memberId = memberId
    this.#isLeader = isLeader
    const assignments = members === undefined ? new Map<string, Assignment>() : await this.#dealOut(members)
    const synced = await this.#requests.sync({ ...this.generation, generationId }, assignments)
    if (synced.errorCode !== 0) return this.#joinRefused(synced.errorCode, '')
    return { generationId, assignment: synced.assignment }
  }

  async #dealOut(members: readonly GroupMember[]): Promise<ReadonlyMap<string, Assignment>> {
    const dealt = await this.#options.assignor.assign(members)
    return new Map(
      members.map(({ memberId }) => [memberId, dealt.get(memberId) ?? { partitions: [], userData: null }]),
    )
  }

  async #joinRefused(errorCode: number, memberId: string): Promise<undefined> {
    const name = errorName(errorCode)
    if (name === 'MEMBER_ID_REQUIRED') {
      this.#memberId = memberId
      return undefined
    }
    if (name === 'REBALANCE_IN_PROGRESS') return undefined
    if (name === 'UNKNOWN_MEMBER_ID' || name === 'ILLEGAL_GENERATION' || this.#isForgotten(name)) {
      if (!this.#stop.signal.aborted) this.#lose(name)
      return undefined
    }
    if (isStaleCoordinator(errorCode)) this.#forgetCoordinator()
    if (!isRetriable(errorCode)) throw this.#fault(errorCode)
    await sleep(this.#clock, retryPauseMs, this.#stop.signal)
    return undefined
  }

  /** True where the commit was only overtaken by a rebalance that this member takes part in. */
  #isOutdated(error: unknown, { generationId }: GroupGeneration): boolean {
    if (!(error instanceof Fault)) return false
    // The others are joining: the generation is still ours, or the next one will be.
    if (error.code === 'REBALANCE_IN_PROGRESS') return this.#isJoining || !this.#stop.signal.aborted
    if (error.code !== 'ILLEGAL_GENERATION') return false
    // A member that closes commits under its last generation too: the group has it, so the answer to its join is on its way.
    return this.#isJoining || (this.#generationId >= 0 && this.#generationId !== generationId)
  }

  /** A refused commit may be how a member learns that it is out. */
  #noteLoss(error: unknown): unknown {
    const isLoss = error instanceof Fault && lossCodes.has(error.code)
    if (isLoss && this.#generationId >= 0 && !this.#stop.signal.aborted) this.#lose(error.code)
    return error
  }

  #joinOver(): Promise<void> {
    return this.#isJoining ? new Promise((resolve) => this.#joinWaiters.push(resolve)) : Promise.resolve()
  }

  /** False at or after that time: nothing is waited for then. */
  async #joinOverBy(endMs: number): Promise<boolean> {
    const leftMs = endMs - this.#clock.monotonicMs()
    if (leftMs <= 0) return false
    const joinOver = new AbortController()
    await Promise.race([this.#joinOver(), sleep(this.#clock, leftMs, joinOver.signal)])
    joinOver.abort()
    return true
  }

  #endJoin(): void {
    this.#isJoining = false
    this.#resumeCommits()
  }

  /** What is to be given up may be held by a commit that waits: it must not wait for what comes after that. */
  #resumeCommits(): void {
    for (const resume of this.#joinWaiters.splice(0)) resume()
  }

  /** False where the loop must end. */
  async #survive(error: unknown): Promise<boolean> {
    if (this.#stop.signal.aborted) return false
    this.#report(error)
    if (!isRetriableFault(error)) return false
    this.#forgetCoordinator()
    await sleep(this.#clock, this.#nextPauseMs, this.#stop.signal)
    this.#nextPauseMs = Math.min(this.#nextPauseMs * 2, longestRetryPauseMs)
    return true
  }

  #forgetCoordinator(): void {
    this.#cluster.invalidateCoordinator('group', this.#options.groupId)
  }

  #report(error: unknown): void {
    const { groupId, listener } = this.#options
    listener.onFault(error instanceof Fault ? error : memberFailed(groupId, error))
  }

  #fault(errorCode: number): Fault {
    return protocolFault(errorCode, `let this member into group ${this.#options.groupId}`)
  }

  async #leave(): Promise<void> {
    if (this.#memberId === '') return
    try {
      await this.#requests.leave(this.generation)
    } catch {
      // The session will time out instead: leaving is a courtesy to the others.
    }
  }
}

/** How long a commit waits, of a member that closes, for a join whose end depends on the others. */
const closingTimeoutMs = 3_000

/** What a commit is answered with when the member is out of the group. */
const lossCodes = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'])

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const notAMember = (groupId: string): Fault =>
  new Fault({
    code: 'UNKNOWN_MEMBER_ID',
    actor: 'runtime',
    message: `this process is no member of group ${groupId} now, so it cannot commit`,
  })

const memberFailed = (groupId: string, cause: unknown): Fault =>
  new Fault({
    code: 'GROUP_MEMBER_FAILED',
    actor: 'runtime',
    message: `the member of group ${groupId} cannot go on: ${messageOf(cause)}`,
    cause,
  })
