import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { resetGroup } from '../../src/app/reset.ts'
import type { Application, Topology } from '../../src/index.ts'
import { long, reset, start, string, topic, topology } from '../../src/index.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

/** What a reset owes its users, on whatever broker. */
export const resetSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-reset-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A count over a repartition topic, which has counted `ada` twice and `bob` once before it stopped. */
  const counted = async (client: TopicClient) => {
    const words = topic(unique('words'), { key: string, value: string })
    const counts = topic(unique('counts'), { value: long })
    const program = topology(unique('counting'), (builder) => {
      builder
        .stream(words)
        .groupBy(({ value }) => value, { name: 'by-word' })
        .count({ store: 'counts' })
        .toStream()
        .to(counts)
    })
    const settings = { bootstrapServers: brokers(), stateDirectory: join(folder, unique('state')) }
    await client.create(words, counts)
    const records = ['ada', 'bob', 'ada'].map((value, index) => ({
      key: 'k',
      value,
      timestamp: 1_000 * index,
    }))
    await client.write(words, records)
    const run = async (): Promise<Application> => {
      const application = await start(program, settings)
      await application.waitFor('running')
      return application
    }
    const application = await run()
    await client.readUntil(counts, (each) => each.length >= 3)
    return { words, counts, program, settings, run, application }
  }

  const internalTopicsOf = ({ name }: Topology): readonly string[] => [
    `${name}-by-word-repartition`,
    `${name}-counts-changelog`,
  ]

  it('tells what it would do, and does nothing, until told to', async () => {
    await using client = new TopicClient(brokers())
    const { words, program, settings, application } = await counted(client)
    await application.close()
    const directory = join(settings.stateDirectory, program.name)
    const plan = {
      applicationId: program.name,
      offsets: [{ topic: words.name, partition: 0, from: 3, to: 0 }],
      deletedTopics: internalTopicsOf(program),
      deletedStateDirectory: directory,
      executed: false,
    }
    expect(await reset(program, settings)).toEqual(plan)
    expect(await resetGroup(program.name, settings)).toEqual(plan)
    expect((await client.admin.groupOffsets(program.name)).get(`${words.name}-0`)?.offset).toBe(3)
    expect(await client.admin.listTopics()).toEqual(expect.arrayContaining([...plan.deletedTopics]))
    expect(existsSync(directory)).toBe(true)
  })

  it.each([
    ['inputTopics', 'no input topic of this application'],
    ['internalTopics', 'no internal topic of this application'],
  ])('touches no topic of others that is named in %s', async (option, message) => {
    await using client = new TopicClient(brokers())
    const { counts, program, settings, application } = await counted(client)
    await application.close()
    const options = { [option]: [counts.name], execute: true }
    await expect(reset(program, settings, options)).rejects.toThrow(`'${counts.name}' is ${message}`)
    await expect(resetGroup(program.name, settings, options)).rejects.toThrow(message)
    expect(await client.admin.listTopics()).toEqual(
      expect.arrayContaining([counts.name, ...internalTopicsOf(program)]),
    )
  })

  it('lets an application start again: it counts from nothing, over all its input', async () => {
    await using client = new TopicClient(brokers())
    const { counts, program, settings, run, application } = await counted(client)
    await application.close()
    const { executed } = await reset(program, settings, { execute: true })
    expect(executed).toBe(true)
    expect(existsSync(join(settings.stateDirectory, program.name))).toBe(false)
    const left = await client.admin.listTopics()
    expect(left.filter((name) => internalTopicsOf(program).includes(name))).toEqual([])

    const again = await run()
    const records = await client.readUntil(counts, (each) => each.length >= 6)
    await again.close()
    expect(records).toHaveLength(6)
    expect(latestByKey(records)).toEqual(
      new Map([
        ['ada', 2],
        ['bob', 1],
      ]),
    )
  })

  it('finds the offsets of a time, of so long ago, of an end, and keeps an offset within what there is', async () => {
    await using client = new TopicClient(brokers())
    const { program, settings, application } = await counted(client)
    await application.close()
    const to = async (target: NonNullable<Parameters<typeof reset>[2]>['to']): Promise<number | undefined> =>
      (await reset(program, settings, target === undefined ? {} : { to: target })).offsets[0]?.to
    expect(await to('latest')).toBe(3)
    expect(await to({ datetimeMs: 1_500 })).toBe(2)
    expect(await to({ datetimeMs: 5_000 })).toBe(3)
    expect(await to({ durationMs: 60_000 })).toBe(3)
    expect(await to({ offset: 1 })).toBe(1)
    expect(await to({ offset: 99 })).toBe(3)
  })

  it('refuses while the application runs, and names its members', async () => {
    await using client = new TopicClient(brokers())
    const { program, settings, application } = await counted(client)
    await expect(reset(program, settings)).rejects.toThrow(
      new RegExp(
        `'${program.name}' can't be reset while it runs; its group has 1 live member: ${program.name} at`,
      ),
    )
    await application.close()
    expect((await reset(program, settings)).executed).toBe(false)
  })

  it('deletes no topic of an application whose id begins with this one, nor any it does not know', async () => {
    await using client = new TopicClient(brokers())
    const { words, program, settings, application } = await counted(client)
    await application.close()
    const neighbour = `${program.name}-two`
    const theirs = `${neighbour}-counts-changelog`
    await client.create({ name: theirs })
    await client.admin.alterGroupOffsets(neighbour, [{ topic: words.name, partition: 0, offset: 1 }])
    expect((await resetGroup(program.name, settings)).deletedTopics).toEqual(internalTopicsOf(program))
    expect((await reset(program, settings)).deletedTopics).toEqual(internalTopicsOf(program))
    await expect(reset(program, settings, { internalTopics: [theirs] })).rejects.toMatchObject({
      code: 'TOPIC_NOT_INTERNAL',
    })
  })
}
