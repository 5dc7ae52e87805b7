import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { parseSettings } from '../../src/app/settings.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { start, topic, topology } from '../../src/index.ts'
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
})
