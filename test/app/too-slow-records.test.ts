import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SettingsInput } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'

describe('a record that takes longer than may be committed', () => {
  const local = useLocalBroker({ settings: { groupMinSessionTimeoutMs: 100 } })

  const run = async (name: string, work: (value: string) => void, settings: Partial<SettingsInput>) => {
    const input = topic(`${name}-in`, { value: string })
    const out = topic(`${name}-out`, { value: string })
    await local.client.create(input, out)
    const program = topology(name, (builder) => {
      builder
        .stream(input)
        .peek(({ value }) => work(value))
        .to(out)
    })
    const given = {
      bootstrapServers: local.broker.bootstrapServers,
      stateDirectory: join(local.folder, name),
    }
    const warnings: string[] = []
    const application = await start(
      program,
      { ...given, ...settings },
      { onWarning: (warning) => void warnings.push(warning), logger: false },
    )
    await application.waitFor('running')
    return { application, input, out, warnings }
  }

  it('follows processingFailure after three removals from the group, and the next record gets through', async () => {
    let calls = 0
    const work = (value: string): void => {
      if (value !== 'slow') return
      calls++
      for (const untilMs = performance.now() + 400; performance.now() < untilMs;);
    }
    const { application, input, out, warnings } = await run('removed', work, {
      processingFailure: 'skip',
      sessionTimeoutMs: 300,
      heartbeatIntervalMs: 30,
    })
    await local.client.write(
      input,
      ['slow', 'quick'].map((value) => ({ key: 'k', value })),
    )
    await local.client.readUntil(out, (records) => records.some(({ value }) => value === 'quick'), 10_000)
    expect(calls).toBeLessThanOrEqual(4)
    expect(warnings).toContainEqual(
      expect.stringMatching(/left out: .*sessionTimeoutMs.*topic removed-in, partition 0, offset 0, node/),
    )
    await application.close()
  })
})

describe('a call that never answers', () => {
  const local = useLocalBroker()

  it('is the failure of its record under exactly_once, although its attempts outlast transactionTimeoutMs', async () => {
    const input = topic('hang-in', { value: string })
    const quick = topic('hang-quick', { value: string })
    await local.client.create(input, quick)
    let calls = 0
    const program = topology('hang', (builder) => {
      const stream = builder.stream(input)
      stream.to(quick)
      stream
        .mapValuesAsync(() => (calls++, new Promise<string>(() => {})), {
          ...{ timeout: 600, retry: { attempts: 2, backoff: 10 }, value: string },
        })
        .to(topic('hang-quick', { value: string }))
    })
    const application = await start(
      program,
      {
        ...{ bootstrapServers: local.broker.bootstrapServers, stateDirectory: local.folder },
        ...{ processingGuarantee: 'exactly_once', processingFailure: 'skip', transactionTimeoutMs: 1_000 },
      },
      { logger: false },
    )
    await application.waitFor('running')
    await local.client.write(input, [{ key: 'k', value: 'order' }])
    await local.client.readUntil(quick, (records) => records.length > 0, 10_000)
    expect({ calls, ...application.metrics.dropped[0] }).toMatchObject({ calls: 2, reason: 'failed' })
    await application.close()
  })
})
