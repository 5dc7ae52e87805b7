import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { parseSettings } from '../../src/app/settings.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { long, start, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'

describe('freezeState', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  const folder = mkdtempSync(join(tmpdir(), 'millrace-freeze-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(() => vi.unstubAllEnvs())

  it.each([
    ['production', false],
    ['development', true],
    ['test', true],
    ['', true],
  ])('defaults to the environment: NODE_ENV=%s', (environment, expected) => {
    vi.stubEnv('NODE_ENV', environment)
    expect(parseSettings({ bootstrapServers: 'localhost:9092' }).freezeState).toBe(expected)
    expect(parseSettings({ bootstrapServers: 'localhost:9092', freezeState: true }).freezeState).toBe(true)
  })

  it.each(['disk', 'memory', 'global'] as const)(
    'freezes what callbacks get of a store: %s',
    async (storage) => {
      await using client = new TopicClient(broker.bootstrapServers)
      const boxes = topic(`boxes-${storage}`, { value: z.object({ items: z.array(z.number()) }) })
      const asked = topic(`asked-${storage}`, { value: z.object({ items: z.array(z.number()) }) })
      const program = topology(`frozen-${storage}`, (builder) => {
        const spoil = (_value: unknown, row: { items: number[] }): number => row.items.push(100)
        const stream = builder.stream(asked)
        if (storage === 'global')
          stream.join(builder.globalTable(boxes, { store: 'rows' }), ({ key }) => key, spoil)
        else stream.join(builder.table(boxes, { store: 'rows', storage }), spoil)
      })
      await client.create(boxes)
      await client.create(asked)
      await client.write(boxes, [{ key: 'k', value: { items: [1] } }])
      const application = await start(
        program,
        { bootstrapServers: broker.bootstrapServers, stateDirectory: join(folder, storage) },
        { logger: false },
      )
      const failed = application.done.catch((error: unknown) => String(error))
      await application.waitFor('running')
      await client.write(asked, [{ key: 'k', value: { items: [] } }])
      expect(await failed).toMatch(/not extensible.*freezeState/)
      await application.close()
    },
  )

  it.each([
    ['disk', false],
    ['memory', false],
    ['disk', true],
  ] as const)(
    'an aggregator that adds in place leaves the row as it was where it throws: %s, frozen %s',
    async (storage, freezeState) => {
      await using client = new TopicClient(broker.bootstrapServers)
      const Box = z.object({ items: z.array(z.number()) })
      const name = `in-place-${storage}-${freezeState}`
      const numbers = topic(`${name}-numbers`, { value: long })
      const all = topic(`${name}-all`, { value: Box })
      const program = topology(name, (builder) => {
        const push = (box: z.infer<typeof Box>, items: readonly number[]): z.infer<typeof Box> => {
          for (const item of items) {
            box.items.push(item)
            if (item === 13) throw new Error('unlucky')
          }
          return box
        }
        builder
          .stream(numbers)
          .groupByKey()
          .aggregate({
            store: 'boxes',
            storage,
            value: Box,
            initial: { items: [] },
            add: (box, value) => push(box, [value]),
          })
          .groupBy((box) => ({ key: 'all', value: box }), { name: 'all', value: Box })
          .aggregate({
            store: 'all',
            storage,
            value: Box,
            initial: { items: [] },
            add: (box, { items }) => push(box, items),
            subtract: (box, { items }) => {
              for (const item of items) box.items.splice(box.items.indexOf(item), 1)
              return box
            },
          })
          .toStream()
          .to(all)
      })
      await client.create(numbers, all)
      const application = await start(
        program,
        {
          bootstrapServers: broker.bootstrapServers,
          stateDirectory: join(folder, name),
          processingFailure: 'skip',
          freezeState,
        },
        { logger: false },
      )
      const written = [
        ['a', 1],
        ['a', 13],
        ['b', 2],
        ['a', 3],
        ['b', 13],
        ['c', 13],
        ['b', 4],
      ] as const
      await client.write(
        numbers,
        written.map(([key, value]) => ({ key, value })),
      )
      const sums = await client.readUntil(all, (records) =>
        records.some(({ value }) => value?.items.length === 4),
      )
      expect(sums.at(-1)?.value?.items.toSorted()).toEqual([1, 2, 3, 4])
      const rows = application.queries.tableStore<string, z.infer<typeof Box>>('boxes')
      expect(await rows.get('a')).toMatchObject({ value: { items: [1, 3] } })
      expect(await rows.get('b')).toMatchObject({ value: { items: [2, 4] } })
      expect(await rows.get('c')).toBeNull()
      await application.close()
    },
  )
})
