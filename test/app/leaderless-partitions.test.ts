import { expect, it } from 'vitest'
import type { Application, CloseOptions, SettingsInput } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'

const local = useLocalBroker()
const guarantees = ['at_least_once', 'exactly_once'] as const
let count = 0

/** An application that copies a record to a partition which refuses it. */
const copying = async (settings: Partial<SettingsInput>) => {
  const { broker, client, folder } = local
  const name = `copying-${++count}`
  const from = topic(`${name}-from`, { value: string })
  const to = topic(`${name}-to`, { value: string })
  await client.create(from, to)
  const codes: (string | undefined)[] = []
  const application = await start(
    topology(name, (builder) => builder.stream(from).to(to)),
    {
      bootstrapServers: broker.bootstrapServers,
      stateDirectory: folder,
      commitIntervalMs: 50,
      deliveryTimeoutMs: 1_000,
      ...settings,
    },
    { logger: false, onWarning: (_message, fields) => void codes.push(fields?.code) },
  )
  await application.waitFor('running')
  application.pause()
  await client.write(from, [{ key: 'k', value: 'v' }])
  let refusals = 0
  const restore = broker.core.onRequest('Produce', ({ clientId }) => {
    if (clientId === 'test') return undefined
    refusals++
    return { kind: 'error', error: 'NOT_LEADER_OR_FOLLOWER' }
  })
  application.resume()
  await expect.poll(() => refusals).toBeGreaterThan(0)
  return { application, to, codes, restore }
}

/** Resolves once a close has ended, in whichever way. */
const ended = (application: Application, options: CloseOptions = {}): Promise<unknown> =>
  application.close(options).catch((error: unknown) => error)

it.each(guarantees)(
  'a topic that is deleted while records for it wait fails the application, which closes: %s',
  async (processingGuarantee) => {
    const { application, to, restore } = await copying({ processingGuarantee })
    await local.client.admin.deleteTopics([to.name])
    await expect(application.done).rejects.toMatchObject({ code: 'TOPIC_MISSING', place: { topic: to.name } })
    await ended(application)
    expect(application.state).toBe('failed')
    restore()
  },
)

it.each(guarantees)(
  'records for a partition that stays without a leader are given up after the delivery timeout, and the application closes: %s',
  async (processingGuarantee) => {
    const { application, codes, restore } = await copying({ processingGuarantee })
    const found = local.broker.core.onRequest('Metadata', () => ({
      kind: 'error',
      error: 'LEADER_NOT_AVAILABLE',
    }))
    await expect.poll(() => codes, { timeout: 20_000 }).toContain('DELIVERY_TIMED_OUT')
    // A new transaction needs the metadata first, which is asked for up to half a minute.
    await ended(application, processingGuarantee === 'exactly_once' ? { timeoutMs: 1_000 } : {})
    expect(['closed', 'failed']).toContain(application.state)
    found()
    restore()
  },
)
