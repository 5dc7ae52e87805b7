import type { Broker } from '../broker.ts'
import { NO_BYTES } from '../group/protocol-metadata.ts'
import type { Group } from '../group/group.ts'
import { describeGroupsSchema } from '../protocol/apis/describe-groups.ts'
import { Errors } from '../protocol/errors.ts'
import type { Item, Response } from '../protocol/schema.ts'
import { api, type Api } from './api.ts'

/** DescribeGroups: an unknown group is described as dead; metadata and assignments are shown while it is stable. */
export const describeGroupsApi: Api = api(describeGroupsSchema, (broker, { groups }) => ({
  groups: groups.map((groupId) => describe(broker, groupId)),
}))

type GroupAnswer = Item<Response<typeof describeGroupsSchema>, 'groups'>

const describe = (broker: Broker, groupId: string): GroupAnswer => {
  const group = broker.groups.groups.get(groupId)
  return {
    errorCode: Errors.NONE,
    groupId,
    groupState: group?.state ?? 'Dead',
    protocolType: group?.protocolType ?? '',
    protocolData: group?.state === 'Stable' ? (group.protocolName ?? '') : '',
    members: group === undefined ? [] : describeMembers(group),
  }
}

const describeMembers = (group: Group): GroupAnswer['members'] => {
  const isStable = group.state === 'Stable'
  return Array.from(group.members.values(), (member) => ({
    memberId: member.memberId,
    groupInstanceId: member.description.groupInstanceId,
    clientId: member.description.clientId,
    clientHost: member.description.clientHost,
    memberMetadata: isStable ? member.metadataOf(group.protocolName) : NO_BYTES,
    memberAssignment: isStable ? member.assignment : NO_BYTES,
  }))
}
