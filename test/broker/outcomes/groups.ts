import { concatBytes, utf8Encode } from '../../../src/base/bytes.ts'
import { deleteGroupsSchema } from '../../../src/broker/protocol/apis/delete-groups.ts'
import { describeGroupsSchema } from '../../../src/broker/protocol/apis/describe-groups.ts'
import { heartbeatSchema } from '../../../src/broker/protocol/apis/heartbeat.ts'
import { joinGroupSchema } from '../../../src/broker/protocol/apis/join-group.ts'
import { leaveGroupSchema } from '../../../src/broker/protocol/apis/leave-group.ts'
import { listGroupsSchema } from '../../../src/broker/protocol/apis/list-groups.ts'
import { offsetCommitSchema } from '../../../src/broker/protocol/apis/offset-commit.ts'
import { offsetDeleteSchema } from '../../../src/broker/protocol/apis/offset-delete.ts'
import { offsetFetchSchema } from '../../../src/broker/protocol/apis/offset-fetch.ts'
import { syncGroupSchema } from '../../../src/broker/protocol/apis/sync-group.ts'
import type { Message } from '../../../src/broker/protocol/schema.ts'
import type { TcpClient } from '../support/tcp-client.ts'
import { nameOf, type Outcome, type World } from './world.ts'

type Joined = Message<(typeof joinGroupSchema)['response']>

/** A consumer's subscription to one topic, as clients write it. */
const subscription = (topic: string): Uint8Array => {
  const name = utf8Encode(topic)
  return concatBytes(Uint8Array.from([0, 0, 0, 0, 0, 1, 0, name.length]), name, Uint8Array.from([0, 0, 0, 0]))
}

interface JoinChanges {
  readonly memberId?: string
  readonly groupInstanceId?: string | null
  readonly sessionTimeoutMs?: number
  readonly protocolType?: string
  readonly protocols?: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

const join = (client: TcpClient, groupId: string, changes: JoinChanges = {}, version = 9): Promise<Joined> =>
  client.call(joinGroupSchema, version, {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('nothing') }],
    ...changes,
  })

/** Joins as clients do: once for an id, and once with it. */
const joinTwice = async (client: TcpClient, groupId: string, changes: JoinChanges = {}): Promise<Joined> => {
  const { memberId } = await join(client, groupId, changes)
  return join(client, groupId, { ...changes, memberId })
}

const sync = async (
  client: TcpClient,
  groupId: string,
  member: { memberId: string; generationId: number; groupInstanceId?: string | null },
  assignments: { memberId: string; assignment: Uint8Array }[] = [],
  protocolName = 'range',
): Promise<string> => {
  const response = await client.call(syncGroupSchema, 5, {
    groupId,
    memberId: member.memberId,
    generationId: member.generationId,
    groupInstanceId: member.groupInstanceId ?? null,
    protocolType: 'consumer',
    protocolName,
    assignments,
  })
  return nameOf(response.errorCode)
}

const heartbeat = async (
  client: TcpClient,
  groupId: string,
  memberId: string,
  generationId: number,
  groupInstanceId: string | null = null,
): Promise<string> => {
  const response = await client.call(heartbeatSchema, 4, { groupId, memberId, generationId, groupInstanceId })
  return nameOf(response.errorCode)
}

const commit = async (
  world: World,
  groupId: string,
  topic: string,
  member: { memberId?: string; generationId?: number } = {},
  metadata = '',
): Promise<string> => {
  const { topics } = await world.client.call(offsetCommitSchema, 8, {
    groupId,
    memberId: member.memberId ?? '',
    generationIdOrMemberEpoch: member.generationId ?? -1,
    topics: [
      { name: topic, partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: metadata }] },
    ],
  })
  return nameOf(topics[0]?.partitions[0]?.errorCode)
}

/** A group with one member that has its assignment. */
const stableGroup = async (
  world: World,
  changes: JoinChanges = {},
): Promise<{ groupId: string; joined: Joined }> => {
  const groupId = await world.group()
  const joined = await joinTwice(world.client, groupId, changes)
  const { memberId } = joined
  await sync(world.client, groupId, joined, [{ memberId, assignment: Uint8Array.from([1, 2, 3]) }])
  return { groupId, joined }
}

const stateOf = async (world: World, groupId: string): Promise<unknown> => {
  const { groups } = await world.client.call(describeGroupsSchema, 5, { groups: [groupId] })
  const [group] = groups
  return [nameOf(group?.errorCode), group?.groupState, group?.protocolData, group?.members.length]
}

export const groupOutcomes: readonly Outcome[] = [
  {
    title: 'joining is asked for sensibly',
    expected: {
      noGroup: 'INVALID_GROUP_ID',
      shortSession: 'INVALID_SESSION_TIMEOUT',
      longSession: 'INVALID_SESSION_TIMEOUT',
      stranger: 'UNKNOWN_MEMBER_ID',
      noProtocols: 'INCONSISTENT_GROUP_PROTOCOL',
      noType: 'INCONSISTENT_GROUP_PROTOCOL',
      firstTime: 'MEMBER_ID_REQUIRED',
    },
    run: async (world) => {
      const groupId = await world.group()
      const ask = async (changes: JoinChanges, group = groupId): Promise<string> =>
        nameOf((await join(world.client, group, changes)).errorCode)
      return {
        noGroup: await ask({}, ''),
        shortSession: await ask({ sessionTimeoutMs: 100 }),
        longSession: await ask({ sessionTimeoutMs: 100_000_000 }),
        stranger: await ask({ memberId: 'nobody' }),
        noProtocols: await ask({ protocols: [] }),
        noType: await ask({ protocolType: '' }),
        firstTime: await ask({}),
      }
    },
  },
  {
    title: 'the first member leads, and gets its assignment when it brings it',
    expected: {
      joined: ['NONE', 1, 'range', 'consumer', true, 1],
      wrongProtocol: 'INCONSISTENT_GROUP_PROTOCOL',
      wrongGeneration: 'ILLEGAL_GENERATION',
      stranger: 'UNKNOWN_MEMBER_ID',
      synced: 'NONE',
      state: ['NONE', 'Stable', 'range', 1],
    },
    run: async (world) => {
      const groupId = await world.group()
      const joined = await joinTwice(world.client, groupId)
      const { memberId, generationId } = joined
      return {
        joined: [
          nameOf(joined.errorCode),
          generationId,
          joined.protocolName,
          joined.protocolType,
          joined.leader === memberId,
          joined.members.length,
        ],
        wrongProtocol: await sync(world.client, groupId, joined, [], 'sticky'),
        wrongGeneration: await sync(world.client, groupId, { memberId, generationId: 9 }),
        stranger: await sync(world.client, groupId, { memberId: 'nobody', generationId }),
        synced: await sync(world.client, groupId, joined, [{ memberId, assignment: Uint8Array.from([1]) }]),
        state: await stateOf(world, groupId),
      }
    },
  },
  {
    title: 'heartbeats tell whether a member is still of the group',
    expected: {
      good: 'NONE',
      generation: 'ILLEGAL_GENERATION',
      stranger: 'UNKNOWN_MEMBER_ID',
      noGroup: 'UNKNOWN_MEMBER_ID',
      emptyGroup: 'INVALID_GROUP_ID',
      instance: 'UNKNOWN_MEMBER_ID',
    },
    run: async (world) => {
      const { groupId, joined } = await stableGroup(world)
      const { memberId, generationId } = joined
      return {
        good: await heartbeat(world.client, groupId, memberId, generationId),
        generation: await heartbeat(world.client, groupId, memberId, generationId + 1),
        stranger: await heartbeat(world.client, groupId, 'nobody', generationId),
        noGroup: await heartbeat(world.client, await world.group(), memberId, generationId),
        emptyGroup: await heartbeat(world.client, '', memberId, generationId),
        instance: await heartbeat(world.client, groupId, memberId, generationId, 'nobody'),
      }
    },
  },
  {
    title: 'a second member makes the first join again, and offsets can be committed until it does',
    expected: {
      first: 'REBALANCE_IN_PROGRESS',
      sync: 'REBALANCE_IN_PROGRESS',
      commit: 'NONE',
      generations: [2, 2],
      members: [2, 0],
      completing: 'REBALANCE_IN_PROGRESS',
      state: ['NONE', 'CompletingRebalance', '', 2],
      assigned: ['NONE', 'NONE'],
    },
    run: async (world) => {
      const topic = await world.topic()
      const { groupId, joined } = await stableGroup(world)
      const { memberId, generationId } = joined
      const other = await world.another()
      const { memberId: otherId } = await join(other, groupId)
      const second = join(other, groupId, { memberId: otherId })
      let first = 'NONE'
      while (first === 'NONE') first = await heartbeat(world.client, groupId, memberId, generationId)
      const syncNow = await sync(world.client, groupId, joined)
      const committed = await commit(world, groupId, topic, joined)
      const again = await join(world.client, groupId, { memberId })
      const late = await second
      const completing = await commit(world, groupId, topic, again)
      const state = await stateOf(world, groupId)
      const waiting = sync(other, groupId, late)
      const leading = await sync(world.client, groupId, again, [
        { memberId, assignment: Uint8Array.from([1]) },
      ])
      return {
        first,
        sync: syncNow,
        commit: committed,
        generations: [again.generationId, late.generationId],
        members: [again.members.length, late.members.length],
        completing,
        state,
        assigned: [leading, await waiting],
      }
    },
  },
  {
    title: 'a member with another protocol does not fit in',
    expected: ['INCONSISTENT_GROUP_PROTOCOL', 'INCONSISTENT_GROUP_PROTOCOL'],
    run: async (world) => {
      const { groupId } = await stableGroup(world)
      const metadata = subscription('nothing')
      const protocols = [{ name: 'sticky', metadata }]
      return [
        nameOf((await join(world.client, groupId, { protocols })).errorCode),
        nameOf((await join(world.client, groupId, { protocolType: 'connect' })).errorCode),
      ]
    },
  },
  {
    title: 'a static member comes back without a rebalance, and its former self is fenced',
    expected: {
      first: ['NONE', 1],
      back: ['NONE', 1, true, true],
      oldHeartbeat: 'FENCED_INSTANCE_ID',
      oldSync: 'FENCED_INSTANCE_ID',
      newHeartbeat: 'NONE',
      synced: 'NONE',
    },
    run: async (world) => {
      const groupId = await world.group()
      const groupInstanceId = 'one'
      const first = await join(world.client, groupId, { groupInstanceId })
      const { memberId, generationId } = first
      await sync(world.client, groupId, { memberId, generationId, groupInstanceId }, [
        { memberId, assignment: Uint8Array.from([1]) },
      ])
      const back = await join(world.client, groupId, { groupInstanceId })
      const renewed = { memberId: back.memberId, generationId, groupInstanceId }
      return {
        first: [nameOf(first.errorCode), generationId],
        back: [nameOf(back.errorCode), back.generationId, back.skipAssignment, back.memberId !== memberId],
        oldHeartbeat: await heartbeat(world.client, groupId, memberId, generationId, groupInstanceId),
        oldSync: await sync(world.client, groupId, { memberId, generationId, groupInstanceId }),
        newHeartbeat: await heartbeat(world.client, groupId, back.memberId, generationId, groupInstanceId),
        synced: await sync(world.client, groupId, renewed),
      }
    },
  },
  {
    title: 'members leave, by id or by instance',
    expected: {
      stranger: ['NONE', 'UNKNOWN_MEMBER_ID'],
      noGroup: ['NONE', 'UNKNOWN_MEMBER_ID'],
      emptyGroup: ['INVALID_GROUP_ID', 'nothing'],
      old: 'UNKNOWN_MEMBER_ID',
      left: ['NONE', 'NONE'],
      state: ['NONE', 'Empty', '', 0],
      instance: ['NONE', 'NONE'],
    },
    run: async (world) => {
      const { groupId, joined } = await stableGroup(world)
      const leave = async (
        group: string,
        memberId: string,
        groupInstanceId: string | null = null,
      ): Promise<unknown> => {
        const response = await world.client.call(leaveGroupSchema, 5, {
          groupId: group,
          members: [{ memberId, groupInstanceId, reason: null }],
        })
        return [nameOf(response.errorCode), nameOf(response.members[0]?.errorCode)]
      }
      const stranger = await leave(groupId, 'nobody')
      const old = await world.client.call(leaveGroupSchema, 2, { groupId, memberId: 'nobody' })
      const left = await leave(groupId, joined.memberId)
      const state = await stateOf(world, groupId)
      await join(world.client, groupId, { groupInstanceId: 'one' })
      return {
        stranger,
        noGroup: await leave(await world.group(), 'nobody'),
        emptyGroup: await leave('', 'nobody'),
        old: nameOf(old.errorCode),
        left,
        state,
        instance: await leave(groupId, '', 'one'),
      }
    },
  },
  {
    title: 'offsets are committed by members of the generation, or by anyone while there are none',
    expected: {
      alone: 'NONE',
      aloneGeneration: 'ILLEGAL_GENERATION',
      missingTopic: 'UNKNOWN_TOPIC_OR_PARTITION',
      metadata: 'OFFSET_METADATA_TOO_LARGE',
      member: 'NONE',
      noMember: 'UNKNOWN_MEMBER_ID',
      generation: 'ILLEGAL_GENERATION',
      stranger: 'UNKNOWN_MEMBER_ID',
    },
    run: async (world) => {
      const topic = await world.topic()
      const { groupId, joined } = await stableGroup(world)
      const { memberId, generationId } = joined
      const alone = await world.group()
      return {
        alone: await commit(world, alone, topic),
        aloneGeneration: await commit(world, await world.group(), topic, { generationId: 3, memberId: 'x' }),
        missingTopic: await commit(world, alone, world.name('missing')),
        metadata: await commit(world, alone, topic, {}, 'x'.repeat(5000)),
        member: await commit(world, groupId, topic, { memberId, generationId }),
        noMember: await commit(world, groupId, topic),
        generation: await commit(world, groupId, topic, { memberId, generationId: generationId + 1 }),
        stranger: await commit(world, groupId, topic, { memberId: 'nobody', generationId }),
      }
    },
  },
  {
    title: 'offsets that were never committed are -1, without an error',
    expected: {
      known: [4, -1, 'NONE', ''],
      other: [-1, -1, 'NONE', ''],
      all: 1,
      unknownGroup: [-1, -1, 'NONE', ''],
    },
    run: async (world) => {
      const topic = await world.topic({}, 2)
      const groupId = await world.group()
      await commit(world, groupId, topic)
      const fetch = async (group: string, partitionIndexes: number[] | null) => {
        const topics = partitionIndexes === null ? null : [{ name: topic, partitionIndexes }]
        const { groups } = await world.client.call(offsetFetchSchema, 8, {
          groups: [{ groupId: group, topics }],
        })
        return groups[0]?.topics[0]?.partitions ?? []
      }
      const show = async (group: string, partition: number): Promise<unknown> => {
        const [found] = await fetch(group, [partition])
        return [
          found?.committedOffset,
          found?.committedLeaderEpoch,
          nameOf(found?.errorCode),
          found?.metadata,
        ]
      }
      return {
        known: await show(groupId, 0),
        other: await show(groupId, 1),
        all: (await fetch(groupId, null)).length,
        unknownGroup: await show(await world.group(), 0),
      }
    },
  },
  {
    title: 'groups are described and deleted when they are empty',
    expected: {
      unknown: ['NONE', 'Dead', '', 0],
      deleteUnknown: 'GROUP_ID_NOT_FOUND',
      deleteBusy: 'NON_EMPTY_GROUP',
      deleteIdle: 'NONE',
      gone: 'GROUP_ID_NOT_FOUND',
    },
    run: async (world) => {
      const topic = await world.topic()
      const { groupId } = await stableGroup(world)
      const idle = await world.group()
      await commit(world, idle, topic)
      const remove = async (group: string): Promise<string> => {
        const { results } = await world.client.call(deleteGroupsSchema, 2, { groupsNames: [group] })
        return nameOf(results[0]?.errorCode)
      }
      return {
        unknown: await stateOf(world, await world.group()),
        deleteUnknown: await remove(await world.group()),
        deleteBusy: await remove(groupId),
        deleteIdle: await remove(idle),
        gone: await remove(idle),
      }
    },
  },
  {
    title: 'offsets of a subscribed topic are not deleted',
    expected: {
      subscribed: ['NONE', 'GROUP_SUBSCRIBED_TO_TOPIC'],
      other: ['NONE', 'NONE'],
      unknownTopic: ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
      unknownGroup: ['GROUP_ID_NOT_FOUND', 'nothing'],
    },
    run: async (world) => {
      const [topic, otherTopic] = [await world.topic(), await world.topic()]
      const protocols = [{ name: 'range', metadata: subscription(topic) }]
      const { groupId, joined } = await stableGroup(world, { protocols })
      await commit(world, groupId, topic, joined)
      await commit(world, groupId, otherTopic, joined)
      const remove = async (group: string, name: string): Promise<unknown> => {
        const { errorCode, topics } = await world.client.call(offsetDeleteSchema, 0, {
          groupId: group,
          topics: [{ name, partitions: [{ partitionIndex: 0 }] }],
        })
        return [nameOf(errorCode), nameOf(topics[0]?.partitions[0]?.errorCode)]
      }
      return {
        subscribed: await remove(groupId, topic),
        other: await remove(groupId, otherTopic),
        unknownTopic: await remove(groupId, world.name('missing')),
        unknownGroup: await remove(await world.group(), topic),
      }
    },
  },
  {
    title: 'who joins again without news keeps its generation, unless it leads',
    expected: {
      completing: ['NONE', 1, 1],
      heartbeat: 'NONE',
      follower: ['NONE', 2, 0],
      news: 'REBALANCE_IN_PROGRESS',
      leader: 3,
    },
    run: async (world) => {
      const groupId = await world.group()
      const first = await joinTwice(world.client, groupId)
      const { memberId } = first
      const repeated = await join(world.client, groupId, { memberId })
      const beating = await heartbeat(world.client, groupId, memberId, 1)
      await sync(world.client, groupId, first, [{ memberId, assignment: Uint8Array.from([1]) }])
      const other = await world.another()
      const { memberId: otherId } = await join(other, groupId)
      const joining = join(other, groupId, { memberId: otherId })
      while ((await heartbeat(world.client, groupId, memberId, 1)) === 'NONE');
      const leading = await join(world.client, groupId, { memberId })
      const following = await joining
      const waiting = sync(other, groupId, following)
      await sync(world.client, groupId, leading, [{ memberId, assignment: Uint8Array.from([1]) }])
      await waiting
      const [follower, followerId] = leading.leader === memberId ? [other, otherId] : [world.client, memberId]
      const [leader, leaderId] = leading.leader === memberId ? [world.client, memberId] : [other, otherId]
      const same = await join(follower, groupId, { memberId: followerId })
      const rejoining = join(leader, groupId, { memberId: leaderId })
      let news = 'NONE'
      while (news === 'NONE') news = await heartbeat(follower, groupId, followerId, 2)
      await join(follower, groupId, { memberId: followerId })
      return {
        completing: [nameOf(repeated.errorCode), repeated.generationId, repeated.members.length],
        heartbeat: beating,
        follower: [nameOf(same.errorCode), same.generationId, same.members.length],
        news,
        leader: (await rejoining).generationId,
      }
    },
  },
  {
    title: 'a static member whose protocols change causes a rebalance',
    expected: {
      back: ['NONE', 2],
      leaves: ['NONE', 'NONE'],
      wrong: ['NONE', 'FENCED_INSTANCE_ID'],
      unknown: 'UNKNOWN_MEMBER_ID',
    },
    run: async (world) => {
      const groupId = await world.group()
      const groupInstanceId = 'one'
      const metadata = subscription('nothing')
      const first = await join(world.client, groupId, { groupInstanceId })
      const { memberId } = first
      await sync(world.client, groupId, { ...first, groupInstanceId }, [
        { memberId, assignment: Uint8Array.from([1]) },
      ])
      const protocols = [
        { name: 'sticky', metadata },
        { name: 'range', metadata },
      ]
      const back = await join(world.client, groupId, { groupInstanceId, protocols })
      const leave = async (id: string, instance: string | null): Promise<unknown> => {
        const response = await world.client.call(leaveGroupSchema, 5, {
          groupId,
          members: [{ memberId: id, groupInstanceId: instance, reason: null }],
        })
        return [nameOf(response.errorCode), nameOf(response.members[0]?.errorCode)]
      }
      return {
        back: [nameOf(back.errorCode), back.generationId],
        wrong: await leave('nobody', groupInstanceId),
        leaves: await leave(back.memberId, groupInstanceId),
        unknown: nameOf(
          (await join(world.client, groupId, { groupInstanceId, memberId: 'nobody' })).errorCode,
        ),
      }
    },
  },
  {
    title: 'old versions are answered in their own way',
    expected: {
      join: ['NONE', 1],
      commit: 'NONE',
      fetch: [4, 'NONE', ''],
      fetchMissing: [-1, 'NONE'],
      described: 'Stable',
    },
    run: async (world) => {
      const topic = await world.topic({}, 2)
      const groupId = await world.group()
      const joined = await join(world.client, groupId, {}, 1)
      const { memberId, generationId } = joined
      await world.client.call(syncGroupSchema, 0, {
        groupId,
        memberId,
        generationId,
        assignments: [{ memberId, assignment: Uint8Array.from([1]) }],
      })
      const committed = await world.client.call(offsetCommitSchema, 2, {
        groupId,
        memberId,
        generationIdOrMemberEpoch: generationId,
        topics: [
          { name: topic, partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: null }] },
        ],
      })
      const fetched = await world.client.call(offsetFetchSchema, 1, {
        groupId,
        topics: [{ name: topic, partitionIndexes: [0, 1] }],
      })
      const [found, missing] = (fetched.topics[0]?.partitions ?? []).toSorted(
        (left, right) => left.partitionIndex - right.partitionIndex,
      )
      const { groups } = await world.client.call(describeGroupsSchema, 0, { groups: [groupId] })
      return {
        join: [nameOf(joined.errorCode), generationId],
        commit: nameOf(committed.topics[0]?.partitions[0]?.errorCode),
        fetch: [found?.committedOffset, nameOf(found?.errorCode), found?.metadata],
        fetchMissing: [missing?.committedOffset, nameOf(missing?.errorCode)],
        described: groups[0]?.groupState,
      }
    },
  },
  {
    title: 'groups are listed by state and type',
    expected: {
      all: true,
      stable: true,
      empty: false,
      lowerCase: true,
      consumer: false,
      classic: ['consumer', 'Stable', 'classic'],
    },
    run: async (world) => {
      const { groupId } = await stableGroup(world)
      const find = async (statesFilter: string[], typesFilter: string[]) => {
        const { groups } = await world.client.call(listGroupsSchema, 5, { statesFilter, typesFilter })
        return groups.find((group) => group.groupId === groupId)
      }
      const listed = await find([], ['classic'])
      return {
        all: (await find([], [])) !== undefined,
        stable: (await find(['Stable'], [])) !== undefined,
        empty: (await find(['Empty'], [])) !== undefined,
        lowerCase: (await find(['stable'], [])) !== undefined,
        consumer: (await find([], ['consumer'])) !== undefined,
        classic: [listed?.protocolType, listed?.groupState, listed?.groupType],
      }
    },
  },
]
