import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { Application, SettingsInput, Topology } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import type { ReadOnlyKeyValueStore } from '../../src/state/store.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

/** What an application owes its users when the topics that it reads change while it runs: on whatever broker. */
export const topicsSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-topics-'))
  const running: Application[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((application) => application.close()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const run = async (
    program: Topology,
    settings: Partial<SettingsInput> = {},
    warnings: string[] = [],
  ): Promise<Application> => {
    const application = await start(
      program,
      {
        bootstrapServers: brokers(),
        stateDirectory: join(folder, program.name),
        heartbeatIntervalMs: 50,
        sessionTimeoutMs: 6_000,
        metadataMaxAgeMs: 50,
        ...settings,
      },
      { onWarning: (message) => void warnings.push(message) },
    )
    running.push(application)
    await application.waitFor('running')
    return application
  }

  const patient = { timeout: 20_000 }
  const records = (...keys: readonly string[]) => keys.map((key) => ({ key, value: 'x' }))
  const named = (name: string, partitions = 1) => topic(name, { value: string, partitions })

  /** Counts by key what is in all topics that begin with a name. */
  const gathering = () => {
    const prefix = unique('shop')
    const counts = topic(`${unique('gathered')}-counts`, { value: long })
    const program = topology(unique('gathering'), (builder) => {
      builder
        .streamMatching(new RegExp(`${prefix}\\.\\w+`), { key: string, value: string })
        .groupByKey()
        .count({ store: 'by-key' })
        .toStream()
        .to(counts)
    })
    return { prefix, counts, program }
  }

  it('a pattern that matches what the application writes, its dead letters included, is refused at the start', async () => {
    const prefix = unique('events')
    const reading = (sink: string): Topology =>
      topology(unique('looping'), (builder) =>
        builder.streamMatching(new RegExp(`${prefix}\\..*`), { key: string, value: string }).to(named(sink)),
      )
    await expect(run(reading(`${prefix}.all`))).rejects.toMatchObject({ code: 'PATTERN_MATCHES_SINK' })
    const deadLetterTopic = `${prefix}.dead`
    await expect(run(reading(unique('other')), { deadLetterTopic })).rejects.toMatchObject({
      code: 'PATTERN_MATCHES_SINK',
    })
  })

  it.each(['at_least_once', 'exactly_once'] as const)(
    'a new topic that a pattern matches is read by all members, whoever has noticed it: %s',
    async (processingGuarantee) => {
      const { prefix, counts, program } = gathering()
      const here = named(`${prefix}.here`, 2)
      const there = named(`${prefix}.there`, 2)
      const late = named(`${prefix}.late`, 2)
      await using client = new TopicClient(brokers())
      await client.create(here, counts)
      const unaware = { processingGuarantee, metadataMaxAgeMs: 300_000 }
      const one = await run(program, unaware)
      const other = await run(program, { processingGuarantee })
      await client.write(here, records('ada', 'bob', 'cy'))
      await client.create(there, { name: `${prefix}.no.match` })
      await client.write(there, records('ada', 'bob', 'ada'))
      await client.create(late)
      await client.write(late, records('ada', 'dee'))
      const told = await client.readUntil(counts, (each) => {
        const latest = latestByKey(each)
        return (latest.get('ada') ?? 0) >= 4 && (latest.get('bob') ?? 0) >= 2 && latest.has('dee')
      })
      expect(latestByKey(told)).toEqual(
        new Map([
          ['ada', 4],
          ['bob', 2],
          ['cy', 1],
          ['dee', 1],
        ]),
      )
      const read = [here, late, there].map((each) => each.name)
      for (const application of [one, other])
        await expect.poll(() => application.inputTopics.external, patient).toEqual(read)
      await expect.poll(() => [...one.tasks, ...other.tasks].toSorted(), patient).toEqual(['0_0', '0_1'])
      expect([one.state, other.state]).toEqual(['running', 'running'])
    },
  )

  it('a topic that is deleted leaves, and the others go on', async () => {
    const { prefix, counts, program } = gathering()
    const [stays, goes] = [named(`${prefix}.stays`, 2), named(`${prefix}.goes`, 2)]
    await using client = new TopicClient(brokers())
    await client.create(stays, goes, counts)
    const application = await run(program, { metadataMaxAgeMs: 300_000 })
    await client.write(goes, records('ada', 'bob', 'cy'))
    await client.write(stays, records('ada'))
    await client.readUntil(
      counts,
      (each) => latestByKey(each).get('ada') === 2 && latestByKey(each).size === 3,
    )
    await expect.poll(() => application.health.inputs.map(({ lag }) => lag), patient).toEqual([0, 0, 0, 0])
    await client.admin.deleteTopics([goes.name])
    await expect.poll(() => application.inputTopics.external, patient).toEqual([stays.name])
    await client.write(stays, records('ada', 'bob'))
    await client.readUntil(counts, (each) => latestByKey(each).get('ada') === 3)
    expect(application.state).toBe('running')
    expect(application.tasks.toSorted()).toEqual(['0_0', '0_1'])
  })

  it('a stateless topology reads the partitions that a topic has got', async () => {
    const source = named(unique('grows'))
    const sink = topic(unique('grown'), { value: string })
    const program = topology(unique('copying'), (builder) => builder.stream(source).to(sink))
    await using client = new TopicClient(brokers())
    await client.create(source, sink)
    const application = await run(program)
    await client.admin.createPartitions(source.name, 3)
    await expect.poll(() => application.tasks.toSorted(), patient).toEqual(['0_0', '0_1', '0_2'])
    await using fresh = new TopicClient(brokers())
    await fresh.write(source, records('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
    const copied = await fresh.readUntil(sink, (each) => each.length >= 8)
    expect(copied).toHaveLength(8)
    expect(application.health.inputs.filter(({ offset }) => offset > 0).length).toBeGreaterThan(1)
  })

  it('a topology with state stops when its input has got more partitions than its state, and says why', async () => {
    const source = named(unique('grows'))
    const counts = topic(unique('counts'), { value: long })
    const program = topology(unique('counting'), (builder) => {
      builder.stream(source).groupByKey().count({ store: 'by-key' }).toStream().to(counts)
    })
    await using client = new TopicClient(brokers())
    await client.create(source, counts)
    const application = await run(program)
    await client.admin.createPartitions(source.name, 3)
    await application.waitFor('failed')
    expect(application.failure).toMatchObject({ code: 'INTERNAL_TOPIC_SIZE', actor: 'author' })
    expect(String(application.failure)).toMatch(/by-key-changelog' has 1 partitions.* 3 now.*millrace reset/)
    await expect(run(program)).rejects.toMatchObject({ code: 'INTERNAL_TOPIC_SIZE' })
  })
  it.each([true, false])(
    'a table whose topic is its changelog stops when the topic gets partitions, while it runs (%s) or is away',
    async (isRunning) => {
      const source = named(unique('rows'))
      const program = topology(
        unique('optimised'),
        (builder) => void builder.table(source, { store: 'rows' }),
        {
          optimise: true,
        },
      )
      await using client = new TopicClient(brokers())
      await client.create(source)
      const application = await run(program)
      await client.write(source, records('a', 'b'))
      await expect.poll(() => application.health.inputs.map(({ offset }) => offset), patient).toEqual([2])
      if (!isRunning) await application.close()
      await client.admin.createPartitions(source.name, 3)
      const grown = {
        code: 'INTERNAL_TOPIC_SIZE',
        actor: 'author',
        place: { topic: source.name, store: 'rows' },
      }
      if (isRunning) {
        await application.waitFor('failed')
        expect(application.failure).toMatchObject(grown)
      }
      await expect(run(program)).rejects.toMatchObject(grown)
    },
  )

  it('state over several inputs stops when the smaller one gets partitions, as its keys move', async () => {
    const prefix = unique('sizes')
    const [large, small] = [named(`${prefix}.large`, 3), named(`${prefix}.small`, 1)]
    const program = topology(unique('sized'), (builder) => {
      builder
        .streamMatching(new RegExp(`${prefix}\\..*`), { key: string, value: string })
        .groupByKey()
        .count({ store: 'by-key' })
    })
    await using client = new TopicClient(brokers())
    await client.create(large, small)
    const application = await run(program)
    await client.admin.createPartitions(small.name, 3)
    await application.waitFor('failed')
    expect(application.failure).toMatchObject({ code: 'INTERNAL_TOPIC_SIZE', place: { topic: small.name } })
  })

  it('inputs that are joined stop when one of them gets partitions', async () => {
    const [left, right] = [named(unique('left')), named(unique('right'))]
    const program = topology(unique('joining'), (builder) => {
      const table = builder.table(right, { store: 'right' })
      builder
        .stream(left)
        .join(table, (value, other) => `${value}${other}`)
        .forEach(() => {})
    })
    await using client = new TopicClient(brokers())
    await client.create(left, right)
    const application = await run(program)
    await client.admin.createPartitions(left.name, 3)
    await application.waitFor('failed')
    expect(application.failure).toMatchObject({ code: 'COPARTITION_MISMATCH' })
  })

  it('a global table reads the partitions that its topic has got', async () => {
    const rows = named(unique('rows'))
    const source = named(unique('keys'))
    const program = topology(unique('looking-up'), (builder) => {
      const table = builder.globalTable(rows, { store: 'all-rows' })
      builder
        .stream(source)
        .join(
          table,
          ({ key }) => key,
          (_, row) => row,
        )
        .forEach(() => {})
    })
    await using client = new TopicClient(brokers())
    await client.create(rows, source)
    const warnings: string[] = []
    const application = await run(program, {}, warnings)
    await client.admin.createPartitions(rows.name, 3)
    await using fresh = new TopicClient(brokers())
    await fresh.write(rows, records('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
    const store = application.store('all-rows', 0) as unknown as ReadOnlyKeyValueStore<string, unknown>
    await expect.poll(() => Array.from(store.all()).length, patient).toBe(8)
    expect(application.state).toBe('running')
    expect(warnings).toEqual([expect.stringContaining(`'${rows.name}' has 3 partitions now, not 1`)])
  })
}
