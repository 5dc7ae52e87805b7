import type { Admin } from '../kafka/admin.ts'
import type { GroupListing } from '../kafka/group-admin.ts'

/** A group as the brokers list it; undefined where there is none. */
export const listedGroup = async (admin: Admin, groupId: string): Promise<GroupListing | undefined> =>
  (await admin.listGroups()).find((group) => group.groupId === groupId)

/**
 * Who is in a group, as an end of a sentence; undefined where it has no members. A broker describes a group of the
 * consumer protocol (KIP-848) or of Kafka Streams' own (KIP-1071) as dead, because Millrace's request asks for classic
 * groups: the list of groups has the type and the state of each.
 */
export const liveGroup = async (admin: Admin, groupId: string): Promise<string | undefined> => {
  const { members } = await admin.describeGroup(groupId)
  if (members.length > 0)
    return `its group has ${members.length} live ${members.length === 1 ? 'member' : 'members'}: ${members
      .map(({ clientId, clientHost }) => `${clientId} at ${clientHost}`)
      .join(', ')}`
  const listed = await listedGroup(admin, groupId)
  return listed === undefined || listed.type.toLowerCase() === 'classic' || idle.has(listed.state)
    ? undefined
    : `its group, of type ${listed.type.toLowerCase()}, is in state ${listed.state}`
}

const idle: ReadonlySet<string> = new Set(['Empty', 'Dead'])
