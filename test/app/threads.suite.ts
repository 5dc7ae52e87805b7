import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, expect, it } from 'vitest'
import type {
  ApplicationHealth,
  SettingsInput,
  StartOptions,
  StartThreadsOptions,
  ThreadedApplication,
} from '../../src/index.ts'
import { start, startThreads } from '../../src/index.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'
import { countingOf, topicsOf } from './programs/threaded.ts'

/** What an application in several threads, and one whose member fails, owe their users: on whatever broker. */
export const threadsSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
  const running: ThreadedApplication[] = []
  afterEach(async () => {
    await Promise.all(
      running.splice(0).map((application) => application.close({ timeoutMs: 5_000 }).catch(() => undefined)),
    )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A module for threads to import: the same program for each test, over topics of its own. */
  const moduleOf = (id: string, handler: string): URL => {
    const file = join(folder, `${id}.mjs`)
    const programs = new URL('./programs/threaded.ts', import.meta.url)
    writeFileSync(
      file,
      `import { countingOf } from ${JSON.stringify(programs.href)}
       export const both = [countingOf('${id}'), countingOf('${id}-other')]
       ${handler}`,
    )
    return pathToFileURL(file)
  }

  /** Topics, and the program over them, of one test; `handler` stands in its module. */
  const scene = async (
    handler = '',
  ): Promise<{
    readonly client: TopicClient
    readonly id: string
    readonly module: URL
    readonly topology: string
    readonly stateDirectory: string
    readonly write: (...values: readonly string[]) => Promise<void>
    readonly counted: (values: Readonly<Record<string, number>>) => Promise<void>
  }> => {
    const id = unique('run')
    const { events, counts } = topicsOf(id)
    const client = new TopicClient(brokers())
    await client.create(events, counts)
    let written = 0
    return {
      client,
      id,
      module: moduleOf(id, handler),
      topology: `counting-${id}`,
      stateDirectory: join(folder, id),
      write: (...values) =>
        client.write(
          events,
          values.map((value) => ({ key: `event-${written++}`, value })),
        ),
      counted: async (values) => {
        const wanted = new Map(Object.entries(values))
        const records = await client.readUntil(counts, (each) => {
          const latest = latestByKey(each)
          return [...wanted].every(([key, count]) => (latest.get(key) ?? 0) >= count)
        })
        const latest = latestByKey(records)
        expect(new Map([...wanted].map(([key]) => [key, latest.get(key)]))).toEqual(wanted)
      },
    }
  }
  type Scene = Awaited<ReturnType<typeof scene>>

  const quick = { heartbeatIntervalMs: 100, sessionTimeoutMs: 6_000 }

  const inThreads = async (
    { module, topology, stateDirectory }: Scene,
    settings: Partial<SettingsInput> = {},
    options: Partial<StartThreadsOptions> = {},
  ): Promise<ThreadedApplication> => {
    const application = await startThreads(
      { module, topology },
      { bootstrapServers: brokers(), stateDirectory, ...quick, ...settings },
      { threads: 2, ...options },
    )
    running.push(application)
    await application.waitFor('running')
    return application
  }

  const inProcess = async (
    { id, stateDirectory }: Scene,
    settings: Partial<SettingsInput> = {},
    options: StartOptions = {},
  ): Promise<ThreadedApplication> => {
    const application = await start(
      countingOf(id),
      { bootstrapServers: brokers(), stateDirectory, ...quick, ...settings },
      options,
    )
    running.push(application)
    await application.waitFor('running')
    return application
  }

  /** All tasks, with nothing behind. */
  const settled = ({ tasks, inputs, connected }: ApplicationHealth): boolean =>
    connected && tasks.length === 8 && inputs.length === 8 && inputs.every(({ lag }) => lag === 0)

  it('the main thread reads the state of whichever thread has it', async () => {
    const stage = await scene()
    await using _client = stage.client
    const application = await inThreads(stage)
    const values = Array.from({ length: 20 }, (_, index) => `value-${index}`)
    await stage.write(...values, ...values)
    await stage.counted(Object.fromEntries(values.map((value) => [value, 2])))
    const { queries } = application
    const store = queries.tableStore<string, number>('events-by-value')
    await expect
      .poll(() => Promise.all(values.map(async (value) => (await store.get(value))?.value)))
      .toEqual(values.map(() => 2))
    const partitions = values.map((value) => queries.metadataForKey('events-by-value', value).partition)
    expect(new Set(partitions).size).toBeGreaterThan(2)
    const read = new Map<string, number>()
    for await (const [key, { value }] of store.all()) read.set(key, value)
    expect(read).toEqual(new Map(values.map((value) => [value, 2])))
  })

  it('two threads share the tasks, stand still together, and go on after a restart', async () => {
    const stage = await scene()
    await using _client = stage.client
    const first = await inThreads(stage, { groupInstanceId: 'here' })
    const { members } = await stage.client.admin.describeGroup(stage.topology)
    expect(new Set(members.map(({ groupInstanceId }) => groupInstanceId))).toEqual(
      new Set(['here-1', 'here-2']),
    )
    await stage.write('ada', 'bob', 'cy', 'ada', 'bob', 'ada')
    await stage.counted({ ada: 3, bob: 2, cy: 1 })
    await expect.poll(() => settled(first.health)).toBe(true)
    expect(new Set(first.tasks).size).toBe(8)
    await expect.poll(() => first.metrics.processedRecords).toBe(12)
    expect(first.inputTopics.external).toEqual([`events-${stage.id}`])

    first.pause()
    await first.waitFor('paused')
    await stage.write('ada', 'bob', 'cy', 'dee')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(first.metrics.processedRecords).toBe(12)
    first.resume()
    await stage.counted({ ada: 4, bob: 3, cy: 2, dee: 1 })
    await first.close()
    expect(first.state).toBe('closed')
    const slots = readdirSync(join(stage.stateDirectory, stage.topology)).toSorted()
    expect(slots).toEqual(['process-0', 'process-1'])

    await inThreads(stage, { groupInstanceId: 'here' })
    await stage.write('ada', 'bob')
    await stage.counted({ ada: 5, bob: 4, cy: 2, dee: 1 })
  })

  it('the module decides about the records that fail in its threads', async () => {
    const stage = await scene(`export const onFailedRecord = ({ stage, fault }) =>
      stage === 'processing' && fault.cause.message === 'this event throws' ? 'skip' : undefined`)
    await using _client = stage.client
    const warnings: string[] = []
    const application = await inThreads(stage, {}, { onWarning: (message) => warnings.push(message) })
    await stage.write('ada', 'throw', 'bob', 'throw', 'ada')
    await stage.counted({ ada: 2, bob: 1 })
    await expect
      .poll(() => application.metrics.dropped.filter(({ reason }) => reason === 'failed'))
      .toEqual([expect.objectContaining({ reason: 'failed', records: 2 })])
    expect(warnings.filter((message) => message.includes('this event throws'))).toHaveLength(2)
  })

  it('a module that exports something else under that name is told so', async () => {
    const stage = await scene(`export const onFailedRecord = 'skip'`)
    await using _client = stage.client
    await expect(inThreads(stage)).rejects.toThrow(
      `${String(stage.module)} exports onFailedRecord, but it is no function; export a function that takes a failed record, or call it something else`,
    )
  })

  it('a thread that ends is replaced, and goes on at the last commit', async () => {
    const stage = await scene()
    await using _client = stage.client
    const warnings: string[] = []
    const application = await inThreads(
      stage,
      { processingGuarantee: 'exactly_once', uncaughtFailure: 'replaceThread', transactionTimeoutMs: 1_000 },
      { onWarning: (message) => warnings.push(message) },
    )
    await stage.write('ada', 'bob')
    await stage.counted({ ada: 1, bob: 1 })
    const exit = `exit:${join(folder, unique('marker'))}`
    await stage.write('ada', exit, 'bob', 'cy')
    await stage.counted({ ada: 2, bob: 2, cy: 1, [exit]: 1 })
    expect(warnings.join('\n')).toMatch(/a stream thread failed and is replaced: .*-[12] has ended/)
    await application.waitFor('running')
  })

  it.each(['at_least_once', 'exactly_once'] as const)(
    'a member in this thread that fails is replaced too: %s',
    async (processingGuarantee) => {
      const stage = await scene()
      await using _client = stage.client
      const states: string[] = []
      const application = await inProcess(
        stage,
        { processingGuarantee, uncaughtFailure: 'replaceThread' },
        { onState: (state) => states.push(state) },
      )
      const bad = `throw:${join(folder, unique('marker'))}`
      await stage.write('ada', bad, 'bob')
      await stage.counted({ ada: 1, bob: 1, [bad]: 1 })
      await application.waitFor('running')
      expect(states).not.toContain('failed')
      expect(states.filter((state) => state === 'running').length).toBeGreaterThan(1)
    },
  )

  it('one thread’s failure is the application’s, with its code and its place', async () => {
    const stage = await scene()
    await using _client = stage.client
    const application = await inThreads(stage)
    await stage.write('throw')
    await application.waitFor('failed')
    expect(application.failure).toMatchObject({
      name: 'Fault',
      actor: 'record',
      place: { topic: stage.topology.replace('counting', 'events'), offset: 0 },
    })
    await application.close()
    expect(application.tasks).toEqual([])
  })

  it('a record that fails every member is not tried forever', async () => {
    const stage = await scene()
    await using _client = stage.client
    const warnings: string[] = []
    const application = await inProcess(
      stage,
      { uncaughtFailure: 'replaceThread', maxReplacementsPerMinute: 2 },
      { onWarning: (message) => warnings.push(message) },
    )
    await stage.write('throw')
    await application.waitFor('failed')
    expect(
      warnings.filter((message) => message.startsWith('a stream thread failed and is replaced')),
    ).toHaveLength(2)
    expect(warnings.at(-1)).toMatch(/more than 2 times within a minute/)
  })

  it('a function says what becomes of a failure, and sees it', async () => {
    const stage = await scene()
    await using _client = stage.client
    const seen: unknown[] = []
    await inProcess(
      stage,
      {},
      {
        onUncaughtFailure: (failure) => {
          seen.push(failure)
          return 'replaceThread'
        },
      },
    )
    const bad = `throw:${join(folder, unique('marker'))}`
    await stage.write('ada', bad)
    await stage.counted({ ada: 1, [bad]: 1 })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ name: 'Fault', actor: 'record' })
  })

  it.each(['stopApplication', 'stopClient'] as const)(
    '%s reaches whom it should',
    async (uncaughtFailure) => {
      const stage = await scene()
      await using _client = stage.client
      const one = await inProcess(stage, { uncaughtFailure })
      const other = await inProcess(stage, { uncaughtFailure: 'replaceThread' })
      await expect.poll(() => one.tasks.length + other.tasks.length).toBe(8)
      const marker = join(folder, unique('marker'))
      // Written until one of its partitions lies with `one`; the other replaces its member and goes on.
      for (let written = 0; one.state !== 'failed' && written < 100; written++) {
        await stage.write(`throw:${marker}-${written}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await one.waitFor('failed')
      expect(one.failure).toMatchObject({ actor: 'record' })
      if (uncaughtFailure === 'stopApplication') {
        await other.waitFor('failed')
        expect(other.failure).toMatchObject({ code: 'APPLICATION_STOPPED' })
        expect(String(other.failure)).toContain('this event throws')
      } else {
        await expect.poll(() => new Set(other.tasks).size).toBe(8)
        expect(other.state).not.toBe('failed')
      }
    },
  )

  it('a thread that hangs is ended when the time to close is over', async () => {
    const stage = await scene()
    await using _client = stage.client
    const application = await inThreads(stage)
    const marker = join(folder, unique('marker'))
    await stage.write(`hang:${marker}`)
    await expect.poll(() => readdirSync(folder).includes(marker.split('/').at(-1) as string)).toBe(true)
    await expect(application.close({ timeoutMs: 200 })).rejects.toMatchObject({ code: 'CLOSE_TIMED_OUT' })
    expect(application.state).toBe('closed')
  })

  it('a module without such a topology is refused', async () => {
    const stage = await scene()
    await using _client = stage.client
    const settings = { bootstrapServers: brokers(), stateDirectory: stage.stateDirectory }
    await expect(
      startThreads({ module: stage.module, topology: 'nobody' }, settings, { threads: 2 }),
    ).rejects.toThrow(/exports 'counting-.*'.*not one 'nobody'/)
    await expect(startThreads({ module: stage.module }, settings, { threads: 2 })).rejects.toMatchObject({
      code: 'TOPOLOGY_NOT_FOUND',
    })
  })
}
