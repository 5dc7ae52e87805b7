import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'

let broker: RunningBroker
let admin: Admin

const connection = (clientId: string): { clientId: string; bootstrapBrokers: string[] } => ({
  clientId,
  bootstrapBrokers: [broker.bootstrapServers],
})

beforeAll(async () => {
  broker = await startBroker({
    onInternalError: (error) => {
      throw error
    },
  })
  admin = new Admin(connection('admin'))
})

afterAll(async () => {
  await admin.close()
  await broker.close()
})

it('a group consumes what an idempotent producer sent, and goes on where it committed', async () => {
  await admin.createTopics({ topics: ['words'], partitions: 2, replicas: 1 })
  const producer = new Producer({
    ...connection('producer'),
    idempotent: true,
    serializers: stringSerializers,
  })
  const send = (values: string[]): Promise<unknown> =>
    producer.send({ messages: values.map((value) => ({ topic: 'words', key: value, value })) })
  await send(['a', 'b', 'c', 'd'])
  const read = async (count: number): Promise<string[]> => {
    const consumer = new Consumer({
      ...connection('consumer'),
      groupId: 'readers',
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({
      topics: ['words'],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    })
    const seen: string[] = []
    for await (const message of stream) {
      seen.push(message.value)
      await message.commit()
      if (seen.length === count) break
    }
    await consumer.close(true)
    return seen.sort()
  }
  expect(await read(4)).toEqual(['a', 'b', 'c', 'd'])
  await send(['e', 'f'])
  expect(await read(2)).toEqual(['e', 'f'])
  await producer.close()
})

it('compressed batches are kept as they are', async () => {
  await admin.createTopics({ topics: ['compressed'], partitions: 1, replicas: 1 })
  const producer = new Producer({ ...connection('producer'), serializers: stringSerializers })
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
  for (const compression of codecs)
    await producer.send({ compression, messages: [{ topic: 'compressed', key: 'k', value: compression }] })
  const consumer = new Consumer({
    ...connection('consumer'),
    groupId: 'unpackers',
    deserializers: stringDeserializers,
  })
  const stream = await consumer.consume({ topics: ['compressed'], mode: 'earliest' })
  const seen: string[] = []
  for await (const { value } of stream) if (seen.push(value) === codecs.length) break
  expect(seen).toEqual(codecs)
  await consumer.close(true)
  await producer.close()
})

it('the admin client sees topics, groups, configs and offsets', async () => {
  await admin.createTopics({
    topics: ['seen'],
    partitions: 2,
    replicas: 1,
    configs: [{ name: 'retention.ms', value: '5000' }],
  })
  expect(await admin.listTopics()).toContain('seen')
  const described = await admin.describeConfigs({
    resources: [{ resourceType: 2, resourceName: 'seen', configurationKeys: ['retention.ms'] }],
    includeSynonyms: true,
    includeDocumentation: false,
  })
  expect(described[0]?.configs[0]).toMatchObject({ name: 'retention.ms', value: '5000' })
  await admin.createPartitions({ topics: [{ name: 'seen', count: 4 }] })
  const offsets = await admin.listOffsets({
    topics: [{ name: 'seen', partitions: [{ partitionIndex: 3, timestamp: -1n }] }],
  })
  expect(offsets[0]?.partitions[0]).toMatchObject({ partitionIndex: 3, offset: 0n })
  await admin.alterConsumerGroupOffsets({
    groupId: 'moved',
    topics: [{ name: 'seen', partitionOffsets: [{ partition: 0, offset: 3n }] }],
  })
  const groups = await admin.listConsumerGroupOffsets({ groups: ['moved'] })
  expect(groups[0]?.topics[0]?.partitions[0]).toMatchObject({ partitionIndex: 0, committedOffset: 3n })
  await admin.deleteGroups({ groups: ['moved'] })
  await admin.deleteTopics({ topics: ['seen'] })
  expect(await admin.listTopics()).not.toContain('seen')
})
