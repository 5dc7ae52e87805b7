import type { ErrorCode } from '../protocol/errors.ts'
import { Errors } from '../protocol/errors.ts'
import type { Group } from './group.ts'
import type { JoinResult, Member, SyncResult } from './member.ts'
import { NO_BYTES } from './protocol-metadata.ts'

/** The answers to JoinGroup and SyncGroup that are made in more than one place. */
export const failedJoin = (errorCode: ErrorCode, memberId: string): JoinResult => ({
  errorCode,
  memberId,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  skipAssignment: false,
  members: [],
})

export const failedSync = (errorCode: ErrorCode): SyncResult => ({
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: NO_BYTES,
})

export const syncResult = (group: Group, member: Member): SyncResult => ({
  errorCode: Errors.NONE,
  protocolType: group.protocolType,
  protocolName: group.protocolName,
  assignment: member.assignment,
})
