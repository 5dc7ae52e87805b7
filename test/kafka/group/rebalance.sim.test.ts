import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { InjectedFault } from '../../../src/broker/index.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { CoreTransport } from '../support/core-transport.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import { TrialMember } from '../support/trial-member.ts'

/**
 * Members come, go, die and lose their connections while requests of the group are dropped or answered late. Nobody
 * ever owns what another owns, and in the end everything is owned.
 */
type Event =
  | { readonly kind: 'join'; readonly static: boolean }
  | { readonly kind: 'leave' | 'die'; readonly member: number }
  | { readonly kind: 'pass'; readonly durationMs: number }

const eventArbitrary: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('join'), static: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('leave', 'die'), member: fc.nat(5) }),
  fc.record({ kind: fc.constant('pass'), durationMs: fc.integer({ min: 10, max: 4_000 }) }),
)

const faultArbitrary = fc.constantFrom<InjectedFault | undefined>(
  undefined,
  undefined,
  { kind: 'drop' },
  { kind: 'loseResponse' },
  { kind: 'delay', delayMs: 700 },
  { kind: 'error', error: 'COORDINATOR_NOT_AVAILABLE' },
)

const apis = ['JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup', 'OffsetCommit', 'FindCoordinator']
const partitions = 6

interface Living {
  readonly member: TrialMember
  readonly transport: CoreTransport
}

class Group {
  readonly world: CoreWorld
  readonly living: Living[] = []
  readonly #kind: 'eager' | 'cooperative'
  #names = 0

  constructor(world: CoreWorld, kind: 'eager' | 'cooperative') {
    this.world = world
    this.#kind = kind
  }

  join(isStatic: boolean): void {
    const transport = new CoreTransport(this.world.core)
    const name = `member ${this.#names++}`
    const member = new TrialMember({
      cluster: new Cluster({ transport, clock: this.world.clock, retryTimeoutMs: 2_000 }),
      groupId: 'g',
      name,
      kind: this.#kind,
      topic: 't',
      partitions,
      groupInstanceId: isStatic ? name : undefined,
      onRevoke: ({ membership }, revoked) =>
        membership.commitOffsets(revoked.map((each) => ({ ...each, offset: 1 }))),
    })
    this.living.push({ member, transport })
  }

  async apply(event: Event): Promise<void> {
    if (event.kind === 'join') this.join(event.static)
    else if (event.kind === 'pass') await this.pass(event.durationMs)
    else {
      const [gone] = this.living.splice(event.member % Math.max(1, this.living.length), 1)
      if (gone === undefined) return
      if (event.kind === 'leave') await this.world.run(gone.member.membership.close({ leave: true }))
      else gone.transport.isDown = true
    }
  }

  async pass(durationMs: number): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 50) {
      await this.world.pass(50)
      const owned = this.owned()
      if (new Set(owned).size < owned.length) throw new Error(`owned twice: ${owned.join()}`)
    }
  }

  owned(): readonly number[] {
    return this.living.flatMap(({ member }) =>
      member.membership.ownedPartitions.map(({ partition }) => partition),
    )
  }
}

describe.each(['eager', 'cooperative'] as const)('a group with %s rebalancing', (kind) => {
  it('never gives a partition to two, and in the end gives all of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(eventArbitrary, { maxLength: 15 }),
        fc.array(fc.tuple(fc.constantFrom(...apis), faultArbitrary), { maxLength: 20 }),
        async (events, faults) => {
          const group = new Group(coreWorld({ topics: [{ name: 't', partitions }] }), kind)
          for (const api of apis) {
            const rest = faults.flatMap(([name, fault]) => (name === api ? [fault] : []))
            group.world.core.onRequest(api, () => rest.shift())
          }
          for (const event of events) await group.apply(event)
          group.join(false)
          await group.pass(30_000)
          expect(new Set(group.owned())).toEqual(new Set([0, 1, 2, 3, 4, 5]))
        },
      ),
      { numRuns: 40 },
    )
  })
})
