import type { Bytes } from '../../base/bytes.ts'
import { Fault, messageOf } from '../../base/fault.ts'
import { heartbeatApi, joinGroupApi, leaveGroupApi, syncGroupApi } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerAddress, Lane } from '../transport.ts'
import type { Assignment, Subscription } from './consumer-protocol.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts'
import type { GroupMember } from './group-membership.ts'
import type { GroupGeneration } from './offsets.ts'

/** The four requests of the classic protocol, in the words of this room. Error codes are left to the caller. */
export interface GroupRequestsOptions {
  readonly cluster: Cluster
  readonly groupId: string
  readonly protocolName: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly isLeader: boolean
  /** For the leader that must deal out the partitions; undefined for all others. */
  readonly members: readonly GroupMember[] | undefined
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly assignment: Assignment
}

/** Two members over one transport must not wait behind each other's JoinGroup. */
let instances = 0

const noAssignment: Assignment = { partitions: [], userData: null }

export class GroupRequests {
  readonly #options: GroupRequestsOptions
  readonly #lane: Lane
  /** Where the last heartbeat went. */
  #coordinator: BrokerAddress | undefined

  constructor(options: GroupRequestsOptions) {
    this.#options = options
    this.#lane = `join:${options.groupId}:${instances++}`
  }

  async join(generation: GroupGeneration, subscription: Subscription, reason: string): Promise<JoinAnswer> {
    const { cluster, groupId, protocolName, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const response = await cluster.callBroker(
      await cluster.coordinator('group', groupId),
      this.#lane,
      joinGroupApi,
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      generation.memberId,
      generation.groupInstanceId,
      'consumer',
      [{ name: protocolName, metadata: asBuffer(encodeSubscription(subscription)) }],
      reason,
    )
    const { errorCode, memberId, generationId, leader, skipAssignment } = response
    const isLeader = errorCode === 0 && leader === memberId
    const members = isLeader && !skipAssignment ? response.members.map(memberOf) : undefined
    return { errorCode, memberId, generationId, isLeader, members }
  }

  async sync(
    { generationId, memberId, groupInstanceId }: GroupGeneration,
    assignments: ReadonlyMap<string, Assignment>,
  ): Promise<SyncAnswer> {
    const { cluster, groupId, protocolName } = this.#options
    const { errorCode, assignment } = await cluster.callBroker(
      await cluster.coordinator('group', groupId),
      this.#lane,
      syncGroupApi,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      'consumer',
      protocolName,
      Array.from(assignments, ([member, dealt]) => ({
        memberId: member,
        assignment: asBuffer(encodeAssignment(dealt)),
      })),
    )
    return { errorCode, assignment: errorCode === 0 ? this.#assignmentIn(assignment) : noAssignment }
  }

  /** The broker passes on what the leader of the group has sent: its next assignment may be readable. */
  #assignmentIn(bytes: Bytes): Assignment {
    try {
      return decodeAssignment(bytes)
    } catch (error) {
      throw malformedAssignment(this.#options.groupId, messageOf(error), error)
    }
  }

  async heartbeat({ generationId, memberId, groupInstanceId }: GroupGeneration): Promise<number> {
    const { cluster, groupId } = this.#options
    const coordinator = await cluster.coordinator('group', groupId)
    this.#coordinator = coordinator
    const { errorCode } = await cluster.callBroker(
      coordinator,
      'control:group',
      heartbeatApi,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
    )
    return errorCode
  }

  /** Ends the connections to a coordinator that answered no heartbeat for a session, if nothing else came from it either. */
  disconnect(): void {
    const { cluster, sessionTimeoutMs } = this.#options
    if (this.#coordinator === undefined) return
    cluster.transport.dropSilent(this.#coordinator, sessionTimeoutMs / 2)
  }

  async leave({ memberId, groupInstanceId }: GroupGeneration): Promise<void> {
    const { cluster, groupId } = this.#options
    const members = [{ memberId, groupInstanceId, reason: 'closed' }]
    const coordinator = await cluster.coordinator('group', groupId)
    await cluster.callBroker(coordinator, 'control:group', leaveGroupApi, groupId, members)
  }
}

interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId?: string | null | undefined
  readonly metadata: Buffer
}

/** A member whose subscription cannot be read must not keep the others from their partitions. */
const memberOf = ({ memberId, groupInstanceId, metadata }: JoinedMember): GroupMember => {
  const member = { memberId, groupInstanceId: groupInstanceId ?? null }
  try {
    return { ...member, ...decodeSubscription(metadata) }
  } catch (error) {
    return { ...member, ...noSubscription, unreadable: messageOf(error) }
  }
}

const noSubscription: Subscription = { topics: [], userData: null, ownedPartitions: [], generationId: -1 }

const asBuffer = (bytes: Bytes): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** What the leader has sent cannot be read or cannot be true. The member joins again, and so is dealt another one. */
export const malformedAssignment = (groupId: string, why: string, cause?: unknown): Fault =>
  new Fault({
    code: 'ASSIGNMENT_MALFORMED',
    actor: 'retry',
    message: `the leader of group '${groupId}' has sent an assignment that cannot be followed: ${why}`,
    remedy: `find the members of the group (millrace groups --describe --group ${groupId}) and stop those of other applications`,
    cause,
  })
