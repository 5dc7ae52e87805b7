import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { Application, SettingsInput } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import type { ReadOnlyKeyValueStore, StateStore, ValueAndTimestamp } from '../../src/state/store.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

const partitions = 4
const keyCount = 200

const countsIn = (store: StateStore | undefined): readonly number[] =>
  store === undefined
    ? []
    : Array.from(
        (store as unknown as ReadOnlyKeyValueStore<string, ValueAndTimestamp<number>>).all(),
        ([, { value }]) => value,
      )

describe.each(['at_least_once', 'exactly_once'] as const)('copies of state, %s', (processingGuarantee) => {
  let broker: RunningBroker
  const folder = mkdtempSync(join(tmpdir(), 'millrace-standby-'))
  const closing: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  let trials = 0
  const trial = async (settings: Partial<SettingsInput>) => {
    const name = `trial-${++trials}-${processingGuarantee}`
    const events = topic(`${name}-events`, { value: string, partitions })
    const counts = topic(`${name}-counts`, { value: long })
    const program = topology(name, (builder) => {
      builder.stream(events).groupByKey().count({ store: 'events-by-key' }).toStream().to(counts)
    })
    const client = new TopicClient(broker.bootstrapServers)
    closing.push(() => client[Symbol.asyncDispose]())
    await client.create({ name: events.name, partitions }, counts)
    let written = 0
    const write = async (): Promise<void> => {
      written++
      await client.write(
        events,
        Array.from({ length: keyCount }, (_, index) => ({ key: `k${index}`, value: 'x' })),
      )
      await client.readUntil(counts, (records) => {
        const latest = latestByKey(records)
        return latest.size === keyCount && [...latest.values()].every((count) => count >= written)
      })
    }
    /** Runs a process; `restored` are the records that its active tasks restored, by partition. */
    const run = async (process: string): Promise<Application & { restored: Map<number, number> }> => {
      const restored = new Map<number, number>()
      const application = await start(
        program,
        {
          bootstrapServers: broker.bootstrapServers,
          stateDirectory: join(folder, name, process),
          processingGuarantee,
          heartbeatIntervalMs: 50,
          ...settings,
        },
        { onRestore: ({ partition, restoredRecords }) => void restored.set(partition, restoredRecords) },
      )
      closing.push(() => application.close())
      return Object.assign(application, { restored })
    }
    const expectExact = async (): Promise<void> => {
      const told = await client.readAll(counts)
      for (let index = 0; index < keyCount; index++)
        expect(
          told.filter(({ key }) => key === `k${index}`).map(({ value }) => value),
          `the counts of k${index}`,
        ).toEqual(Array.from({ length: written }, (_, count) => count + 1))
    }
    return { run, write, expectExact }
  }

  const until = (condition: () => boolean): Promise<void> =>
    expect.poll(condition, { interval: 5 }).toBe(true)

  /** Where tasks run and where their copies are complete. */
  const picture = (...applications: readonly Application[]): string =>
    applications
      .map(({ health: { tasks, standbyTasks } }) => {
        const copies = standbyTasks.map(({ task, lag }) => (lag === 0 ? task : `${task}…`))
        return `${tasks.toSorted().join()} (${copies.toSorted().join()})`
      })
      .join(' ')

  it('are kept up to date elsewhere, and taken over with nothing but the tail to restore', async () => {
    const { run, write, expectExact } = await trial({ standbyReplicas: 1 })
    const first = await run('first')
    await until(() => first.tasks.length === 4)
    await write()
    const second = await run('second')
    await until(() => picture(first, second) === '0_0,0_1 (0_2,0_3) 0_2,0_3 (0_0,0_1)')
    await write()
    await until(() => countsIn(second.standbyStore('events-by-key', 0)).every((count) => count === 2))
    expect(countsIn(second.standbyStore('events-by-key', 0))).not.toEqual([])
    expect(second.store('events-by-key', 0)).toBeUndefined()
    await until(() => picture(first, second) === '0_0,0_1 (0_2,0_3) 0_2,0_3 (0_0,0_1)')
    second.restored.clear()
    await first.close()
    await until(() => picture(second) === '0_0,0_1,0_2,0_3 ()')
    expect(second.restored).toEqual(
      new Map([
        [0, 0],
        [1, 0],
      ]),
    )
    await write()
    await expectExact()
  })

  it('are made where a task shall move, which runs where it is until they are complete', async () => {
    const { run, write, expectExact } = await trial({ acceptableRecoveryLag: 0, maxWarmupReplicas: 1 })
    const first = await run('first')
    await until(() => first.tasks.length === 4)
    await write()
    const second = await run('second')
    await until(() => picture(first, second) === '0_0,0_1 () 0_2,0_3 ()')
    // Tasks that had begun there without their state would have restored it.
    expect(second.restored).toEqual(
      new Map([
        [2, 0],
        [3, 0],
      ]),
    )
    await write()
    await expectExact()
  })

  it('are found again after a restart, and their tasks come back to them', async () => {
    // The marker that ends a transaction is a record like any other to whoever only knows offsets.
    const { run, write, expectExact } = await trial({ acceptableRecoveryLag: 5 })
    const before = [await run('first'), await run('second')] as const
    await until(() => picture(...before) === '0_0,0_1 () 0_2,0_3 ()')
    await write()
    await Promise.all(before.map((application) => application.close()))
    const second = await run('second')
    await until(() => second.tasks.length === 4)
    const first = await run('first')
    await until(() => picture(first, second) === '0_0,0_1 () 0_2,0_3 ()')
    expect(first.metrics.restoredRecords).toBe(0)
    await write()
    await expectExact()
  })

  it('are what a task leaves behind that moves away, and comes back to', async () => {
    const { run, write, expectExact } = await trial({ standbyReplicas: 1 })
    const first = await run('first')
    await until(() => first.tasks.length === 4)
    await write()
    first.restored.clear()
    const second = await run('second')
    await until(() => picture(first, second) === '0_0,0_1 (0_2,0_3) 0_2,0_3 (0_0,0_1)')
    await write()
    await until(() => picture(first, second) === '0_0,0_1 (0_2,0_3) 0_2,0_3 (0_0,0_1)')
    await second.close()
    await until(() => picture(first) === '0_0,0_1,0_2,0_3 ()')
    expect(first.metrics.restoredRecords).toBe(0)
    expect(first.restored).toEqual(
      new Map([
        [2, 0],
        [3, 0],
      ]),
    )
    await write()
    await expectExact()
  })
})
