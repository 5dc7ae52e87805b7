import { beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { createBrokerCore } from '../../src/broker/index.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { describeGroupsSchema } from '../../src/broker/protocol/apis/describe-groups.ts'
import { heartbeatSchema } from '../../src/broker/protocol/apis/heartbeat.ts'
import { joinGroupSchema } from '../../src/broker/protocol/apis/join-group.ts'
import { syncGroupSchema } from '../../src/broker/protocol/apis/sync-group.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import type { Message } from '../../src/broker/protocol/schema.ts'
import type { BrokerSettings } from '../../src/broker/settings.ts'
import { settle, WireClient } from './support/wire-client.ts'

type Joined = Message<(typeof joinGroupSchema)['response']>

const SESSION_MS = 10_000
const REBALANCE_MS = 30_000
const groupId = 'group'

let clock: ManualClock
let core: BrokerCore

const start = (settings: Partial<BrokerSettings> = {}): void => {
  clock = new ManualClock()
  core = createBrokerCore({ clock, settings, onInternalError: (error) => expect.unreachable(String(error)) })
}

beforeEach(() => start())

/** A member on a connection of its own, as clients have. */
class TestMember {
  readonly client = new WireClient(core)
  readonly groupInstanceId: string | null
  memberId = ''
  generationId = -1
  leads = false

  constructor(groupInstanceId: string | null = null) {
    this.groupInstanceId = groupInstanceId
  }

  async join(): Promise<Joined> {
    const ask = (): Promise<Joined> =>
      this.client.call(joinGroupSchema, 9, {
        groupId,
        sessionTimeoutMs: SESSION_MS,
        rebalanceTimeoutMs: REBALANCE_MS,
        memberId: this.memberId,
        groupInstanceId: this.groupInstanceId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array([1]) }],
      })
    let joined = await ask()
    if (joined.errorCode === Errors.MEMBER_ID_REQUIRED) {
      this.memberId = joined.memberId
      joined = await ask()
    }
    this.memberId = joined.memberId
    this.generationId = joined.generationId
    this.leads = joined.leader === joined.memberId
    return joined
  }

  /** A leader assigns each of `members` its own id. */
  async sync(members: readonly TestMember[] = []): Promise<{ errorCode: number; assignment: string }> {
    const { errorCode, assignment } = await this.client.call(syncGroupSchema, 5, {
      groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: members.map(({ memberId }) => ({ memberId, assignment: Buffer.from(memberId) })),
    })
    return { errorCode, assignment: Buffer.from(assignment).toString() }
  }

  async heartbeat(): Promise<number> {
    const { errorCode } = await this.client.call(heartbeatSchema, 4, {
      groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
    })
    return errorCode
  }
}

const describeGroup = async (): Promise<[state: string | undefined, members: number | undefined]> => {
  const { groups } = await new WireClient(core).call(describeGroupsSchema, 5, { groups: [groupId] })
  return [groups[0]?.groupState, groups[0]?.members.length]
}

/** Two members with their assignments. */
const pair = async (secondInstance: string | null = null): Promise<[TestMember, TestMember]> => {
  const first = new TestMember()
  await first.join()
  await first.sync([first])
  const second = new TestMember(secondInstance)
  const joining = second.join()
  await settle()
  await first.join()
  await joining
  const waiting = second.sync()
  expect(await first.sync([first, second])).toEqual({ errorCode: Errors.NONE, assignment: first.memberId })
  expect(await waiting).toEqual({ errorCode: Errors.NONE, assignment: second.memberId })
  return [first, second]
}

describe('a session', () => {
  it('ends without heartbeats, and the others are asked to join again', async () => {
    const [first, second] = await pair()
    clock.advance(SESSION_MS - 1)
    expect(await first.heartbeat()).toBe(Errors.NONE)
    clock.advance(1)
    expect(await first.heartbeat()).toBe(Errors.REBALANCE_IN_PROGRESS)
    expect(await second.heartbeat()).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect((await first.join()).members.length).toBe(1)
  })

  it('does not end while a member waits for others to join', async () => {
    const [first, second] = await pair()
    const third = new TestMember()
    const joining = third.join()
    await settle()
    const again = first.join()
    for (let waited = 0; waited < 2 * SESSION_MS; waited += SESSION_MS / 2) {
      clock.advance(SESSION_MS / 2)
      await second.heartbeat()
    }
    expect(await describeGroup()).toEqual(['PreparingRebalance', 3])
    await second.join()
    expect((await again).errorCode).toBe(Errors.NONE)
    expect((await joining).generationId).toBe(3)
  })
})

describe('a rebalance', () => {
  it('goes on without those who do not join in time', async () => {
    const [first, second] = await pair()
    const third = new TestMember()
    const joining = third.join()
    await settle()
    const again = first.join()
    await settle()
    for (let waited = 0; waited < REBALANCE_MS; waited += SESSION_MS / 2) {
      expect(await second.heartbeat()).toBe(Errors.REBALANCE_IN_PROGRESS)
      clock.advance(SESSION_MS / 2)
    }
    expect((await again).members.length).toBe(2)
    await joining
    expect(await second.heartbeat()).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('waits for an id that was handed out, until its session would have ended', async () => {
    const first = new TestMember()
    await first.join()
    await first.sync([first])
    const undecided = new WireClient(core)
    const { errorCode } = await undecided.call(joinGroupSchema, 9, {
      groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array() }],
    })
    expect(errorCode).toBe(Errors.MEMBER_ID_REQUIRED)
    let joined: Joined | undefined
    const joining = first.join().then((answer) => (joined = answer))
    await settle()
    expect(joined).toBeUndefined()
    clock.advance(SESSION_MS)
    expect((await joining).generationId).toBe(2)
  })

  it('starts again when a member joins and never syncs', async () => {
    const first = new TestMember()
    await first.join()
    clock.advance(SESSION_MS - 1)
    expect(await first.heartbeat()).toBe(Errors.NONE)
    expect(await describeGroup()).toEqual(['CompletingRebalance', 1])
    for (let waited = 0; waited < REBALANCE_MS; waited += SESSION_MS / 2) {
      await first.heartbeat()
      clock.advance(SESSION_MS / 2)
    }
    expect(await describeGroup()).toEqual(['Empty', 0])
  })

  it('does not come again because a follower was assigned after its leader', async () => {
    const first = new TestMember()
    await first.join()
    await first.sync([first])
    const second = new TestMember()
    const joining = second.join()
    await settle()
    await first.join()
    await joining
    await first.sync([first, second])
    expect((await second.sync()).errorCode).toBe(Errors.NONE)
    for (let waited = 0; waited < 2 * REBALANCE_MS; waited += SESSION_MS / 2) {
      clock.advance(SESSION_MS / 2)
      expect([await first.heartbeat(), await second.heartbeat()]).toEqual([Errors.NONE, Errors.NONE])
    }
  })

  it('lets an empty group wait for more members first, where the broker is set so', async () => {
    start({ groupInitialRebalanceDelayMs: 3_000 })
    const [first, second] = [new TestMember(), new TestMember()]
    const joins = [first.join()]
    await settle()
    clock.advance(2_000)
    joins.push(second.join())
    await settle()
    clock.advance(1_000)
    expect(await describeGroup()).toEqual(['PreparingRebalance', 2])
    clock.advance(3_000)
    const answers = await Promise.all(joins)
    expect(answers.map(({ generationId }) => generationId)).toEqual([1, 1])
    expect(answers.map(({ members }) => members.length)).toEqual(expect.arrayContaining([0, 2]))
  })

  it('that a follower waits in is told to the follower when it starts over', async () => {
    const [first, second] = await pair()
    const third = new TestMember()
    const joining = third.join()
    await settle()
    const again = first.join()
    await second.join()
    await again
    await joining
    const follower = first.leads ? second : first
    const waiting = follower.sync()
    await settle()
    void new TestMember().join()
    expect((await waiting).errorCode).toBe(Errors.REBALANCE_IN_PROGRESS)
  })
})

describe('a static member', () => {
  it('keeps its place through a rebalance that it misses, until its session ends', async () => {
    const [first, second] = await pair('instance')
    const third = new TestMember()
    const joining = third.join()
    await settle()
    const again = first.join()
    await settle()
    clock.advance(SESSION_MS - 1)
    expect(await describeGroup()).toEqual(['PreparingRebalance', 3])
    clock.advance(1)
    expect((await again).members.length).toBe(2)
    await joining
    expect(await second.heartbeat()).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('answers its former self, which still waits, that it is fenced', async () => {
    const [first] = await pair()
    const waiting = new TestMember('instance').join()
    await settle()
    const successor = new TestMember('instance').join()
    expect((await waiting).errorCode).toBe(Errors.FENCED_INSTANCE_ID)
    const again = first.join()
    await settle()
    // The second of the pair never joins again.
    clock.advance(SESSION_MS)
    expect((await successor).errorCode).toBe(Errors.NONE)
    expect((await again).members.length).toBe(2)
  })
})

it('the broker’s end answers those who wait', async () => {
  await pair()
  const joining = new TestMember().join()
  await settle()
  core.close()
  expect((await joining).errorCode).toBe(Errors.COORDINATOR_NOT_AVAILABLE)
})
