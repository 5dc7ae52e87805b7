import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { Application, SettingsInput, Topic, Topology } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import type { EventFields } from '../../src/runtime/runtime-settings.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

type Warning = readonly [message: string, fields: EventFields | undefined]

/** What is reported where the group does not have the offset of an input, or has that of an earlier topic: on whatever broker. */
export const lostOffsetsSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-offsets-'))
  const running: Application[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((application) => application.close()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const run = async (
    program: Topology,
    settings: Partial<SettingsInput> = {},
  ): Promise<Application & { readonly warnings: readonly Warning[] }> => {
    const warnings: Warning[] = []
    const application = await start(
      program,
      {
        bootstrapServers: brokers(),
        stateDirectory: join(folder, program.name),
        commitIntervalMs: 50,
        metadataMaxAgeMs: 50,
        ...settings,
      },
      { onWarning: (message, fields) => void warnings.push([message, fields]) },
    )
    running.push(application)
    await application.waitFor('running')
    return Object.assign(application, { warnings })
  }
  const codes = (warnings: readonly Warning[]): readonly (string | undefined)[] =>
    warnings.map(([, fields]) => fields?.code)

  const counting = () => {
    const input = topic(unique('words'), { value: string })
    const counts = topic(unique('counts'), { value: long })
    const program = topology(unique('counting'), (builder) => {
      builder.stream(input).groupByKey().count({ store: 'by-word' }).toStream().to(counts)
    })
    return { input, counts, program }
  }
  const words = (...keys: readonly string[]) => keys.map((key) => ({ key, value: 'x' }))
  const untilCounted = (client: TopicClient, counts: Topic<string, number>, key: string, count: number) =>
    client.readUntil(counts, (records) => latestByKey(records).get(key) === count)
  /** A program that has counted and committed two records, and still runs. */
  const countedTwo = async (client: TopicClient) => {
    const { input, counts, program } = counting()
    await client.create(input, counts)
    const first = await run(program)
    await client.write(input, words('a', 'a'))
    await untilCounted(client, counts, 'a', 2)
    return { input, counts, program, first }
  }
  const recreate = async (client: TopicClient, name: string): Promise<void> => {
    await client.admin.deleteTopics([name])
    await expect
      .poll(
        () =>
          client.create({ name }).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
  }

  it.each([
    ['earliest', 'counted twice', 3],
    ['latest', 'skipped', 2],
  ] as const)(
    'an application with state whose group has no offset any more begins at %s with a warning',
    async (autoOffsetReset, consequence, count) => {
      const { input, counts, program } = counting()
      await using client = new TopicClient(brokers())
      await client.create(input, counts)
      const first = await run(program)
      expect(first.warnings).toEqual([])
      await client.write(input, words('a'))
      await untilCounted(client, counts, 'a', 1)
      await first.close()
      await expect
        .poll(
          () =>
            client.admin.deleteGroup(program.name).then(
              () => true,
              () => false,
            ),
          { timeout: 20_000 },
        )
        .toBe(true)
      const second = await run(program, { autoOffsetReset })
      expect(second.warnings).toEqual([
        [
          expect.stringMatching(new RegExp(`no committed offset.*at its ${autoOffsetReset}.*${consequence}`)),
          { code: 'OFFSET_EXPIRED', topic: input.name, partition: 0, task: '0_0' },
        ],
      ])
      await client.write(input, words('a'))
      await untilCounted(client, counts, 'a', count)
    },
  )

  it.each(['at_least_once', 'exactly_once'] as const)(
    'a record that fails before the first commit is read again from where its input began: latest, %s',
    async (processingGuarantee) => {
      const [input, output] = [
        topic(unique('calls'), { value: string }),
        topic(unique('done'), { value: string }),
      ]
      let calls = 0
      const program = topology(unique('calling'), (builder) => {
        builder
          .stream(input)
          .peek(() => {
            if (calls++ === 0) throw new Error('not yet')
          })
          .to(output)
      })
      await using client = new TopicClient(brokers())
      await client.create(input, output)
      await client.write(input, words('before'))
      await run(program, {
        autoOffsetReset: 'latest',
        processingGuarantee,
        processingRetryAttempts: 1,
        processingRetryBackoffMs: 0,
      })
      await client.write(input, words('a', 'b'))
      const records = await client.readUntil(output, (read) => read.length >= 2)
      expect(records.map(({ key }) => key)).toEqual(['a', 'b'])
    },
  )

  it('records that come while the application is away are read, also from an input that had none before', async () => {
    const { input, counts, program } = counting()
    await using client = new TopicClient(brokers())
    await client.create(input, counts)
    await client.write(input, words('before'))
    const first = await run(program, { autoOffsetReset: 'latest' })
    await first.close()
    await client.write(input, words('a'))
    const second = await run(program, { autoOffsetReset: 'latest' })
    expect(latestByKey(await untilCounted(client, counts, 'a', 1))).toEqual(new Map([['a', 1]]))
    expect(second.warnings).toEqual([])
  })

  it.each([
    ['earliest', ['a', 'kept', 'later']],
    ['latest', ['a', 'later']],
  ] as const)(
    'an application whose committed offset was deleted while it was away goes on at %s with a warning',
    async (autoOffsetReset, expected) => {
      await using client = new TopicClient(brokers())
      const { input, counts, program, first } = await countedTwo(client)
      await first.close()
      await client.write(input, words('deleted', 'deleted', 'kept'))
      await client.admin.deleteRecords([{ topic: input.name, partition: 0, offset: 4 }])
      const second = await run(program, { autoOffsetReset })
      await expect.poll(() => second.warnings).toHaveLength(1)
      expect(second.warnings).toEqual([
        [
          expect.stringMatching(new RegExp(`no offset 2 .*${autoOffsetReset}`)),
          { code: 'OFFSET_RESET', topic: input.name, partition: 0, offset: 2, task: '0_0' },
        ],
      ])
      // The end of the input is asked for after the warning, and counts as its latest offset then.
      const counted = async (): Promise<readonly string[]> => {
        await client.write(input, words('later'))
        return [...latestByKey(await client.readAll(counts)).keys()]
      }
      await expect.poll(counted).toContain('later')
      expect((await counted()).toSorted()).toEqual(expected)
    },
  )

  it('an application whose committed offset was deleted fails where autoOffsetReset is none, and names the remedy', async () => {
    await using client = new TopicClient(brokers())
    const { input, program, first } = await countedTwo(client)
    await first.close()
    await client.write(input, words('deleted'))
    await client.admin.deleteRecords([{ topic: input.name, partition: 0, offset: 3 }])
    const second = await run(program, { autoOffsetReset: 'none' })
    await expect(second.done).rejects.toThrow(/no offset 2 .*autoOffsetReset.*millrace reset/)
  })

  it('an input that is deleted and created again is read from its beginning with a warning, and its offsets are committed', async () => {
    await using client = new TopicClient(brokers())
    const { input, counts, program, first } = await countedTwo(client)
    first.pause()
    await recreate(client, input.name)
    await using fresh = new TopicClient(brokers())
    await fresh.write(input, words('b', 'b', 'b', 'b'))
    first.resume()
    await untilCounted(client, counts, 'b', 4)
    await expect.poll(() => codes(first.warnings)).toContain('TOPIC_RECREATED')
    const [message] = first.warnings.find(([, fields]) => fields?.code === 'TOPIC_RECREATED') as Warning
    expect(message).toMatch(/created again .* offset 2 .* earliest offset/)
    await first.close()
    const committed = await client.admin.groupOffsets(program.name)
    expect([...committed.values()].map(({ offset }) => offset)).toEqual([4])
    const second = await run(program)
    expect(second.warnings).toEqual([])
    await fresh.write(input, words('b'))
    await untilCounted(client, counts, 'b', 5)
  })

  it('an offset that was committed for an earlier topic of the same name is not used after a restart', async () => {
    await using client = new TopicClient(brokers())
    const { input, counts, program, first } = await countedTwo(client)
    await first.close()
    const committed = [...(await client.admin.groupOffsets(program.name)).values()]
    await recreate(client, input.name)
    await using fresh = new TopicClient(brokers())
    await fresh.write(input, words('b', 'b', 'b', 'b'))
    // A commit that was on its way while the topic was deleted.
    await fresh.admin.alterGroupOffsets(program.name, committed)
    const second = await run(program)
    expect(second.warnings).toEqual([
      [
        expect.stringMatching(/since offset 2 was committed.*earliest offset.*counted twice/),
        { code: 'TOPIC_RECREATED', topic: input.name, partition: 0, offset: 2, task: '0_0' },
      ],
    ])
    await untilCounted(client, counts, 'b', 4)
  })
}
