import { listGroupsSchema } from '../protocol/apis/list-groups.ts'
import { Errors } from '../protocol/errors.ts'
import { api, type Api } from './api.ts'

/** ListGroups: all groups are classic; filters by state (v4+) and type (v5+) ignore case, as Kafka's do. */
export const listGroupsApi: Api = api(listGroupsSchema, (broker, { statesFilter, typesFilter }) => {
  const matches = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase())
  const listed = matches(typesFilter, 'classic') ? [...broker.groups.groups.values()] : []
  return {
    errorCode: Errors.NONE,
    groups: listed
      .filter(({ state }) => matches(statesFilter, state))
      .map(({ groupId, protocolType, state }) => ({
        groupId,
        protocolType: protocolType ?? '',
        groupState: state,
        groupType: 'classic',
      })),
  }
})
