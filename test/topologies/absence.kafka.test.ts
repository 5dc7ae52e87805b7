import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { choreography, orchestration } from '../../topologies/all.ts'
import {
  deadLetterTopic,
  inventoryUpdated,
  orderFulfilled,
  orderPlaced,
  orderRequested,
  orderShipped,
  stockReceived,
  stockReserved,
} from '../../topologies/contracts.ts'
import { topicsOf } from '../../topologies/topics.ts'
import type { StartedKafka } from '../support/kafka/started-kafka.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import { anOrder } from './support.ts'

/**
 * Services are processes of their own that come and go: one that was away finds everything it missed, and the others do
 * not wait for it longer than the flow itself must (P3, P4). A Kafka of its own, as the contracts name the topics.
 */
describe('a service that is killed while orders flow', () => {
  let kafka: StartedKafka
  let client: TopicClient
  const folder = mkdtempSync(join(tmpdir(), 'millrace-absence-'))
  const processes: RunningProcess[] = []

  beforeAll(async () => {
    kafka = await startKafka({ exclusive: true })
    client = new TopicClient(kafka.brokers)
    await client.create(...topicsOf([...choreography, ...orchestration], [deadLetterTopic]))
    await client.write(
      stockReceived,
      (['north', 'south'] as const).map((warehouse) => ({
        key: 'lamp',
        value: { version: 1 as const, product: 'lamp', quantity: 1_000, warehouse },
      })),
    )
  })
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()))
    await client[Symbol.asyncDispose]()
    await kafka.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const serve = async (...services: readonly string[]): Promise<RunningProcess> => {
    const files = services.map((service) => `topologies/${service}.ts`)
    const running = runProcess(process.execPath, [
      ...['bin/millrace.js', 'run', ...files, '--bootstrap-server', kafka.brokers],
      ...['--state-directory', join(folder, services.join('-')), '--dead-letter-topic', deadLetterTopic],
    ])
    processes.push(running)
    for (const service of services) await running.waitForLine(new RegExp(`^${service}: running`), 60_000)
    return running
  }
  const ordersFrom = (first: number, count: number) =>
    Array.from({ length: count }, (_, index) => `order-${first + index}`).map((orderId) => ({
      key: orderId,
      value: anOrder(orderId),
    }))
  const keysOf = (records: readonly { readonly key: string }[]): Set<string> =>
    new Set(records.map(({ key }) => key))

  it('ends with every choreographed order shipped, and the others went on meanwhile', async () => {
    await serve('order', 'inventory', 'shipping')
    const payment = await serve('payment')
    await client.write(orderPlaced, ordersFrom(1_000, 40))
    await client.readUntil(orderShipped, (records) => records.length > 0)
    payment.kill('SIGKILL')
    await client.write(orderPlaced, ordersFrom(1_040, 40))
    await client.readUntil(inventoryUpdated, (records) => keysOf(records).size === 80, 60_000)
    await serve('payment')
    await client.write(orderPlaced, ordersFrom(1_080, 20))
    const shipped = await client.readUntil(orderShipped, (records) => keysOf(records).size === 100, 90_000)
    expect(keysOf(shipped)).toEqual(new Set(ordersFrom(1_000, 100).map(({ key }) => key)))
  })

  it('ends with every orchestrated order completed, the orchestrator being the one that was killed', async () => {
    await serve('stock-service', 'payment-service', 'delivery-service')
    const orchestrator = await serve('order-fulfilment')
    await client.write(orderRequested, ordersFrom(2_000, 30))
    await client.readUntil(stockReserved, (records) => records.length > 0)
    orchestrator.kill('SIGKILL')
    await client.write(orderRequested, ordersFrom(2_030, 30))
    await serve('order-fulfilment')
    const ended = await client.readUntil(orderFulfilled, (records) => keysOf(records).size === 60, 90_000)
    expect(new Set(ended.map(({ value }) => value?.outcome))).toEqual(new Set(['COMPLETED']))
    expect(keysOf(ended)).toEqual(new Set(ordersFrom(2_000, 60).map(({ key }) => key)))
  })
})
