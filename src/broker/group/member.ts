import { bytesEqual, type Bytes } from '../../base/bytes.ts'
import { NO_BYTES } from './protocol-metadata.ts'

export interface GroupProtocol {
  readonly name: string
  readonly metadata: Bytes
}

export interface MemberDescription {
  memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly GroupProtocol[]
}

/** The response to a member when its JoinGroup is answered. */
export interface JoinResult {
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly members: readonly JoinedMember[]
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Bytes
}

export interface SyncResult {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Bytes
}

/** One member of a classic group, with the answers it is waiting for. */
export class Member {
  readonly description: MemberDescription
  assignment: Bytes = NO_BYTES
  /** A member that has not been answered its first JoinGroup cannot heartbeat yet. */
  isNew = false
  awaitingJoin: ((result: JoinResult) => void) | undefined
  awaitingSync: ((result: SyncResult) => void) | undefined
  cancelSession: () => void = () => undefined

  constructor(description: MemberDescription) {
    this.description = description
  }

  get memberId(): string {
    return this.description.memberId
  }

  get isStatic(): boolean {
    return this.description.groupInstanceId !== null
  }

  supports(protocol: string): boolean {
    return this.description.protocols.some(({ name }) => name === protocol)
  }

  metadataOf(protocol: string | null): Bytes {
    return this.description.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
  }

  hasSameProtocols(protocols: readonly GroupProtocol[]): boolean {
    const own = this.description.protocols
    return (
      own.length === protocols.length &&
      own.every((protocol, index) => {
        const other = protocols[index]
        return protocol.name === other?.name && bytesEqual(protocol.metadata, other.metadata)
      })
    )
  }

  /** Its favourite among the protocols that everyone supports. */
  voteFor(candidates: ReadonlySet<string>): string | undefined {
    return this.description.protocols.find(({ name }) => candidates.has(name))?.name
  }

  answerJoin(result: JoinResult): void {
    const answer = this.awaitingJoin
    this.awaitingJoin = undefined
    answer?.(result)
  }

  answerSync(result: SyncResult): void {
    const answer = this.awaitingSync
    this.awaitingSync = undefined
    answer?.(result)
  }
}
