import { leaveGroupSchema } from '../protocol/apis/leave-group.ts'
import { Errors } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

/** LeaveGroup: one member, or (v3+) several with an error each, static ones by their instance id alone. */
export const leaveGroupApi: Api = api(leaveGroupSchema, (broker, request, { apiVersion }) => {
  if (request.groupId === '') return { errorCode: Errors.INVALID_GROUP_ID }
  const leaving = apiVersion >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  const errors = broker.groups.leave(request.groupId, leaving)
  if (apiVersion < 3) return { errorCode: errors[0] ?? Errors.NONE }
  return {
    errorCode: Errors.NONE,
    members: leaving.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: errors[index] ?? Errors.NONE,
    })),
  }
})
