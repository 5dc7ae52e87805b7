import { joinGroupSchema } from '../protocol/apis/join-group.ts'
import { api, type Api } from './api.ts'

/**
 * JoinGroup: answered when the rebalance is complete; the leader gets everyone's metadata.
 *
 * - From version 4 a new dynamic member is answered MEMBER_ID_REQUIRED and joins again with the id it is given.
 * - Version 0 has no rebalance timeout: the session timeout serves.
 * - Before version 7 a missing protocol name is the empty string.
 */
export const joinGroupApi: Api = api(joinGroupSchema, async (broker, request, context) => {
  const { apiVersion } = context
  const result = await broker.groups.join({
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    protocolType: request.protocolType,
    protocols: request.protocols,
    requireKnownMemberId: apiVersion >= 4,
    supportsSkippingAssignment: apiVersion >= 9,
  })
  return apiVersion < 7 ? { ...result, protocolName: result.protocolName ?? '' } : result
})
