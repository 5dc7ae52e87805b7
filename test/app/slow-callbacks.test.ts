import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'

const busyMs = (durationMs: number): void => {
  for (const endMs = performance.now() + durationMs; performance.now() < endMs;);
}

describe('an application whose callbacks are slow', () => {
  const local = useLocalBroker()

  it.each([
    { callbackMs: 12, partitions: 1, records: 150 },
    { callbackMs: 0.4, partitions: 24, records: 1_500 },
  ])(
    'of $callbackMs ms over $partitions partitions commits all along, and its event loop runs after each slice',
    async ({ callbackMs, partitions, records }) => {
      const name = `slow-${partitions}`
      const input = topic(`${name}-input`, { value: string, partitions })
      await local.client.create(input)
      const values = Array.from({ length: records }, (_, index) => ({ key: `k${index}`, value: 'x' }))
      await local.client.write(input, values)
      let calls = 0
      let callsInIteration = 0
      let mostCalls = 0
      const program = topology(name, (builder) =>
        builder.stream(input).forEach(() => {
          calls++
          mostCalls = Math.max(mostCalls, ++callsInIteration)
          busyMs(callbackMs)
        }),
      )
      const states: string[] = []
      const application = await start(
        program,
        { bootstrapServers: local.broker.bootstrapServers, stateDirectory: join(local.folder, name) },
        { onState: (state) => void states.push(state), logger: false },
      )
      const iteration = setInterval(() => (callsInIteration = 0), 1)
      await expect.poll(() => application.metrics.processedRecords, { timeout: 15_000 }).toBe(records)
      clearInterval(iteration)
      expect(calls).toBe(records)
      expect(states.filter((state) => state === 'running')).toHaveLength(1)
      // 50 ms of callbacks, and where the measurements begin a few more.
      expect(mostCalls).toBeLessThanOrEqual(Math.ceil(60 / callbackMs))
      expect(application.metrics.commits).toBeGreaterThan(4)
      await application.close()
    },
  )

  it('logs the node that blocks for a second, once', async () => {
    const input = topic('blocking-input', { value: string })
    await local.client.create(input)
    await local.client.write(input, [
      { key: 'k', value: 'first' },
      { key: 'k', value: 'second' },
    ])
    const warnings: { readonly message: string; readonly node: string | undefined }[] = []
    const application = await start(
      topology('blocking', (builder) =>
        builder
          .stream(input)
          .filter(() => true)
          .peek(() => busyMs(1_010), { name: 'render-invoice' })
          .forEach(() => undefined),
      ),
      { bootstrapServers: local.broker.bootstrapServers, stateDirectory: join(local.folder, 'blocking') },
      { onWarning: (message, fields) => void warnings.push({ message, node: fields?.node }), logger: false },
    )
    await expect.poll(() => application.metrics.processedRecords, { timeout: 10_000 }).toBe(2)
    expect(warnings).toEqual([
      {
        message: expect.stringMatching(
          /^node render-invoice blocked the thread for 1\d{3} ms at topic blocking-input, partition 0, offset 0; .*mapAsync/,
        ) as string,
        node: 'render-invoice',
      },
    ])
    await application.close()
  })
})
