import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { start, string, topic, topology } from '../../src/index.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { TopicClient } from '../support/topic-client.ts'

const orders = topic('orders', { value: string })
const copies = topic('copies', { value: string })
const copying = topology('copying', (builder) => builder.stream(orders).to(copies))

const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-pace-'))
let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(async () => {
  await broker.close()
  rmSync(stateDirectory, { recursive: true, force: true })
})

it('at least once, results of an input that trickles in go out one by one, and share commits', async () => {
  const { bootstrapServers } = broker
  await using client = new TopicClient(bootstrapServers)
  await client.create(orders, copies)
  const settings = { bootstrapServers, applicationId: 'pace', stateDirectory }
  const application = await start(copying, settings, { logger: false })
  await client.write(orders, [{ key: 'k', value: 'first' }])
  await expect.poll(() => application.health.inputs[0]?.lag).toBe(0)
  const before = application.metrics.commits
  const startMs = performance.now()
  for (let index = 1; index <= 40; index++) {
    await client.write(orders, [{ key: 'k', value: String(index) }])
    await client.readUntil(copies, (records) => records.length === index + 1)
  }
  const elapsedMs = performance.now() - startMs
  const commits = application.metrics.commits - before
  expect(commits).toBeLessThanOrEqual(elapsedMs / 20 + 2)
  await expect.poll(() => application.metrics.commits).toBeGreaterThan(before)
  await application.close()
})
