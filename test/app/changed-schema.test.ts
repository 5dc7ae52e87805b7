import { beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Application } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'

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
  const local = useLocalBroker()
  beforeAll(() => local.client.create(inputs))

  const run = (value: z.ZodType): Promise<Application> =>
    start(counting(value), {
      bootstrapServers: local.broker.bootstrapServers,
      stateDirectory: local.folder,
      processingFailure: 'skip',
      deserializationFailure: 'skip',
    })

  it('stops the task at a row of the old schema, and no record is left out for it', async () => {
    const before = await run(z.object({ n: z.number() }))
    await before.waitFor('running')
    await local.client.write(inputs, [{ key: 'k', value: 'v' }])
    await expect.poll(() => before.metrics.processedRecords, { interval: 5 }).toBe(1)
    await before.close()

    const after = await run(z.object({ n: z.number(), currency: z.string() }))
    await local.client.write(inputs, [{ key: 'k', value: 'v' }])
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
