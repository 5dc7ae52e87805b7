import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'

const orders = topic('orders', { value: string })
const customers = topic('customers', { value: string })
const joined = topic('orders-with-customer', { value: string })

/** An order is `<customer>|<item>`; without customer it points nowhere. */
const program = topology('fk', (builder) => {
  builder
    .table(orders, { store: 'orders' })
    .leftJoinForeignKey(builder.table(customers, { store: 'customers' }), {
      name: 'with-customer',
      foreignKey: (order) => order.split('|')[0] || null,
      join: (order, customer) => `${order} for ${customer ?? 'nobody'}`,
      store: 'joined',
      value: string,
    })
    .toStream()
    .to(joined)
})

describe('a foreign-key join on a broker', () => {
  let broker: RunningBroker
  const folder = mkdtempSync(join(tmpdir(), 'millrace-foreign-key-'))
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('finds its rows over tables of differing partitions, and after a restart', async () => {
    const bootstrapServers = broker.bootstrapServers
    await using client = new TopicClient(bootstrapServers)
    await client.create(
      { name: orders.name, partitions: 3 },
      { name: customers.name, partitions: 2 },
      { name: joined.name, partitions: 1 },
    )
    const settings = { bootstrapServers, stateDirectory: join(folder, 'state') }
    const latestIs = (expected: Readonly<Record<string, string | null>>) =>
      client.readUntil(joined, (records) => {
        const latest = latestByKey(records)
        return Object.entries(expected).every(([key, value]) => latest.get(key) === value)
      })

    const first = await start(program, settings)
    await client.write(customers, [{ key: 'c1', value: 'Ada' }])
    await client.write(orders, [
      { key: 'o1', value: 'c1|lamp' },
      { key: 'o2', value: 'c2|desk' },
      { key: 'o3', value: '|gift' },
    ])
    await latestIs({ o1: 'c1|lamp for Ada', o2: 'c2|desk for nobody', o3: '|gift for nobody' })
    await first.close()

    const second = await start(program, settings)
    await client.write(customers, [
      { key: 'c1', value: 'Ada Lovelace' },
      { key: 'c2', value: 'Bob' },
    ])
    await latestIs({ o1: 'c1|lamp for Ada Lovelace', o2: 'c2|desk for Bob' })
    await client.write(orders, [{ key: 'o1', value: 'c2|lamp' }])
    await latestIs({ o1: 'c2|lamp for Bob' })
    await second.close()

    const topics = (await client.admin.listTopics()).filter((name) => name.startsWith('fk-')).toSorted()
    expect(topics).toEqual([
      'fk-customers-changelog',
      'fk-joined-changelog',
      'fk-orders-changelog',
      'fk-with-customer-subscription-registration-topic',
      'fk-with-customer-subscription-response-topic',
      'fk-with-customer-subscription-store-changelog',
    ])
  })
})
