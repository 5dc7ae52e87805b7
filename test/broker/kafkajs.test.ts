import {
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type Producer,
} from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'

let broker: RunningBroker
let kafka: Kafka
let admin: Admin

beforeAll(async () => {
  broker = await startBroker({
    onInternalError: (error) => {
      throw error
    },
  })
  kafka = new Kafka({
    brokers: [broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  })
  admin = kafka.admin()
  await admin.connect()
})

afterAll(async () => {
  await admin.disconnect()
  await broker.close()
})

const values = (count: number): string[] => Array.from({ length: count }, (_, index) => `value-${index}`)

const withProducer = async (
  options: { idempotent?: boolean; transactionalId?: string },
  use: (producer: Producer) => Promise<void>,
): Promise<void> => {
  const producer = kafka.producer({
    ...options,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  await use(producer)
  await producer.disconnect()
}

/** Reads `count` values in a group of its own. */
const readAll = async (groupId: string, topic: string, count: number): Promise<string[]> => {
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const seen: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          if (seen.push(String(message.value)) === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return seen.sort()
}

it('a group consumes what an idempotent producer sent, and commits it', async () => {
  await admin.createTopics({ topics: [{ topic: 'sent', numPartitions: 3 }] })
  await withProducer({ idempotent: true }, async (producer) => {
    await producer.send({ topic: 'sent', messages: values(10).map((value) => ({ key: value, value })) })
  })
  expect(await readAll('readers', 'sent', 10)).toEqual(values(10))
  const committed = await admin.fetchOffsets({ groupId: 'readers', topics: ['sent'] })
  const offsets = committed.flatMap(({ partitions }) => partitions.map(({ offset }) => Number(offset)))
  expect(offsets.reduce((sum, offset) => sum + offset, 0)).toBe(10)
})

it('transactions that commit are read, and those that abort are not', async () => {
  await admin.createTopics({ topics: [{ topic: 'settled', numPartitions: 2 }] })
  await withProducer({ idempotent: true, transactionalId: 'tx' }, async (producer) => {
    for (const [index, value] of values(6).entries()) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'settled', messages: [{ key: value, value }] })
      if (index % 2 === 0) await transaction.commit()
      else await transaction.abort()
    }
  })
  expect(await readAll('settled-readers', 'settled', 3)).toEqual(['value-0', 'value-2', 'value-4'])
})

it('offsets that a transaction sends count when it commits', async () => {
  await admin.createTopics({ topics: [{ topic: 'read', numPartitions: 1 }] })
  const send = (offset: string, commit: boolean): Promise<void> =>
    withProducer({ idempotent: true, transactionalId: `offset-${offset}` }, async (producer) => {
      const transaction = await producer.transaction()
      const partitions = [{ partition: 0, offset }]
      await transaction.sendOffsets({ consumerGroupId: 'processed', topics: [{ topic: 'read', partitions }] })
      await (commit ? transaction.commit() : transaction.abort())
    })
  await send('4', true)
  await send('5', false)
  await expect
    .poll(
      async () =>
        (await admin.fetchOffsets({ groupId: 'processed', topics: ['read'] }))[0]?.partitions[0]?.offset,
    )
    .toBe('4')
})

it('two consumers of a group share its partitions', async () => {
  await admin.createTopics({ topics: [{ topic: 'shared', numPartitions: 4 }] })
  const options = { groupId: 'sharers', heartbeatInterval: 200, maxWaitTimeInMs: 200 }
  const consumers = [kafka.consumer(options), kafka.consumer(options)]
  for (const consumer of consumers) {
    await consumer.connect()
    await consumer.subscribe({ topic: 'shared' })
    await consumer.run({ eachMessage: async () => undefined })
  }
  await expect
    .poll(
      async () => {
        const { groups } = await admin.describeGroups(['sharers'])
        return [groups[0]?.state, groups[0]?.members.length]
      },
      { timeout: 15_000 },
    )
    .toEqual(['Stable', 2])
  for (const consumer of consumers) await consumer.disconnect()
  expect((await admin.describeGroups(['sharers'])).groups[0]?.state).toBe('Empty')
})

it('compressed records come back', async () => {
  await admin.createTopics({ topics: [{ topic: 'zipped', numPartitions: 1 }] })
  await withProducer({}, async (producer) => {
    const messages = values(50).map((value) => ({ value }))
    await producer.send({ topic: 'zipped', compression: CompressionTypes.GZIP, messages })
  })
  expect(await readAll('unzippers', 'zipped', 50)).toEqual(values(50).sort())
})

it('the admin client manages topics, configs, offsets and groups', async () => {
  const topic = 'managed'
  expect(await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })).toBe(true)
  await expect(
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
  ).resolves.toBe(false)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  expect(topics[0]?.partitions.length).toBe(2)
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [{ name: 'cleanup.policy', value: 'compact,delete' }] }],
  })
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] })
  expect(
    resources[0]?.configEntries.find(({ configName }) => configName === 'cleanup.policy')?.configValue,
  ).toBe('compact,delete')
  await withProducer({}, async (producer) => {
    await producer.send({ topic, messages: values(3).map((value) => ({ key: 'k', value, partition: 0 })) })
  })
  // The client finds the leader of a partition in what it has asked before.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  const [first] = (await admin.fetchTopicOffsets(topic)).sort(
    (left, right) => left.partition - right.partition,
  )
  expect(first).toMatchObject({ low: '2', high: '3' })
  expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('readers')
  await admin.deleteGroups(['readers'])
  await admin.deleteTopics({ topics: [topic] })
  expect(await admin.listTopics()).not.toContain(topic)
  expect((await admin.describeCluster()).brokers).toEqual([
    { nodeId: 1, host: '127.0.0.1', port: broker.port },
  ])
})
