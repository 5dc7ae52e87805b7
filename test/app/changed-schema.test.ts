import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { Application } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'

const inputs = topic('inputs', { value: string })

const counting = (value: z.ZodType) =>
  topology(
    'counting',
    (builder) =>
      void builder
        .stream(inputs)
        .groupByKey()
        .aggregate<{ n: number; currency: string }>({
          store: 'totals',
          value: value as never,
          initial: () => ({ n: 0, currency: 'EUR' }),
          add: (total) => ({ ...total, n: total.n + 1 }),
        }),
  )

describe('a store whose schema has changed', () => {
  let broker: RunningBroker
  let client: TopicClient
  const folder = mkdtempSync(join(tmpdir(), 'millrace-schema-'))
  beforeAll(async () => {
    broker = await startBroker()
    client = new TopicClient(broker.bootstrapServers)
    await client.create(inputs)
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = (value: z.ZodType): Promise<Application> =>
    start(counting(value), {
      bootstrapServers: broker.bootstrapServers,
      stateDirectory: folder,
      processingFailure: 'skip',
      deserializationFailure: 'skip',
    })

  it('stops the task at a row of the old schema, and no record is left out for it', async () => {
    const before = await run(z.object({ n: z.number() }))
    await before.waitFor('running')
    await client.write(inputs, [{ key: 'k', value: 'v' }])
    await expect.poll(() => before.metrics.processedRecords, { interval: 5 }).toBe(1)
    await before.close()

    const after = await run(z.object({ n: z.number(), currency: z.string() }))
    await client.write(inputs, [{ key: 'k', value: 'v' }])
    await expect(after.done).rejects.toMatchObject({
      code: 'STORE_ROW_UNREADABLE',
      place: { store: 'totals' },
      contents: expect.objectContaining({ key: '"k"' }),
      message: expect.stringContaining("store 'totals' cannot read a row"),
    })
    expect(after.metrics.dropped).toEqual([])
    await after.close().catch(() => undefined)
  })
})
