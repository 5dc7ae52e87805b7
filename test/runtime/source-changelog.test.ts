import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

const people = topic('people', { value: string })
const heads = topic('heads', { value: long })

/** Counts people by city; the topic of people serves as the changelog of their table. */
const program = topology(
  'heads-by-city',
  (builder) => {
    builder
      .table(people, { store: 'people' })
      .groupBy((city, name) => ({ key: city, value: name }), { name: 'by-city', value: string })
      .count({ store: 'heads' })
      .toStream()
      .to(heads)
  },
  { optimise: true },
)

/** What the stores of the people know after a restart; one of the rows is no JSON. */
const Person = z.object({ city: z.string() })
const registered = topic('registered', { value: Person })
const registry = topology('registry', (builder) => void builder.table(registered, { store: 'registry' }), {
  optimise: true,
})

describe('a source topic that serves as a changelog', () => {
  let broker: RunningBroker
  const folder = mkdtempSync(join(tmpdir(), 'millrace-source-changelog-'))
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['kept on disk', 'lost'])(
    'is restored up to what was processed, and no further, where local state was %s',
    async (fate) => {
      const bootstrapServers = broker.bootstrapServers
      await using client = new TopicClient(bootstrapServers)
      const named = (name: string) => `${name}-${fate.replaceAll(' ', '-')}`
      const [input, output] = [
        { ...people, name: named('people') },
        { ...heads, name: named('heads') },
      ]
      await client.create(input, output)
      const copy = {
        ...program,
        name: named(program.name),
        nodes: program.nodes.map((node) => {
          if (node.kind === 'tableSource') return { ...node, topic: { ...node.topic, name: input.name } }
          return node.kind === 'sink' ? { ...node, topic: { ...heads, name: output.name } } : node
        }),
        stores: program.stores.map((store) =>
          store.changelogTopic === undefined ? store : { ...store, changelogTopic: input.name },
        ),
      }
      const stateOf = (run: number): string =>
        join(folder, named(fate === 'lost' ? `run-${run}` : 'all-runs'))
      const first = await start(copy, { bootstrapServers, stateDirectory: stateOf(1) })
      await client.write(input, [{ key: 'ada', value: 'Bern' }])
      await client.readUntil(output, (records) => records.length >= 1)
      await first.close()
      await client.write(input, [
        { key: 'bob', value: 'Bern' },
        { key: 'cy', value: 'Basel' },
      ])
      const second = await start(copy, { bootstrapServers, stateDirectory: stateOf(2) })
      const records = await client.readUntil(output, (each) => each.length >= 3)
      await second.close()
      expect(latestByKey(records)).toEqual(
        new Map([
          ['Bern', 2],
          ['Basel', 1],
        ]),
      )
      expect(await client.admin.listTopics()).not.toContain(`${copy.name}-people-changelog`)
    },
  )

  it.each(['memory', 'disk'] as const)(
    'is restored without the rows that deserializationFailure leaves out, in a store on %s',
    async (storage) => {
      const bootstrapServers = broker.bootstrapServers
      const name = `registry-${storage}`
      const input = { ...registered, name: `registered-${storage}` }
      const copy = {
        ...registry,
        name,
        nodes: registry.nodes.map((node) => (node.kind === 'tableSource' ? { ...node, topic: input } : node)),
        stores: registry.stores.map((store) => ({ ...store, storage, changelogTopic: input.name })),
      }
      await using client = new TopicClient(bootstrapServers)
      await client.create(input)
      await client.write(input, [{ key: 'ada', value: { city: 'Bern' } }])
      await client.write({ ...input, value: string }, [{ key: 'ada', value: 'no JSON' }])
      await client.write(input, [{ key: 'bob', value: { city: 'Basel' } }])
      const run = async (number: number, deserializationFailure: 'skip' | 'fail') => {
        const stateDirectory = join(folder, `${name}-${number}`)
        const settings = { bootstrapServers, stateDirectory, deserializationFailure }
        const application = await start(copy, settings, { logger: false })
        application.done.catch(() => undefined)
        await application.waitFor('running')
        await vi.waitFor(
          async () => expect(await application.queries.tableStore('registry').get('bob')).not.toBeNull(),
          { timeout: 5_000 },
        )
        const ada = await application.queries.tableStore('registry').get('ada')
        await application.close()
        return ada
      }
      expect(await run(1, 'skip')).toMatchObject({ value: { city: 'Bern' } })
      expect(await run(2, 'skip')).toMatchObject({ value: { city: 'Bern' } })
      await expect(run(3, 'fail')).rejects.toThrow(/topic registered-\w+, partition 0, offset 1/)
    },
  )
})
