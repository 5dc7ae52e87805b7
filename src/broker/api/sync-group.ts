import { syncGroupSchema } from '../protocol/apis/sync-group.ts'
import { Errors } from '../protocol/errors.ts'
import { NO_BYTES } from '../group/protocol-metadata.ts'
import { api, type Api } from './api.ts'

/** SyncGroup: the leader brings the assignment, everyone is answered with their part of it. */
export const syncGroupApi: Api = api(syncGroupSchema, (broker, request, { apiVersion }) => {
  // From version 5 on the protocol must be named, so that a member of another kind of group is found out.
  if (apiVersion >= 5 && (request.protocolType === null || request.protocolName === null))
    return { errorCode: Errors.INCONSISTENT_GROUP_PROTOCOL, assignment: NO_BYTES }
  return broker.groups.sync(request)
})
