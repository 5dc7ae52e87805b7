import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { TopicClient } from '../support/topic-client.ts'

let broker: RunningBroker
let proxy: FaultProxy
const folder = mkdtempSync(join(tmpdir(), 'millrace-half-open-'))

/** The broker names the proxy to everybody, so the client's own connections are silenced too and open again. */
beforeAll(async () => {
  broker = await startBroker()
  proxy = await FaultProxy.start({ target: broker.bootstrapServers })
  const [host = '', port] = proxy.address.split(':')
  broker.core.broker.advertised = { host, port: Number(port) }
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

it.each(['at_least_once', 'exactly_once'] as const)(
  'under %s, half-open connections stop an application for one request timeout',
  async (processingGuarantee) => {
    const words = topic(`${processingGuarantee}-words`, { value: string })
    const counts = topic(`${processingGuarantee}-counts`, { value: long })
    await using before = new TopicClient(proxy.address)
    await before.create(words, counts)
    const program = topology(`half-open-${processingGuarantee}`, (builder) => {
      builder.stream(words).groupByKey().count({ store: 'words' }).toStream().to(counts)
    })
    const warnings: string[] = []
    const application = await start(
      program,
      {
        bootstrapServers: proxy.address,
        stateDirectory: join(folder, processingGuarantee),
        processingGuarantee,
        requestTimeoutMs: 1_000,
        commitIntervalMs: 50,
      },
      { logger: false, onWarning: (warning) => void warnings.push(warning) },
    )
    await application.waitFor('running')
    await before.write(words, [{ key: 'k', value: 'w' }])
    await before.readUntil(counts, (records) => records.length === 1)
    for (let times = 2; times <= 3; times++) {
      proxy.silenceAll()
      const begunMs = performance.now()
      await using client = new TopicClient(proxy.address)
      await client.write(words, [{ key: 'k', value: 'w' }])
      const records = await client.readUntil(counts, (all) => all.at(-1)?.value === times, 20_000)
      if (processingGuarantee === 'exactly_once') expect(records).toHaveLength(times)
      expect(performance.now() - begunMs).toBeLessThan(10_000)
    }
    expect(warnings.filter((warning) => warning.includes('group went on'))).toEqual([])
    await application.close()
  },
)
