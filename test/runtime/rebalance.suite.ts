import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/system-clock.ts'
import type { Application, SettingsInput, StartOptions } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { ClassicMembership } from '../../src/kafka/group/classic-membership.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { planApplication } from '../../src/runtime/application-plan.ts'
import { taskAssignor, tasksOfPartitions } from '../../src/runtime/group-assignor.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

const partitions = 6

/** A key for each partition, by Kafka's partitioner. */
const keysByPartition = async (client: TopicClient, name: string): Promise<ReadonlyMap<number, string>> => {
  const records = await client.readAll({ name, key: string, value: string })
  return new Map(records.map(({ partition, key }) => [partition, key]))
}

/** What a rebalance owes the tasks that are in it, on whatever broker, under both guarantees. */
export const rebalanceSuite = (brokers: () => string, unique: (prefix: string) => string): void =>
  describe.each(['at_least_once', 'exactly_once'] as const)('%s', (processingGuarantee) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-rebalance-'))
    const closing: (() => Promise<unknown>)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0).toReversed()) await close()
    })
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    const trial = async () => {
      const name = unique('trial')
      const events = topic(`${name}-events`, { value: string, partitions })
      const counts = topic(`${name}-counts`, { value: long })
      const program = topology(name, (builder) => {
        builder.stream(events).groupByKey().count({ store: 'events-by-key' }).toStream().to(counts)
      })
      const client = new TopicClient(brokers())
      closing.push(() => client[Symbol.asyncDispose]())
      await client.create({ name: events.name, partitions }, counts)
      await client.write(
        events,
        Array.from({ length: 100 }, (_, index) => ({ key: `key-${index}`, value: 'first' })),
      )
      const keys = await keysByPartition(client, events.name)
      const run = async (
        process: string,
        settings: Partial<SettingsInput> = {},
        options: StartOptions = {},
      ): Promise<Application> => {
        const application = await start(
          program,
          {
            bootstrapServers: brokers(),
            stateDirectory: join(folder, name, process),
            processingGuarantee,
            heartbeatIntervalMs: 50,
            ...settings,
          },
          options,
        )
        closing.push(() => application.close())
        return application
      }
      const plan = planApplication(program, name, () => partitions)
      return { name, events, counts, client, keys, run, plan }
    }

    /** A member that is no application: it shows what happens between two rounds, as it says when it gives up. */
    const bystander = (
      { name, plan }: Awaited<ReturnType<typeof trial>>,
      gates: { readonly beforeRevoke?: () => Promise<void>; readonly beforeAssign?: () => Promise<void> },
    ) => {
      const transport = new TcpTransport({ brokers: brokers(), clientId: 'bystander' })
      const tasks = () => tasksOfPartitions(plan, membership.ownedPartitions)
      const assignor = taskAssignor({
        planOf: () => plan,
        settings: { standbyReplicas: 0, acceptableRecoveryLag: 0, maxWarmupReplicas: 1 },
        ownData: () => ({ processId: 'bystander', tasks: tasks(), standbys: new Map() }),
        onForeignMember: () => undefined,
        sizesOf: () => Promise.resolve(new Map()),
      })
      const membership = new ClassicMembership({
        cluster: new Cluster({ transport, clock: systemClock }),
        groupId: name,
        heartbeatIntervalMs: 50,
        assignor: {
          ...assignor,
          assign: async (members) => {
            await gates.beforeAssign?.()
            return assignor.assign(members)
          },
        },
        topics: () => plan.topics,
        listener: {
          onRevoke: () => gates.beforeRevoke?.() ?? Promise.resolve(),
          onAssign: () => Promise.resolve(),
          onLost: () => Promise.resolve(),
          onFault: (fault) => expect.unreachable(String(fault)),
        },
      })
      membership.start()
      closing.push(() => transport.close())
      closing.push(() => membership.close())
      return { membership, tasks }
    }

    const until = (condition: () => boolean): Promise<void> =>
      expect.poll(condition, { interval: 5 }).toBe(true)

    it('stops no task that does not move: it processes and commits between the two rounds', async () => {
      const world = await trial()
      const { events, counts, client, keys, run } = world
      let gate: PromiseWithResolvers<void> | undefined
      let isHolding = false
      const other = bystander(world, {
        beforeRevoke: async () => {
          isHolding = gate !== undefined
          await gate?.promise
        },
      })
      await until(() => other.tasks().length === partitions)
      const first = await run('first')
      await until(() => first.tasks.length === 3 && other.tasks().length === 3)
      gate = Promise.withResolvers()
      const before = first.tasks
      const second = await run('second')
      await until(() => isHolding && first.tasks.length === 2)
      const [kept] = first.tasks
      const store = first.store('events-by-key', Number(kept?.split('_')[1]))
      const key = keys.get(Number(kept?.split('_')[1])) as string
      const told = latestByKey(await client.readAll(counts)).get(key) ?? 0
      await client.write(events, [{ key, value: 'between' }])
      // Read committed: the count is there once the transaction, or the records, are.
      await client.readUntil(counts, (records) => latestByKey(records).get(key) === told + 1)
      await until(() => first.metrics.commits > 0)
      expect(second.tasks).toEqual([])
      gate.resolve()
      gate = undefined
      await until(() => first.tasks.length === 2 && second.tasks.length === 2)
      expect(before).toEqual(expect.arrayContaining([...first.tasks]))
      expect(first.store('events-by-key', Number(kept?.split('_')[1]))).toBe(store)
    })

    it('does a commit again that a join has overtaken, and closes no task for it', async () => {
      const world = await trial()
      const { events, counts, client, keys, run } = world
      let gate: PromiseWithResolvers<void> | undefined
      let isHolding = false
      const other = bystander(world, {
        beforeAssign: async () => {
          if (gate === undefined) return
          isHolding = true
          await gate.promise
        },
      })
      await until(() => other.tasks().length === partitions)
      const warnings: string[] = []
      const first = await run('first', {}, { onWarning: (message) => warnings.push(message) })
      await until(() => first.tasks.length === 3 && other.tasks().length === 3 && first.state === 'running')
      expect(other.membership.isLeader).toBe(true)
      const number = Number(first.tasks[0]?.split('_')[1])
      const store = first.store('events-by-key', number)
      const key = keys.get(number) as string
      await client.readUntil(counts, (records) => latestByKey(records).has(key))
      const { commits, processedRecords } = first.metrics
      gate = Promise.withResolvers()
      // The leader joins and deals out, which takes it long: the group has its next generation, and nobody knows it yet.
      other.membership.requestRejoin('to be between JoinGroup and SyncGroup')
      await until(() => isHolding)
      await client.write(events, [{ key, value: 'meanwhile' }])
      await until(() => first.metrics.processedRecords === processedRecords + 1)
      gate.resolve()
      gate = undefined
      await until(() => first.metrics.commits === commits + 1)
      const told = await client.readUntil(counts, (records) => latestByKey(records).get(key) === 2)
      expect(told.filter((record) => record.key === key).map(({ value }) => value)).toEqual([1, 2])
      expect(first.store('events-by-key', number)).toBe(store)
      expect(warnings).toEqual([])
    })

    it('lets a process that leaves work on until the others are ready for what it has', async () => {
      const world = await trial()
      const { events, counts, client, keys, run } = world
      let gate: PromiseWithResolvers<void> | undefined
      let isHolding = false
      const other = bystander(world, {
        beforeAssign: async () => {
          isHolding = gate !== undefined
          await gate?.promise
        },
      })
      await until(() => other.tasks().length === partitions)
      const first = await run('first')
      await until(() => first.tasks.length === 3 && other.tasks().length === 3 && first.state === 'running')
      const key = keys.get(Number(first.tasks[0]?.split('_')[1])) as string
      await client.readUntil(counts, (records) => latestByKey(records).has(key))
      // Its other tasks may still be at their first records.
      await until(() => first.health.inputs.length === 3 && first.health.inputs.every(({ lag }) => lag === 0))
      gate = Promise.withResolvers()
      const closed = first.close()
      await until(() => isHolding)
      const { processedRecords } = first.metrics
      await client.write(events, [{ key, value: 'while it leaves' }])
      await until(() => first.metrics.processedRecords === processedRecords + 1)
      gate.resolve()
      gate = undefined
      await closed
      await until(() => other.tasks().length === partitions)
      expect(latestByKey(await client.readAll(counts)).get(key)).toBe(2)
    })

    it('counts every event once while members come and go', async () => {
      const { events, counts, client, run } = await trial()
      const keyCount = 40
      let written = 0
      const write = async (): Promise<void> => {
        const batch = Array.from({ length: keyCount }, (_, index) => ({ key: `k${index}`, value: 'x' }))
        await client.write(events, batch)
        written++
      }
      const first = await run('first')
      await write()
      const second = await run('second')
      for (let burst = 0; burst < 5; burst++) await write()
      const third = await run('third')
      await until(() => first.tasks.length === 2 && second.tasks.length === 2 && third.tasks.length === 2)
      for (let burst = 0; burst < 5; burst++) await write()
      const closed = first.close()
      for (let burst = 0; burst < 5; burst++) await write()
      await closed
      await until(() => second.tasks.length === 3 && third.tasks.length === 3)
      await write()
      const told = await client.readUntil(counts, (records) => {
        const latest = latestByKey(records)
        return Array.from({ length: keyCount }, (_, index) => latest.get(`k${index}`)).every(
          (count) => count === written,
        )
      })
      for (let index = 0; index < keyCount; index++)
        expect(
          told.filter(({ key }) => key === `k${index}`).map(({ value }) => value),
          `the counts of k${index}`,
        ).toEqual(Array.from({ length: written }, (_, count) => count + 1))
    })
  })
