import { describe, expect, it } from 'vitest'
import { utf8Decode } from '../../../src/base/bytes.ts'
import type { InjectedFault } from '../../../src/broker/index.ts'
import { Admin } from '../../../src/kafka/admin.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import type { TrialMemberOptions } from '../support/trial-member.ts'
import { TrialMember } from '../support/trial-member.ts'

const groupId = 'g'
const world = (): CoreWorld => coreWorld({ topics: [{ name: 't', partitions: 4 }] })

const join = (at: CoreWorld, name: string, options: Partial<TrialMemberOptions> = {}): TrialMember =>
  new TrialMember({
    cluster: at.cluster,
    groupId,
    name,
    kind: 'eager',
    topic: 't',
    partitions: 4,
    ...options,
  })

const ownedTogether = (...members: readonly TrialMember[]): string =>
  members
    .flatMap(({ owned }) => owned.split(','))
    .sort()
    .join()

describe('a member of a classic group', () => {
  it('gets all partitions when it is alone, with what the leader has for it', async () => {
    const at = world()
    const member = join(at, 'a')
    await at.pass(500)
    expect(member.log).toEqual(['assign 0,1,2,3 added 0,1,2,3'])
    expect(member.membership.isLeader).toBe(true)
    const { generationId, memberId } = member.membership.generation
    expect(generationId).toBe(1)
    expect(utf8Decode(member.assignments[0]?.userData ?? new Uint8Array())).toBe(`for ${memberId}`)
    expect(utf8Decode(member.seenAsLeader[0]?.userData ?? new Uint8Array())).toBe('a')
    await at.run(member.membership.close())
    expect(member.log.at(-1)).toBe('revoke 0,1,2,3')
    expect(member.membership.generation.generationId).toBe(-1)
  })

  it('is described by name and partition to whoever asks', async () => {
    const at = world()
    join(at, 'a')
    await at.pass(500)
    const described = await at.run(new Admin(at.cluster).describeGroup(groupId))
    expect(described).toMatchObject({ state: 'Stable', protocolType: 'consumer', protocolName: 'trial' })
    expect(described.members[0]?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
  })

  it.each(['eager', 'cooperative'] as const)(
    'shares with a second one and takes over when that leaves (%s)',
    async (kind) => {
      const at = world()
      const one = join(at, 'a', { kind })
      await at.pass(500)
      const other = join(at, 'b', { kind })
      await at.pass(3_000)
      expect(ownedTogether(one, other)).toBe('0,1,2,3')
      expect([one.owned.length, other.owned.length]).toEqual([3, 3])
      await at.run(one.membership.close())
      await at.pass(3_000)
      expect(other.owned).toBe('0,1,2,3')
      expect([...one.faults, ...other.faults]).toEqual([])
    },
  )

  it('gives up everything before an eager rebalance', async () => {
    const at = world()
    const one = join(at, 'a')
    await at.pass(500)
    join(at, 'b')
    await at.pass(3_000)
    expect(one.log[1]).toBe('revoke 0,1,2,3')
    expect(one.log[2]).toMatch(/^assign (.,.) added \1$/)
  })

  it('gives up only what moves in a cooperative one, and never owns what another owns', async () => {
    const at = world()
    const members: TrialMember[] = []
    for (const name of ['a', 'b', 'c']) {
      members.push(join(at, name, { kind: 'cooperative' }))
      for (let step = 0; step < 40; step++) {
        await at.pass(50)
        const owned = members.flatMap((member) => (member.owned === '' ? [] : member.owned.split(',')))
        expect(new Set(owned).size).toBe(owned.length)
      }
    }
    expect(ownedTogether(...members)).toBe('0,1,2,3')
    const revoked = members[0]?.log.filter((line) => line.startsWith('revoke')) ?? []
    expect(revoked.join()).not.toContain('0,1,2,3')
  })

  it('commits in the barrier under a generation that still counts, however long the barrier takes', async () => {
    const at = world()
    const commits: number[] = []
    const one = join(at, 'a', {
      onRevoke: async ({ membership }, partitions) => {
        await new Promise<void>((resolve) => at.clock.setTimer(resolve, 8_000))
        await membership.commitOffsets(partitions.map((each) => ({ ...each, offset: 10 + each.partition })))
        commits.push(partitions.length)
      },
    })
    await at.pass(500)
    const other = join(at, 'b')
    await at.pass(20_000)
    expect(commits).toEqual([4])
    expect(one.faults).toEqual([])
    const offsets = await at.run(other.membership.fetchOffsets({ requireStable: true }))
    expect(offsets.get('t-3')).toMatchObject({ offset: 13 })
  })

  it('is told that it lost its partitions when the group went on without it', async () => {
    const at = world()
    const member = join(at, 'a')
    await at.pass(500)
    at.transport.isDown = true
    await at.pass(10_000)
    at.transport.isDown = false
    await at.pass(5_000)
    expect(member.log).toEqual([
      'assign 0,1,2,3 added 0,1,2,3',
      'lost 0,1,2,3',
      'assign 0,1,2,3 added 0,1,2,3',
    ])
  })

  it('knows after a standstill that it may be out, before anybody tells it', async () => {
    const at = world()
    const member = join(at, 'a')
    await at.pass(500)
    expect(member.membership.checkSession()).toBe(true)
    at.clock.advance(7_000)
    expect(member.membership.checkSession()).toBe(false)
    expect(member.membership.checkSession()).toBe(false)
    await at.pass(2_000)
    expect(member.log.slice(1)).toEqual(['lost 0,1,2,3', 'assign 0,1,2,3 added 0,1,2,3'])
    expect(member.membership.checkSession()).toBe(true)
  })

  it('learns from a refused commit that it is out', async () => {
    const at = world()
    const member = join(at, 'a', { heartbeatIntervalMs: 5_000 })
    await at.pass(500)
    at.core.onRequest('OffsetCommit', () => ({ kind: 'error', error: 'UNKNOWN_MEMBER_ID' }))
    const commit = member.membership.commitOffsets([{ topic: 't', partition: 0, offset: 1 }])
    await expect(at.run(commit)).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    await at.pass(2_000)
    expect(member.log[1]).toBe('lost 0,1,2,3')
  })

  it('keeps its partitions over a restart within the session when it is static', async () => {
    const at = world()
    const other = join(at, 'b', { groupInstanceId: 'two' })
    const before = join(at, 'a', { groupInstanceId: 'one' })
    await at.pass(2_000)
    const owned = before.owned
    const generation = other.membership.generation.generationId
    await at.run(before.membership.close())
    const after = join(at, 'a', { groupInstanceId: 'one' })
    await at.pass(2_000)
    expect(after.owned).toBe(owned)
    expect(other.membership.generation.generationId).toBe(generation)
  })

  it('ends, with a fault, when another takes its static name', async () => {
    const at = world()
    const before = join(at, 'a', { groupInstanceId: 'one' })
    await at.pass(1_000)
    const after = join(at, 'a2', { groupInstanceId: 'one' })
    await at.pass(3_000)
    expect(before.faults.map(({ code }) => code)).toContain('FENCED_INSTANCE_ID')
    expect(before.log.at(-1)).toBe('lost 0,1,2,3')
    expect(after.owned).toBe('0,1,2,3')
  })

  it.each(['Heartbeat', 'JoinGroup'])(
    'joins again where a coordinator that was restarted does not know its static name under this id (%s)',
    async (apiName) => {
      const at = world()
      const member = join(at, 'a', { groupInstanceId: 'one' })
      const codes = (): readonly string[] => member.faults.map(({ code }) => code)
      await at.pass(1_000)
      const answers: (InjectedFault | undefined)[] = [
        { kind: 'drop' },
        { kind: 'error', error: 'FENCED_INSTANCE_ID' },
      ]
      at.core.onRequest(apiName, () => answers.shift())
      if (apiName === 'JoinGroup') member.membership.requestRejoin('to join')
      await at.pass(3_000)
      expect(answers).toEqual([])
      expect(codes()).not.toContain('FENCED_INSTANCE_ID')
      expect(member.owned).toBe('0,1,2,3')
      // No connection was lost since it was let in again: now another one must have its name.
      answers.push({ kind: 'error', error: 'FENCED_INSTANCE_ID' })
      if (apiName === 'JoinGroup') member.membership.requestRejoin('to join')
      await at.pass(3_000)
      expect(codes()).toContain('FENCED_INSTANCE_ID')
    },
  )

  it('joins again when it is asked to, for its user data has changed', async () => {
    const at = world()
    const member = join(at, 'a')
    await at.pass(500)
    member.membership.requestRejoin('new standby')
    await at.pass(1_000)
    expect(member.membership.generation.generationId).toBe(2)
  })

  it.each(['JoinGroup', 'SyncGroup', 'Heartbeat', 'FindCoordinator'])(
    'outlives a lost %s',
    async (apiName) => {
      const at = world()
      let losses = 1
      at.core.onRequest(apiName, () => (losses-- > 0 ? { kind: 'loseResponse' } : undefined))
      const member = join(at, 'a')
      await at.pass(12_000)
      expect(member.owned).toBe('0,1,2,3')
    },
  )

  it('reports what it cannot fix', async () => {
    const at = world()
    at.core.onRequest('JoinGroup', () => ({ kind: 'error', error: 'INVALID_SESSION_TIMEOUT' }))
    const member = join(at, 'a')
    await at.pass(500)
    expect(member.faults.map(({ code }) => code)).toEqual(['INVALID_SESSION_TIMEOUT'])
    await at.run(member.membership.close())
  })

  it('can be closed while it waits for the others', async () => {
    const at = world()
    const one = join(at, 'a', { onRevoke: () => new Promise(() => undefined) })
    await at.pass(500)
    const waiting = join(at, 'b')
    await at.pass(1_000)
    await at.run(waiting.membership.close())
    expect(waiting.log).toEqual([])
    expect(one.owned).toBe('0,1,2,3')
  })

  it('has a commit done under the next generation when a rebalance overtakes it', async () => {
    const at = world()
    const one = join(at, 'a', { kind: 'cooperative' })
    await at.pass(500)
    const [kept] = one.membership.ownedPartitions
    at.core.onRequest('SyncGroup', () => ({ kind: 'delay', delayMs: 1_000 }))
    join(at, 'b', { kind: 'cooperative' })
    const outdated: unknown[] = []
    const stop = at.core.onRequest('OffsetCommit', ({ request }) => {
      outdated.push(request['generationIdOrMemberEpoch'])
      return undefined
    })
    while (one.membership.generation.generationId === 1 && outdated.length < 3) {
      await at.run(one.membership.commitOffsets([{ topic: 't', partition: kept?.partition ?? 0, offset: 7 }]))
      await at.pass(50)
      if (one.membership.generation.generationId > 1) break
      outdated.length = 0
    }
    stop()
    expect(outdated).toEqual([1, 2])
    expect(one.log.filter((line) => line.startsWith('lost'))).toEqual([])
    const offsets = await at.run(one.membership.fetchOffsets())
    expect(offsets.get(`t-${kept?.partition}`)).toMatchObject({ offset: 7 })
  })

  it.each(['closed', 'lost'] as const)(
    'lets go of a commit that waits for a join when it is %s meanwhile, as what follows may wait for that commit',
    async (how) => {
      const at = world()
      let committing: Promise<unknown> = Promise.resolve()
      const member = join(at, 'a', {
        kind: 'cooperative',
        onRevoke: async () => void (await committing),
        onLost: async () => void (await committing),
      })
      await at.pass(500)
      const joinMs = 60_000
      at.core.onRequest('SyncGroup', () =>
        how === 'lost' ? { kind: 'error', error: 'UNKNOWN_MEMBER_ID' } : { kind: 'delay', delayMs: joinMs },
      )
      at.core.onRequest('JoinGroup', () => ({ kind: 'delay', delayMs: 300 }))
      at.core.onRequest('OffsetCommit', () => ({ kind: 'error', error: 'REBALANCE_IN_PROGRESS' }))
      member.membership.requestRejoin('to be joining')
      await at.pass(100)
      committing = member.membership
        .commitOffsets([{ topic: 't', partition: 0, offset: 7 }])
        .catch((error: { readonly code: string }) => error.code)
      await at.pass(500)
      const before = at.clock.now()
      if (how === 'closed') await at.run(member.membership.close())
      expect(await at.run(committing)).toBe('REBALANCE_IN_PROGRESS')
      await at.pass(100)
      expect(member.log.at(-1)).toBe(how === 'closed' ? 'revoke 0,1,2,3' : 'lost 0,1,2,3')
      expect(at.clock.now() - before).toBeLessThan(joinMs / 10)
    },
  )

  it('commits nothing while it is no member, as nothing would fence it', async () => {
    const at = world()
    at.core.onRequest('JoinGroup', () => ({ kind: 'delay', delayMs: 5_000 }))
    const member = join(at, 'a')
    const commit = member.membership.commitOffsets([{ topic: 't', partition: 0, offset: 1 }])
    await expect(at.run(commit)).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    expect(at.transport.sent.some(({ apiKey }) => apiKey === 8)).toBe(false)
  })

  it('gives up and leaves without waiting for the others when it is closed in a rebalance', async () => {
    const at = world()
    const slow = join(at, 'a', {
      kind: 'cooperative',
      heartbeatIntervalMs: 5_900,
      rebalanceTimeoutMs: 600_000,
    })
    await at.pass(500)
    const quick = join(at, 'b', { kind: 'cooperative' })
    await at.pass(10_000)
    const owned = quick.owned
    quick.membership.requestRejoin('to be waiting for the slow one')
    join(at, 'c', { kind: 'cooperative' })
    await at.pass(300)
    const before = at.clock.now()
    await at.run(quick.membership.close())
    expect(at.clock.now() - before).toBeLessThan(1_000)
    expect(quick.log.at(-1)).toBe(`revoke ${owned}`)
    await at.pass(30_000)
    expect(slow.owned.length).toBeGreaterThan(0)
  })

  it('joins once more when that is asked for while it joins', async () => {
    const at = world()
    at.core.onRequest('SyncGroup', () => ({ kind: 'delay', delayMs: 200 }))
    const member = join(at, 'a')
    await at.pass(100)
    member.membership.requestRejoin('the user data has changed meanwhile')
    await at.pass(2_000)
    expect(member.membership.generation.generationId).toBe(2)
  })

  it('hears of a rebalance that was announced without waiting for its next heartbeat', async () => {
    const at = world()
    const one = join(at, 'a', { kind: 'cooperative', heartbeatIntervalMs: 5_000 })
    await at.pass(500)
    one.membership.expectRebalance(50)
    const other = join(at, 'b', { kind: 'cooperative', heartbeatIntervalMs: 5_000 })
    await at.pass(500)
    expect(one.log[1]).toMatch(/^revoke ./)
    expect(other.membership.generation.generationId).toBeGreaterThan(1)
  })

  it('asks less often again when an announced rebalance does not come', async () => {
    const at = world()
    const member = join(at, 'a', { kind: 'cooperative', heartbeatIntervalMs: 5_000 })
    await at.pass(500)
    member.membership.expectRebalance(50)
    const heartbeats = (): number => at.transport.sent.filter(({ apiKey }) => apiKey === 12).length
    await at.pass(7_000)
    const during = heartbeats()
    expect(during).toBeGreaterThan(100)
    await at.pass(20_000)
    expect(heartbeats() - during).toBeLessThanOrEqual(4)
  })

  it('stays a member while its listener takes long to take over', async () => {
    const at = world()
    const member = join(at, 'a', { kind: 'cooperative', assignMs: 9_000 })
    await at.pass(500)
    const other = join(at, 'b', { kind: 'cooperative' })
    await at.pass(60_000)
    expect([...member.log, ...other.log].filter((line) => line.startsWith('lost'))).toEqual([])
    expect(ownedTogether(member, other)).toBe('0,1,2,3')
  })
})
