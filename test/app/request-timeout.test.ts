import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { connect, start, string, topic, topology } from '../../src/index.ts'

it.each(['at_least_once', 'exactly_once'] as const)(
  'requestTimeoutMs is the timeout of the Produce requests of an application and of a client: %s',
  async (processingGuarantee) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-request-timeout-'))
    const broker = await startBroker()
    const timeouts = new Map<string, Set<unknown>>()
    broker.core.onRequest('Produce', ({ clientId, request }) => {
      timeouts.set(clientId, (timeouts.get(clientId) ?? new Set()).add(request['timeoutMs']))
      return undefined
    })
    const [input, output] = [topic('in', { value: string }), topic('out', { value: string })]
    const settings = { bootstrapServers: broker.bootstrapServers, requestTimeoutMs: 12_345 }
    const client = connect({ ...settings, clientId: 'client' })
    await client.createTopics([input, output])
    const application = await start(
      topology('copying', (builder) => builder.stream(input).to(output)),
      { ...settings, processingGuarantee, stateDirectory: folder },
    )
    await client.write(input, [{ key: 'k', value: 'v' }])
    await expect.poll(() => application.metrics.producedRecords).toBe(1)
    await application.close()
    await client.close()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
    expect(timeouts.get('client')).toEqual(new Set([12_345]))
    expect([...timeouts.values()]).toHaveLength(2)
    for (const each of timeouts.values()) expect(each).toEqual(new Set([12_345]))
  },
)
