import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaBrokers, uniqueName } from './kafka-brokers.ts'

const client = new Kafka({ brokers: kafkaBrokers().split(','), logLevel: logLevel.NOTHING })
const admin = client.admin()

beforeAll(() => admin.connect())
afterAll(() => admin.disconnect())

test('a record produced to a new topic is read back with its key, headers and timestamp', async () => {
  const topic = uniqueName('smoke')
  await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor: 1 }],
    waitForLeaders: true,
  })
  const producer = client.producer()
  await producer.connect()
  const record = {
    key: 'order-123',
    value: '{"status": "created"}',
    headers: { source: 'smoke' },
    timestamp: '1000',
  }
  await producer.send({ topic, messages: [record] })
  await producer.disconnect()

  expect(await readOne(topic)).toEqual({ offset: '0', ...record })
  await admin.deleteTopics({ topics: [topic] })
})

test('a topic that was not created does not exist: nothing creates it by mistake', async () => {
  const topic = uniqueName('missing')
  const producer = client.producer({ allowAutoTopicCreation: true, retry: { retries: 0 } })
  await producer.connect()
  await expect(producer.send({ topic, messages: [{ value: 'lost' }] })).rejects.toThrow(/does not host/)
  await producer.disconnect()
  expect(await admin.listTopics()).not.toContain(topic)
})

const readOne = async (topic: string): Promise<Record<string, unknown>> => {
  const consumer = client.consumer({ groupId: uniqueName('smoke') })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  try {
    return await new Promise((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) =>
            resolve({
              offset: message.offset,
              key: message.key?.toString(),
              value: message.value?.toString(),
              headers: Object.fromEntries(
                Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)]),
              ),
              timestamp: message.timestamp,
            }),
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}
