import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Application, SettingsInput, Topology } from '../../src/index.ts'
import { connect, isFault, json, start, string, topic, topology } from '../../src/index.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'

const rates = topic('rates', { value: z.object({ rate: z.number() }) })
const orders = topic('orders', { value: string })
const copies = topic('copies', { value: string })
const priced = topic('priced', { value: json(z.number()) })
const copying = topology('copying', (builder) => builder.stream(orders).to(copies))
const pricing = topology('pricing', (builder) => {
  const table = builder.globalTable(rates, { store: 'rates' })
  builder
    .stream(orders)
    .join(
      table,
      ({ value }) => value,
      (_, { rate }) => rate,
    )
    .to(priced)
})

describe('an input that ends in what no task processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-ends-'))
  let broker: RunningBroker
  let kafka: Kafka
  let count = 0
  beforeAll(async () => {
    broker = await startBroker()
    kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const fresh = async (): Promise<ReturnType<typeof connect>> => {
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    const all = [rates, orders, copies, priced]
    await client.deleteTopics(all.map(({ name }) => name)).catch(() => undefined)
    await client.createTopics(all)
    return client
  }
  const run = (program: Topology, settings: Partial<SettingsInput> = {}): Promise<Application> =>
    start(
      program,
      {
        bootstrapServers: broker.bootstrapServers,
        applicationId: `${program.name}-${++count}`,
        stateDirectory: join(folder, String(count)),
        ...settings,
      },
      { logger: false },
    )
  const transactional = async (id: string): Promise<Producer> => {
    const producer = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    return producer
  }

  it.each(['at_least_once', 'exactly_once'] as const)(
    'is committed to its end after an aborted transaction, %s',
    async (processingGuarantee) => {
      const client = await fresh()
      const application = await run(copying, { processingGuarantee })
      await application.waitFor('running')
      await client.write(orders, [{ key: 'k', value: 'v' }])
      const producer = await transactional(`aborts-${processingGuarantee}`)
      const transaction = await producer.transaction()
      await transaction.send({
        topic: orders.name,
        messages: [
          { key: 'k', value: '1' },
          { key: 'k', value: '2' },
        ],
      })
      await transaction.abort()
      await producer.disconnect()
      const admin = kafka.admin()
      await admin.connect()
      const committed = async (): Promise<string | undefined> =>
        (await admin.fetchOffsets({ groupId: `copying-${count}`, topics: [orders.name] }))[0]?.partitions[0]
          ?.offset
      await expect.poll(committed).toBe('4')
      expect(application.health.inputs[0]?.lag).toBe(0)
      await admin.disconnect()
      await application.close()
      await client.close()
    },
  )

  it('lets an application start while a transaction is open on the topic of its global table', async () => {
    const client = await fresh()
    await client.write(rates, [{ key: 'usd', value: { rate: 1 } }])
    const producer = await transactional('stays-open')
    const transaction = await producer.transaction()
    await transaction.send({ topic: rates.name, messages: [{ key: 'usd', value: '{"rate":2}' }] })
    const application = await run(pricing)
    await application.waitFor('running')
    await client.write(orders, [{ key: 'o', value: 'usd' }])
    await expect.poll(() => application.metrics.processedRecords).toBe(1)
    await transaction.abort()
    await producer.disconnect()
    await application.close()
    await client.close()
  })

  const badRow = (client: Awaited<ReturnType<typeof fresh>>): Promise<void> =>
    client.writeBytes(rates.name, [{ key: Buffer.from('eur'), value: Buffer.from('junk') }])

  it('refuses to start with a bad row of a global table, which it names', async () => {
    const client = await fresh()
    await client.write(rates, [{ key: 'usd', value: { rate: 1 } }])
    await badRow(client)
    const failure: unknown = await run(pricing).catch((error: unknown) => error)
    expect(isFault(failure) && failure.place).toMatchObject({
      topic: 'rates',
      partition: 0,
      offset: 1,
    })
    await client.close()
  })

  it('skips a bad row of a global table under the policy, counted, at the start and afterwards', async () => {
    const client = await fresh()
    await badRow(client)
    await client.write(rates, [{ key: 'usd', value: { rate: 1 } }])
    const application = await run(pricing, { deserializationFailure: 'skip' })
    await application.waitFor('running')
    expect(application.metrics.dropped).toMatchObject([{ reason: 'failed', records: 1 }])
    await badRow(client)
    await expect.poll(() => application.metrics.dropped).toMatchObject([{ records: 2 }])
    expect(application.state).toBe('running')
    await application.close()
    await client.close()
  })
})
