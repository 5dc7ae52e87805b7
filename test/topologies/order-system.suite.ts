import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Application, SettingsInput, Topology } from 'millrace'
import { start } from 'millrace'
import { choreography, hybrid, orchestration } from '../../topologies/all.ts'
import type { Order } from '../../topologies/contracts.ts'
import * as contracts from '../../topologies/contracts.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'
import { anOrder } from './support.ts'

const {
  deadLetterTopic,
  orderFulfilled,
  orderPlaced,
  orderRequested,
  orderStatus,
  stockLevel,
  stockReceived,
} = contracts
const topics = Object.values(contracts).flatMap((each) =>
  typeof each === 'object' && 'partitions' in each ? [{ name: each.name, partitions: each.partitions }] : [],
)

type Guarantee = NonNullable<SettingsInput['processingGuarantee']>

/**
 * The order system on a broker, each service an application of its own: the same for the embedded broker and for Apache
 * Kafka. The topics keep their names, so the orders and applications of each run get names that are its own.
 */
export const orderSystemSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-orders-'))
  const running = new Map<string, Application>()

  beforeAll(async () => {
    await using client = new TopicClient(brokers())
    const known = new Set(await client.admin.listTopics())
    await client.create(...[...topics, { name: deadLetterTopic }].filter(({ name }) => !known.has(name)))
  })
  afterEach(async () => {
    await Promise.all([...running.values()].map((application) => application.close()))
    running.clear()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs services under one prefix, so that a service started again is the same application. */
  const runWith = async (
    processingGuarantee: Guarantee,
    prefix: string,
    services: readonly Topology[],
  ): Promise<void> => {
    await Promise.all(
      services.map(async (service) => {
        const settings: SettingsInput = {
          bootstrapServers: brokers(),
          processingGuarantee,
          applicationId: `${prefix}-${service.name}`,
          stateDirectory: join(folder, prefix),
          deserializationFailure: 'deadLetter',
          processingFailure: 'deadLetter',
          deadLetterTopic,
        }
        const application = await start(service, settings)
        running.set(service.name, application)
        await application.waitFor('running')
      }),
    )
  }
  const stop = async (service: string): Promise<void> => {
    await running.get(service)?.close()
    running.delete(service)
  }
  /** Puts goods of its own on the shelves, and waits until they are there: Kafka keeps no order between topics. */
  const stocked = async (
    client: TopicClient,
    prefix: string,
    warehouse: contracts.Warehouse,
  ): Promise<string> => {
    const product = `${prefix}-lamp`
    await client.write(stockReceived, [
      { key: product, value: { version: 1 as const, product, quantity: 100, warehouse } },
    ])
    await client.readUntil(stockLevel, (records) => records.some(({ key }) => key === product))
    return product
  }
  const ordersFor = (prefix: string, product: string, count: number): Order[] =>
    Array.from({ length: count }, (_, index) =>
      anOrder(`${prefix}-${index}`, { product, ...(index % 4 === 3 ? { card: 'visa-declined' } : {}) }),
    )
  const keyed = (orders: readonly Order[]): { key: string; value: Order }[] =>
    orders.map((order) => ({ key: order.orderId, value: order }))
  const expected = (orders: readonly Order[], good: string, bad: string): Map<string, string> =>
    new Map(orders.map(({ orderId, card }) => [orderId, card === 'visa' ? good : bad]))
  const only = (
    prefix: string,
    all: ReadonlyMap<string, string | undefined>,
  ): Map<string, string | undefined> => new Map([...all].filter(([key]) => key.startsWith(`${prefix}-`)))
  const states = async (
    client: TopicClient,
    orders: readonly Order[],
    prefix: string,
  ): Promise<Map<string, string | undefined>> => {
    const final = new Set(['shipped', 'cancelled', 'rejected'])
    const told = await client.readUntil(orderStatus, (records) => {
      const latest = latestByKey(records)
      return orders.every(({ orderId }) => final.has(latest.get(orderId)?.state ?? ''))
    })
    return only(prefix, new Map([...latestByKey(told)].map(([key, value]) => [key, value.state])))
  }
  const outcomes = async (
    client: TopicClient,
    orders: readonly Order[],
    prefix: string,
  ): Promise<Map<string, string | undefined>> => {
    const told = await client.readUntil(orderFulfilled, (records) => {
      const latest = latestByKey(records)
      return orders.every(({ orderId }) => latest.has(orderId))
    })
    return only(prefix, new Map([...latestByKey(told)].map(([key, value]) => [key, value.outcome])))
  }

  describe.each(['at_least_once', 'exactly_once'] as const)('%s', (processingGuarantee) => {
    const run = (prefix: string, services: readonly Topology[]): Promise<void> =>
      runWith(processingGuarantee, prefix, services)

    it('ships good orders and cancels refused ones by choreography (F1, F4, F6)', async () => {
      const prefix = unique('choreographed')
      await using client = new TopicClient(brokers())
      await run(prefix, choreography)
      const orders = ordersFor(prefix, await stocked(client, prefix, 'north'), 8)
      await client.write(orderPlaced, keyed(orders))
      expect(await states(client, orders, prefix)).toEqual(expected(orders, 'shipped', 'cancelled'))
    })

    it('completes good orders and compensates refused ones by orchestration, with others listening (F5, F7, F9)', async () => {
      const prefix = unique('orchestrated')
      await using client = new TopicClient(brokers())
      await run(prefix, [...orchestration, ...hybrid])
      const orders = ordersFor(prefix, await stocked(client, prefix, 'south'), 8)
      await client.write(orderRequested, keyed(orders))
      expect(await outcomes(client, orders, prefix)).toEqual(expected(orders, 'COMPLETED', 'COMPENSATED'))
      const notified = await client.readUntil(contracts.customerNotified, (records) => {
        const told = new Set(records.map(({ key }) => key))
        return orders.every(({ orderId }) => told.has(orderId))
      })
      expect(notified.filter(({ key }) => key.startsWith(`${prefix}-`))).toHaveLength(orders.length)
    })

    it.each(['inventory', 'payment'])(
      'completes every choreographed order where %s was away while orders came in (P3, P4)',
      async (away) => {
        const prefix = unique(`without-${away}`)
        await using client = new TopicClient(brokers())
        await run(prefix, choreography)
        const product = await stocked(client, prefix, 'north')
        const orders = ordersFor(prefix, product, 12)
        await client.write(orderPlaced, keyed(orders.slice(0, 4)))
        await stop(away)
        await client.write(orderPlaced, keyed(orders.slice(4)))
        await run(
          prefix,
          choreography.filter(({ name }) => name === away),
        )
        expect(await states(client, orders, prefix)).toEqual(expected(orders, 'shipped', 'cancelled'))
      },
    )

    it.each(['order-fulfilment', 'payment-service'])(
      'completes every orchestrated order where %s was away while orders came in (P3, P4, P11)',
      async (away) => {
        const prefix = unique(`without-${away}`)
        await using client = new TopicClient(brokers())
        await run(prefix, orchestration)
        const product = await stocked(client, prefix, 'south')
        const orders = ordersFor(prefix, product, 12)
        await client.write(orderRequested, keyed(orders.slice(0, 4)))
        await stop(away)
        await client.write(orderRequested, keyed(orders.slice(4)))
        await run(
          prefix,
          orchestration.filter(({ name }) => name === away),
        )
        expect(await outcomes(client, orders, prefix)).toEqual(expected(orders, 'COMPLETED', 'COMPENSATED'))
      },
    )
  })
}
