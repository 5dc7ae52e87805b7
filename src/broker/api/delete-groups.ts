import type { Broker } from '../broker.ts'
import { deleteGroupsSchema } from '../protocol/apis/delete-groups.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

/** DeleteGroups: only groups without members can go, and their offsets go with them. */
export const deleteGroupsApi: Api = api(deleteGroupsSchema, (broker, { groupsNames }) => ({
  results: groupsNames.map((groupId) => ({ groupId, errorCode: remove(broker, groupId) })),
}))

const remove = (broker: Broker, groupId: string): ErrorCode => {
  const group = broker.groups.groups.get(groupId)
  if (group === undefined) return Errors.GROUP_ID_NOT_FOUND
  if (group.state !== 'Empty') return Errors.NON_EMPTY_GROUP
  broker.deleteGroup(group)
  return Errors.NONE
}
