import { Kafka, logLevel, Partitioners, type Admin } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'

let broker: RunningBroker
let kafka: Kafka
let admin: Admin

beforeAll(async () => {
  broker = await startBroker({ onInternalError: (error) => expect.unreachable(String(error)) })
  kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
  admin = kafka.admin()
  await admin.connect()
})

afterAll(async () => {
  await admin.disconnect()
  await broker.close()
})

const values = (count: number): string[] => Array.from({ length: count }, (_, index) => `value-${index}`)

test('kafkajs consumes in a group what its idempotent producer sent', async () => {
  await admin.createTopics({ topics: [{ topic: 'sent', numPartitions: 3 }] })
  const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'sent', messages: values(10).map((value) => ({ key: value, value })) })
  const consumer = kafka.consumer({ groupId: 'readers' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'sent', fromBeginning: true })
  const seen: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          seen.push(String(message.value))
          if (seen.length === 10) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  await producer.disconnect()
  expect(seen.sort()).toEqual(values(10))
  const committed = await admin.fetchOffsets({ groupId: 'readers', topics: ['sent'] })
  const total = committed
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { offset }) => sum + Number(offset), 0)
  expect(total).toBe(10)
})
