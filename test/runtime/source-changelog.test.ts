import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
})
