import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { bytes, nullable, start, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'

/** What an application has in memory of its input has a bound, also where nothing is processed. */
const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-input-'))
let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(async () => {
  await broker.close()
  rmSync(stateDirectory, { recursive: true, force: true })
})

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))

/** The largest offset that a fetch has asked for, once no fetch asks for more. */
const furthestFetch = async (): Promise<number> => {
  let furthest = 0
  let requests = 0
  const stop = broker.core.onRequest('Fetch', ({ request }) => {
    requests++
    const { topics } = request as {
      readonly topics: readonly {
        readonly partitions: readonly { readonly fetchOffset: bigint | number }[]
      }[]
    }
    for (const { partitions } of topics)
      for (const { fetchOffset } of partitions) furthest = Math.max(furthest, Number(fetchOffset))
    return undefined
  })
  for (let before = -1; before !== requests; await pause(200)) before = requests
  stop()
  return furthest
}

it('a paused application reads no more than its input buffer takes, and the rest once it goes on', async () => {
  const input = topic('large', { key: nullable(bytes), value: bytes })
  await using client = new TopicClient(broker.bootstrapServers)
  await client.create({ name: 'large', partitions: 1 })
  let count = 0
  const program = topology('counting', (builder) => builder.stream(input).forEach(() => void count++))
  const application = await start(
    program,
    { bootstrapServers: broker.bootstrapServers, stateDirectory, inputBufferMaxBytes: 1_000_000 },
    { logger: false },
  )
  application.pause()
  const records = Array.from({ length: 30 }, () => ({ key: null, value: new Uint8Array(300_000) }))
  const [furthest] = await Promise.all([furthestFetch(), client.write(input, records)])
  expect(count).toBe(0)
  expect(furthest).toBeLessThan(20)
  application.resume()
  await expect.poll(() => count, { timeout: 10_000 }).toBe(30)
  await application.close()
})
