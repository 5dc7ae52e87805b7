import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import { threadsSuite } from './threads.suite.ts'

describe('worker threads on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  threadsSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )

  it('millrace run --threads runs them, and SIGTERM ends them', async () => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-run-threads-'))
    await using client = new TopicClient(broker.bootstrapServers)
    await client.create({ name: 'orders', partitions: 2 })
    const order = { key: utf8Encode('order-123'), value: utf8Encode('{"status": "created"}') }
    await client.writeBytes('orders', [order])
    const run = runProcess(process.execPath, [
      ...['bin/millrace.js', 'run', 'topologies/hands-on.ts', '--threads', '2'],
      ...['--bootstrap-server', broker.bootstrapServers, '--state-directory', stateDirectory],
    ])
    await run.waitForLine(/: running$/)
    await run.waitForLine('Order order-123 received with status created')
    run.kill('SIGTERM')
    const { code, stderr } = await run.waitForExit()
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/: closing\n.*: closed\n$/)
    rmSync(stateDirectory, { recursive: true, force: true })
  })
})
