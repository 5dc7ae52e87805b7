import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { TopicClient } from '../../src/index.ts'
import { connect, string, topic } from '../../src/index.ts'

const words = topic('words', { value: string })
const record = { key: 'k', value: 'v' }
const bytes = { key: null, value: Uint8Array.of(1) }

const calls: Readonly<Record<string, (client: TopicClient) => Promise<unknown>>> = {
  createTopics: (client) => client.createTopics([{ name: 'more' }]),
  deleteTopics: (client) => client.deleteTopics(['more']),
  deleteGroup: (client) => client.deleteGroup('group'),
  write: (client) => client.write(words, [record]),
  writeBytes: (client) => client.writeBytes('words', [bytes]),
}

const closed = { code: 'TRANSPORT_CLOSED' }

describe.each(Object.entries(calls))('a client that is closed: %s', (_, call) => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await startBroker()))
  afterAll(() => broker.close())

  const connected = (): TopicClient => connect({ bootstrapServers: broker.bootstrapServers })

  it('rejects at once though it was never used', async () => {
    const client = connected()
    await client.close()
    await client.close()
    await expect(call(client)).rejects.toMatchObject(closed)
  })

  it('rejects at once after it was used', async () => {
    const client = connected()
    await client.createTopics([words])
    await client.write(words, [record])
    await client.close()
    await expect(call(client)).rejects.toMatchObject(closed)
  })

  it('rejects what waits', async () => {
    const client = connected()
    await client.createTopics([words])
    await client.write(words, [record])
    const waiting = expect(call(client)).rejects.toMatchObject(closed)
    await client.close()
    await waiting
  })

  it('rejects what waits for a broker that is away', async () => {
    const client = connect({ bootstrapServers: 'localhost:1' })
    const waiting = expect(call(client)).rejects.toMatchObject(closed)
    await client.close()
    await waiting
  })
})
