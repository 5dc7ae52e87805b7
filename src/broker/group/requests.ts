import type { Bytes } from '../../base/bytes.ts'
import type { GroupProtocol } from './member.ts'

/** What the coordinator is asked, whatever the version of the request was. */
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
  /** Since version 9 a returning static leader can be asked to leave the assignment as it is. */
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
