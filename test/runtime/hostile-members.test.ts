import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import { sleep } from '../../src/base/clock.ts'
import { string, topic, topology } from '../../src/index.ts'
import { heartbeatApi, joinGroupApi, syncGroupApi } from '../../src/kafka/apis.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import type { ClassicMembership } from '../../src/kafka/group/classic-membership.ts'
import { encodeAssignment, encodeSubscription } from '../../src/kafka/group/consumer-protocol.ts'
import type { TaskAssignment } from '../../src/runtime/application-membership.ts'
import { membershipOf } from '../../src/runtime/application-membership.ts'
import { TopologyPlan } from '../../src/runtime/topology-plan.ts'
import type { RuntimeSettings } from '../../src/runtime/runtime-settings.ts'
import type { BrokerAddress } from '../../src/kafka/transport.ts'
import { CoreTransport } from '../kafka/support/core-transport.ts'
import type { CoreWorld } from '../kafka/support/core-world.ts'
import { coreWorld } from '../kafka/support/core-world.ts'

const groupId = 'shop'
const shop = topology(groupId, (builder) =>
  builder.stream(topic('orders', { value: string })).forEach(() => {}),
)
const settings = {
  applicationId: groupId,
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 100,
  rebalanceTimeoutMs: 1_000,
  standbyReplicas: 0,
  acceptableRecoveryLag: 0,
  maxWarmupReplicas: 1,
} as unknown as RuntimeSettings

/** A member of an application, with what happens to it. */
class Member {
  readonly membership: ClassicMembership
  readonly warnings: string[] = []
  readonly failures: string[] = []
  assignment: TaskAssignment | undefined

  constructor({ cluster }: CoreWorld, plans: TopologyPlan) {
    this.membership = membershipOf({
      cluster,
      settings,
      processId: 'p',
      plans,
      ownTasks: () => this.assignment?.tasks ?? [],
      stopRequest: () => undefined,
      onStop: () => undefined,
      ownLags: () => Promise.resolve(new Map()),
      isLeaving: () => false,
      onRevoke: () => Promise.resolve(),
      onAssign: (assignment) => {
        this.assignment = assignment
        return Promise.resolve()
      },
      onLost: () => Promise.resolve(),
      onWarning: (message) => void this.warnings.push(message),
      onFailure: ({ message }) => void this.failures.push(message),
    })
    this.membership.start()
  }
}

const start = async (): Promise<{ readonly world: CoreWorld; readonly begin: () => Promise<Member> }> => {
  const world = coreWorld({ topics: [{ name: 'orders', partitions: 2 }] })
  const begin = async (): Promise<Member> => {
    const plans = new TopologyPlan({
      topology: shop,
      settings,
      cluster: world.cluster,
      clock: world.clock,
      onPlan: () => Promise.resolve(),
      onOutdated: () => undefined,
      onWarning: () => undefined,
    })
    await world.run(plans.begin())
    return new Member(world, plans)
  }
  return { world, begin }
}

/** A client that joins the group and sends what it likes; where it leads, all members are assigned what it likes. */
const joinAsStranger = async (
  { core, clock }: CoreWorld,
  metadata: Bytes,
  assign: (round: number) => Bytes = () => new Uint8Array(),
): Promise<never> => {
  const transport = new CoreTransport(core)
  const cluster = new Cluster({ transport, clock })
  const broker = transport.bootstrap[0] as BrokerAddress
  const protocols = [{ name: 'millrace', metadata: Buffer.from(metadata) }]
  let memberId = ''
  for (let round = 0; ; round++) {
    const joined = await cluster.callBroker(
      broker,
      'join',
      joinGroupApi,
      groupId,
      6_000,
      1_000,
      memberId,
      null,
      'consumer',
      protocols,
      '',
    )
    memberId = joined.memberId
    if (joined.errorCode !== 0) continue
    const { generationId, members } = joined
    const assignments = members.map((member) => ({
      memberId: member.memberId,
      assignment: Buffer.from(assign(round)),
    }))
    await cluster.callBroker(
      broker,
      'join',
      syncGroupApi,
      groupId,
      generationId,
      memberId,
      null,
      'consumer',
      'millrace',
      assignments,
    )
    await heartbeats(cluster, broker, generationId, memberId)
  }
}

/** Until the group rebalances. */
const heartbeats = async (
  cluster: Cluster,
  broker: BrokerAddress,
  generationId: number,
  memberId: string,
): Promise<void> => {
  const beat = async (): Promise<number> =>
    (await cluster.callBroker(broker, 'control', heartbeatApi, groupId, generationId, memberId, null))
      .errorCode
  while ((await beat()) === 0) await sleep(cluster.clock, 100)
}

const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'hex'))
const subscribing = (userData: Bytes | null): Bytes =>
  encodeSubscription({ topics: ['orders'], userData, ownedPartitions: [], generationId: -1 })

describe('a member that is no Millrace application', () => {
  it.each([
    ['sends a subscription of more topics than it holds', hex('00037fffffff')],
    ['says that it owns more than its subscription holds', hex('000300000000ffffffff7fffffff')],
    ['sends no metadata', subscribing(null)],
    ['sends metadata of its own', subscribing(utf8Encode('kafka-streams'))],
  ])('is given no tasks, and a warning names it, where it %s', async (_, metadata) => {
    const { world, begin } = await start()
    const member = await begin()
    await world.pass(500)
    void joinAsStranger(world, metadata)
    await world.pass(2_000)
    expect(member.assignment).toMatchObject({ tasks: ['0_0', '0_1'] })
    expect(member.failures).toEqual([])
    expect(member.warnings[0]).toMatch(
      /^member core-transport-\S+ of group 'shop' is given no tasks: .*millrace groups --describe --group shop/,
    )
    await world.run(member.membership.close())
  })
})

describe('an assignment of a leader that is no Millrace application', () => {
  const assigned = (userData: string): Bytes =>
    encodeAssignment({ partitions: [{ topic: 'orders', partition: 0 }], userData: utf8Encode(userData) })

  it.each([
    ['of more topics than it holds', hex('00007fffffff')],
    ['for topics that the cluster has not', assigned('{"version":2,"sizes":{"orders":2,"others":3}}')],
    ['for more partitions than there are', assigned('{"version":2,"sizes":{"orders":2000000000}}')],
    ['for fewer partitions than there are', assigned('{"version":2,"sizes":{"orders":1}}')],
    ['without a topic that is there', assigned('{"version":2,"sizes":{}}')],
  ])('%s is a fault after which the member joins again', async (_, assignment) => {
    const { world, begin } = await start()
    void joinAsStranger(world, subscribing(null), () => assignment)
    await world.pass(500)
    const member = await begin()
    await world.pass(3_000)
    expect(member.assignment).toBeUndefined()
    expect(member.failures).toEqual([])
    expect(member.warnings[0]).toMatch(
      /^the leader of group 'shop' has sent an assignment that cannot be followed/,
    )
    // The pause doubles: 100, 200, 400, 800 ms.
    expect(member.warnings.length).toBeLessThanOrEqual(5)
    expect(member.warnings.length).toBeGreaterThan(1)
    await world.run(member.membership.close())
  })

  it('that names endpoints and tasks which cannot be is followed without them', async () => {
    const { world, begin } = await start()
    const userData =
      '{"version":2,"sizes":{"orders":2},"endpoints":[null],"standbys":["x","9_9"],"warmups":[4]}'
    void joinAsStranger(world, subscribing(null), () => assigned(userData))
    await world.pass(500)
    const member = await begin()
    await world.pass(2_000)
    expect(member.warnings).toEqual([])
    expect(member.assignment).toMatchObject({ tasks: ['0_0'], standbys: [], warmups: [], endpoints: [] })
    await world.run(member.membership.close())
  })
})
