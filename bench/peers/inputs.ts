import { Kafka, logLevel, type Admin, type Message, type Producer } from 'kafkajs'
import {
  customerAt,
  customerId,
  customers,
  customersTopic,
  customerTimestamp,
  orderAt,
  ordersTopic,
  orderTimestamp,
} from './workloads.ts'

/**
 * Makes the input topics that are not there yet: `bench-orders-<records>` and `bench-customers`, a partition each.
 * They are kept for later runs; a topic that was filled in part is made anew.
 */
export const fillInputs = async (brokers: string, records: number): Promise<void> => {
  const client = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR })
  const admin = client.admin()
  const producer = client.producer()
  await admin.connect()
  await producer.connect()
  try {
    await ensureTopic(admin, producer, ordersTopic(records), records, order)
    await ensureTopic(admin, producer, customersTopic, customers, customer)
  } finally {
    await producer.disconnect()
    await admin.disconnect()
  }
}

/** The end of a topic with one partition; 0 where there is none. */
export const endOffset = async (admin: Admin, topic: string): Promise<number> => {
  if (!(await admin.listTopics()).includes(topic)) return 0
  const [partition] = await admin.fetchTopicOffsets(topic)
  return Number(partition?.high ?? 0)
}

/** Creates a topic of one partition. Orders of a fixed day would be too old for the broker's usual retention. */
export const createTopic = async (admin: Admin, topic: string): Promise<void> => {
  const configEntries = [{ name: 'retention.ms', value: '-1' }]
  await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
    waitForLeaders: true,
  })
}

const messagesPerRequest = 5000

const ensureTopic = async (
  admin: Admin,
  producer: Producer,
  topic: string,
  count: number,
  messageAt: (index: number) => Message,
): Promise<void> => {
  const found = await endOffset(admin, topic)
  if (found === count) return
  if ((await admin.listTopics()).includes(topic)) await admin.deleteTopics({ topics: [topic] })
  await createTopic(admin, topic)
  for (let from = 0; from < count; from += messagesPerRequest) {
    const length = Math.min(messagesPerRequest, count - from)
    await producer.send({
      topic,
      acks: -1,
      messages: Array.from({ length }, (_, index) => messageAt(from + index)),
    })
  }
}

const order = (index: number): Message => ({
  key: customerId(index),
  value: JSON.stringify(orderAt(index)),
  timestamp: String(orderTimestamp(index)),
})

const customer = (index: number): Message => ({
  key: customerId(index),
  value: JSON.stringify(customerAt(index)),
  timestamp: String(customerTimestamp),
})
