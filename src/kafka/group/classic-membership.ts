import type { Bytes } from '../../base/bytes.ts'
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { Fault, messageOf } from '../../base/fault.ts'
import { heartbeatApi, joinGroupApi, leaveGroupApi, syncGroupApi } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import {
  errorName,
  isRetriable,
  isRetriableFault,
  isStaleCoordinator,
  protocolFault,
} from '../protocol-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { partitionName } from '../topic-partition.ts'
import type { Lane } from '../transport.ts'
import type { Assignment } from './consumer-protocol.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts'
import type { GroupAssignor, GroupListener, GroupMembership } from './group-membership.ts'
import type { CommittedOffset, FetchOffsetsOptions, GroupGeneration, OffsetToCommit } from './offsets.ts'
import { commitOffsets, fetchOffsets } from './offsets.ts'

/**
 * Membership by Kafka's classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
 *
 * One loop joins, lives through a generation and joins again; heartbeats run beside it, also while `onRevoke` drains,
 * so that a slow barrier does not cost the membership. JoinGroup goes over a lane of its own, as the broker holds it
 * until all have come.
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

/** Two members over one transport must not wait behind each other's JoinGroup. */
let instances = 0

export class ClassicMembership implements GroupMembership {
  readonly #options: ClassicMembershipOptions
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #sessionTimeoutMs: number
  readonly #rebalanceTimeoutMs: number
  readonly #heartbeatIntervalMs: number
  readonly #groupInstanceId: string | null
  readonly #lane: Lane
  readonly #stop = new AbortController()
  #memberId = ''
  #generationId = -1
  #owned: readonly TopicPartition[] = []
  #isLeader = false
  #running: Promise<void> | undefined
  /** Aborted when the present generation is over. */
  #generationEnd = new AbortController()
  #rejoinReason = 'the member is new'
  #lost = false

  constructor(options: ClassicMembershipOptions) {
    this.#options = options
    this.#cluster = options.cluster
    this.#clock = options.cluster.clock
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? 45_000
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 300_000
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? 3_000
    this.#groupInstanceId = options.groupInstanceId ?? null
    this.#lane = `join:${options.groupId}:${instances++}`
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

  get isLeader(): boolean {
    return this.#isLeader
  }

  start(): void {
    this.#running ??= this.#run()
  }

  requestRejoin(reason: string): void {
    this.#rejoinReason = reason
    this.#generationEnd.abort()
  }

  async commitOffsets(offsets: readonly OffsetToCommit[]): Promise<void> {
    try {
      await commitOffsets(this.#cluster, this.#options.groupId, this.generation, offsets)
    } catch (error) {
      if (error instanceof Fault && lossCodes.has(error.code)) this.#lose(error.code)
      throw error
    }
  }

  fetchOffsets(
    options: FetchOffsetsOptions = {},
  ): Promise<ReadonlyMap<string, CommittedOffset & TopicPartition>> {
    return fetchOffsets(this.#cluster, this.#options.groupId, options)
  }

  async close({ leave = this.#groupInstanceId === null }: { readonly leave?: boolean } = {}): Promise<void> {
    if (this.#stop.signal.aborted) return this.#running
    // While joining, the loop may wait for the others: leaving is what ends that wait.
    const joining = this.#running !== undefined && this.#generationId < 0
    this.#stop.abort()
    this.#generationEnd.abort()
    if (joining && leave) await this.#leave()
    await this.#running
    if (!joining && leave) await this.#leave()
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
      if (this.#lost) await this.#giveUpLost()
    }
    await this.#giveUp(this.#owned).catch((error: unknown) => this.#report(error))
    this.#generationId = -1
  }

  /** One generation: take the assignment, heartbeat, and end when a rebalance is called for. */
  async #live({ generationId, assignment }: Joined): Promise<void> {
    this.#generationId = generationId
    this.#generationEnd = new AbortController()
    if (this.#stop.signal.aborted) return
    const heartbeats = this.#heartbeat(this.#generationEnd)
    try {
      await this.#takeOver(assignment)
      await heartbeats
    } finally {
      // An error of the listener ends the generation; the heartbeats must not outlive it.
      this.#generationEnd.abort()
      await heartbeats
    }
    // Eager members drain before they join again, and must stay alive meanwhile.
    if (this.#options.assignor.kind === 'eager' && !this.#lost && this.#owned.length > 0)
      await this.#drainAlive()
  }

  async #drainAlive(): Promise<void> {
    const draining = new AbortController()
    const heartbeats = this.#heartbeat(draining, true)
    try {
      await this.#giveUp(this.#owned)
    } finally {
      draining.abort()
      await heartbeats
    }
  }

  async #takeOver({ partitions, userData }: Assignment): Promise<void> {
    const assigned = new Set(partitions.map(nameOf))
    const before = new Set(this.#owned.map(nameOf))
    const revoked = this.#owned.filter((each) => !assigned.has(nameOf(each)))
    if (revoked.length > 0) {
      await this.#giveUp(revoked)
      // What was given up is free for its new owner in the round that follows.
      this.requestRejoin('partitions were given up')
    }
    if (this.#lost) return
    const added = partitions.filter((each) => !before.has(nameOf(each)))
    this.#owned = partitions
    const { generationId, memberId } = this.generation
    await this.#options.listener.onAssign({ generationId, memberId, added, assigned: partitions, userData })
  }

  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    if (this.#lost) return this.#giveUpLost()
    const names = new Set(partitions.map(nameOf))
    try {
      await this.#options.listener.onRevoke(partitions)
    } finally {
      this.#owned = this.#owned.filter((each) => !names.has(nameOf(each)))
    }
  }

  async #giveUpLost(): Promise<void> {
    this.#lost = false
    const owned = this.#owned
    this.#owned = []
    if (owned.length > 0) await this.#options.listener.onLost(owned)
  }

  /** The group goes on without this member: nothing it owns is its own any more. */
  #lose(reason: string): void {
    this.#lost = true
    if (reason !== 'ILLEGAL_GENERATION') this.#memberId = ''
    this.#generationId = -1
    this.requestRejoin(reason)
  }

  /** Beats until `end` aborts; a rebalance or the loss of the membership aborts it. */
  async #heartbeat(end: AbortController, draining = false): Promise<void> {
    let lastAnswerMs = this.#clock.now()
    while (!end.signal.aborted) {
      await sleep(this.#clock, this.#heartbeatIntervalMs, end.signal)
      if (end.signal.aborted) return
      try {
        const errorCode = await this.#beat()
        lastAnswerMs = this.#clock.now()
        if (errorCode !== 0) this.#heartbeatError(errorCode, end, draining)
      } catch (error) {
        this.#cluster.invalidateCoordinator('group', this.#options.groupId)
        if (!isRetriableFault(error)) {
          this.#report(error)
          end.abort()
        }
        if (this.#clock.now() - lastAnswerMs < this.#sessionTimeoutMs) continue
        this.#lose('SESSION_TIMED_OUT')
        end.abort()
      }
    }
  }

  async #beat(): Promise<number> {
    const { groupId } = this.#options
    const coordinator = await this.#cluster.coordinator('group', groupId)
    const { generationId, memberId, groupInstanceId } = this.generation
    const response = await this.#cluster.callBroker(
      coordinator,
      'control',
      heartbeatApi,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
    )
    return response.errorCode
  }

  #heartbeatError(errorCode: number, end: AbortController, draining: boolean): void {
    const name = errorName(errorCode)
    if (name === 'REBALANCE_IN_PROGRESS') {
      if (draining) return
      this.#rejoinReason = 'the group rebalances'
    } else if (isStaleCoordinator(errorCode) || isRetriable(errorCode)) {
      this.#cluster.invalidateCoordinator('group', this.#options.groupId)
      return
    } else if (name === 'FENCED_INSTANCE_ID') {
      this.#lose(name)
      this.#fatal = this.#fault(errorCode)
    } else this.#lose(name)
    end.abort()
  }

  #fatal: Fault | undefined

  /** JoinGroup and SyncGroup; undefined where the round failed in a way that the next one mends. */
  async #join(): Promise<Joined | undefined> {
    if (this.#fatal !== undefined) throw this.#fatal
    const { groupId, assignor } = this.#options
    const coordinator = await this.#cluster.coordinator('group', groupId)
    const metadata = encodeSubscription({
      topics: this.#options.topics(),
      userData: await assignor.userData(),
      ownedPartitions: this.#owned,
      generationId: this.#owned.length === 0 ? -1 : this.#generationId,
    })
    if (this.#stop.signal.aborted) return undefined
    const response = await this.#cluster.callBroker(
      coordinator,
      this.#lane,
      joinGroupApi,
      groupId,
      this.#sessionTimeoutMs,
      this.#rebalanceTimeoutMs,
      this.#memberId,
      this.#groupInstanceId,
      'consumer',
      [{ name: assignor.name, metadata: asBuffer(metadata) }],
      this.#rejoinReason,
    )
    if (response.errorCode !== 0) return this.#joinError(response.errorCode, response.memberId)
    this.#memberId = response.memberId
    this.#isLeader = response.leader === response.memberId
    const assignments = this.#isLeader && !response.skipAssignment ? await this.#assign(response.members) : []
    return this.#sync(coordinator, response.generationId, assignments)
  }

  async #sync(
    coordinator: { readonly host: string; readonly port: number },
    generationId: number,
    assignments: { memberId: string; assignment: Buffer }[],
  ): Promise<Joined | undefined> {
    const { groupId, assignor } = this.#options
    const response = await this.#cluster.callBroker(
      coordinator,
      this.#lane,
      syncGroupApi,
      groupId,
      generationId,
      this.#memberId,
      this.#groupInstanceId,
      'consumer',
      assignor.name,
      assignments,
    )
    if (response.errorCode !== 0) return this.#joinError(response.errorCode, '')
    return { generationId, assignment: decodeAssignment(response.assignment) }
  }

  async #assign(
    joined: readonly { memberId: string; groupInstanceId?: string | null | undefined; metadata: Buffer }[],
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    const members = joined.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      ...decodeSubscription(metadata),
    }))
    const assignments = await this.#options.assignor.assign(members)
    return members.map(({ memberId }) => ({
      memberId,
      assignment: asBuffer(encodeAssignment(assignments.get(memberId) ?? { partitions: [], userData: null })),
    }))
  }

  async #joinError(errorCode: number, memberId: string): Promise<undefined> {
    const name = errorName(errorCode)
    if (name === 'MEMBER_ID_REQUIRED') {
      this.#memberId = memberId
      return undefined
    }
    if (name === 'UNKNOWN_MEMBER_ID' || name === 'ILLEGAL_GENERATION') {
      this.#lose(name)
      return undefined
    }
    if (isStaleCoordinator(errorCode)) this.#cluster.invalidateCoordinator('group', this.#options.groupId)
    if (name !== 'REBALANCE_IN_PROGRESS' && !isRetriable(errorCode)) throw this.#fault(errorCode)
    if (name !== 'REBALANCE_IN_PROGRESS') await sleep(this.#clock, retryPauseMs, this.#stop.signal)
    return undefined
  }

  /** False where the loop must end. */
  async #survive(error: unknown): Promise<boolean> {
    if (this.#stop.signal.aborted) return false
    this.#report(error)
    if (!isRetriableFault(error)) return false
    this.#cluster.invalidateCoordinator('group', this.#options.groupId)
    await sleep(this.#clock, retryPauseMs, this.#stop.signal)
    return true
  }

  #report(error: unknown): void {
    this.#options.listener.onFault(
      error instanceof Fault
        ? error
        : new Fault({
            code: 'GROUP_MEMBER_FAILED',
            actor: 'runtime',
            message: `the member of group ${this.#options.groupId} cannot go on: ${messageOf(error)}`,
            cause: error,
          }),
    )
  }

  #fault(errorCode: number): Fault {
    return protocolFault(errorCode, `let this member into group ${this.#options.groupId}`)
  }

  async #leave(): Promise<void> {
    if (this.#memberId === '') return
    const { groupId } = this.#options
    const members = [{ memberId: this.#memberId, groupInstanceId: this.#groupInstanceId, reason: 'closed' }]
    try {
      const coordinator = await this.#cluster.coordinator('group', groupId)
      await this.#cluster.callBroker(coordinator, 'control', leaveGroupApi, groupId, members)
    } catch {
      // The session will time out instead: leaving is a courtesy to the others.
    }
  }
}

/** What a commit is answered with when the member is out of the group. */
const lossCodes = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'])

const nameOf = ({ topic, partition }: TopicPartition): string => partitionName(topic, partition)

const asBuffer = (bytes: Bytes): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
