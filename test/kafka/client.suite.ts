import { Producer as LibraryProducer } from '@platformatic/kafka'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { days } from '../../src/base/duration.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import type { FetcherOptions } from '../../src/kafka/fetcher.ts'
import { Fetcher } from '../../src/kafka/fetcher.ts'
import { fetchOffsets, noGeneration } from '../../src/kafka/group/offsets.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { TransactionalProducer } from '../../src/kafka/transaction/transactional-producer.ts'
import type { TextRow } from './support/rows.ts'
import { rowsOf, valuesOf } from './support/rows.ts'
import { TrialMember } from './support/trial-member.ts'

/**
 * What the room does over TCP, the same for the embedded broker and for Apache Kafka. Names are unique, as the broker
 * may be shared.
 */
export const clientSuite = (brokers: () => string, uniqueName: (prefix: string) => string): void => {
  let transport: TcpTransport
  let cluster: Cluster
  let admin: Admin

  beforeAll(() => {
    transport = new TcpTransport({ brokers: brokers(), clientId: 'client-suite' })
    cluster = new Cluster({ transport, clock: systemClock })
    admin = new Admin(cluster)
  })
  afterAll(() => transport.close())

  const newTopic = async (
    partitions = 1,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const topic = uniqueName('client')
    await admin.createTopics([{ topic, partitions, configs }])
    return topic
  }

  const read = async (
    topic: string,
    count: number,
    options: Partial<FetcherOptions> = {},
  ): Promise<readonly TextRow[]> => {
    const fetcher = new Fetcher({ cluster, name: uniqueName('reader'), maxWaitMs: 100, ...options })
    fetcher.assign([{ topic, partition: 0, offset: 'earliest' }])
    const rows: TextRow[] = []
    while (rows.length < count) rows.push(...(await fetcher.poll(1_000)).flatMap(rowsOf))
    fetcher.close()
    return rows
  }

  const kafkajs = (): Kafka =>
    new Kafka({ brokers: brokers().split(','), clientId: 'kafkajs', logLevel: logLevel.NOTHING })

  describe('administration', () => {
    it('creates topics once, describes and deletes them', async () => {
      const topic = uniqueName('client')
      expect(
        await admin.createTopics([{ topic, partitions: 3, configs: { 'cleanup.policy': 'compact' } }]),
      ).toEqual([topic])
      expect(await admin.createTopics([{ topic, partitions: 3 }])).toEqual([])
      expect(await admin.listTopics()).toContain(topic)
      const [described] = await admin.describeTopics([topic])
      expect(described).toMatchObject({ name: topic, isInternal: false })
      expect(described?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
      const configs = await admin.describeConfigs(topic)
      expect(configs.find(({ name }) => name === 'cleanup.policy')).toMatchObject({
        value: 'compact',
        isDefault: false,
      })
      await admin.alterConfigs(topic, { 'retention.ms': '1234' })
      expect((await admin.describeConfigs(topic)).find(({ name }) => name === 'retention.ms')?.value).toBe(
        '1234',
      )
      await admin.createPartitions(topic, 5)
      await expect.poll(async () => (await admin.partitionCounts([topic])).get(topic)).toBe(5)
      await admin.deleteTopics([topic])
      await expect.poll(async () => (await admin.partitionCounts([topic])).size).toBe(0)
    })

    it('names a topic that does not exist', async () => {
      await expect(cluster.topic(uniqueName('missing'))).rejects.toMatchObject({
        code: 'TOPIC_MISSING',
        actor: 'author',
      })
      await expect(cluster.waitForTopics([uniqueName('missing')], 200)).rejects.toMatchObject({
        code: 'TOPIC_MISSING',
      })
    })

    it('says what is wrong with a topic that cannot be created', async () => {
      const topic = uniqueName('client')
      await expect(admin.createTopics([{ topic, configs: { 'no.such.config': '1' } }])).rejects.toMatchObject(
        {
          code: 'INVALID_CONFIG',
          place: { topic },
        },
      )
    })

    it('finds offsets by time, and deletes records before one', async () => {
      const topic = await newTopic()
      const producer = new Producer({ cluster, name: topic })
      await producer.prepare([topic])
      for (const timestamp of [1_000, 2_000, 3_000])
        producer.send(topic, 0, null, Buffer.from('v'), timestamp)
      await producer.flush()
      const offsetAt = async (at: Parameters<Admin['listOffsets']>[0][number]['at']): Promise<unknown> =>
        (await admin.listOffsets([{ topic, partition: 0, at }])).get(`${topic}-0`)
      expect(await offsetAt('latest')).toEqual({ offset: 3, timestamp: -1 })
      expect(await offsetAt({ timestamp: 1_500 })).toEqual({ offset: 1, timestamp: 2_000 })
      expect(await offsetAt({ timestamp: 9_000 })).toEqual({ offset: -1, timestamp: -1 })
      expect(await admin.deleteRecords([{ topic, partition: 0, offset: 2 }])).toEqual(
        new Map([[`${topic}-0`, 2]]),
      )
      expect(await offsetAt('earliest')).toEqual({ offset: 2, timestamp: -1 })
    })
  })

  describe('records', () => {
    it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
      'come back as they were sent (%s)',
      async (compression) => {
        const topic = await newTopic()
        const producer = new Producer({ cluster, name: topic, compressionType: compression })
        await producer.prepare([topic])
        const start = 1_700_000_000_000
        producer.send(topic, 0, Buffer.from('k'), Buffer.from('v'), start, [
          ['h', Buffer.from('1')],
          ['h', null],
        ])
        producer.send(topic, 0, null, Buffer.alloc(0), start - days(60))
        producer.send(topic, 0, Buffer.alloc(0), null, start + days(60))
        producer.send(topic, 0, Buffer.alloc(100_000, 'x'), Buffer.from('日本'), start)
        expect(await producer.flush()).toEqual(new Map([[`${topic}-0`, 4]]))
        const rows = await read(topic, 4, { checkCrcs: true })
        expect(rows.slice(0, 3)).toEqual([
          {
            offset: 0,
            timestamp: start,
            key: 'k',
            value: 'v',
            headers: [
              ['h', '1'],
              ['h', null],
            ],
          },
          { offset: 1, timestamp: start - days(60), key: null, value: '', headers: [] },
          { offset: 2, timestamp: start + days(60), key: '', value: null, headers: [] },
        ])
        expect([rows[3]?.key?.length, rows[3]?.value]).toEqual([100_000, '日本'])
      },
    )

    it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
      'of the client library are read (%s)',
      async (compression) => {
        const topic = await newTopic()
        const library = new LibraryProducer({ clientId: 'library', bootstrapBrokers: brokers().split(',') })
        const messages = ['a', 'b'].map((value) => ({
          topic,
          partition: 0,
          key: Buffer.from('k'),
          value: Buffer.from(value.repeat(200)),
          headers: new Map([[Buffer.from('h'), Buffer.from(value)]]),
        }))
        await library.send({ messages, compression })
        await library.close()
        const rows = await read(topic, 2, { checkCrcs: true })
        expect(rows.map(({ key, value, headers }) => [key, value, headers])).toEqual([
          ['k', 'a'.repeat(200), [['h', 'a']]],
          ['k', 'b'.repeat(200), [['h', 'b']]],
        ])
      },
    )

    it('go to kafkajs and come from it', async () => {
      const topic = await newTopic()
      const theirs = kafkajs().producer()
      await theirs.connect()
      await theirs.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: [
          { key: 'k', value: 'theirs', headers: { h: '1' }, timestamp: '1700000000001' },
          { key: null, value: null },
        ],
      })
      await theirs.disconnect()
      const ours = new Producer({ cluster, name: topic, compressionType: 'gzip' })
      await ours.prepare([topic])
      ours.send(topic, 0, Buffer.from('k'), Buffer.from('ours'), 1_700_000_000_002, [['h', Buffer.from('2')]])
      await ours.flush()
      const [first, second] = await read(topic, 3)
      expect(first).toMatchObject({
        key: 'k',
        value: 'theirs',
        timestamp: 1_700_000_000_001,
        headers: [['h', '1']],
      })
      expect(second).toMatchObject({ key: null, value: null })
      const consumer = kafkajs().consumer({ groupId: uniqueName('kafkajs') })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const last = new Promise<unknown>((resolve) => {
        void consumer.run({
          eachMessage: async ({ message }) => {
            if (message.offset === '2')
              resolve([
                String(message.key),
                String(message.value),
                message.timestamp,
                String(message.headers?.['h']),
              ])
          },
        })
      })
      expect(await last).toEqual(['k', 'ours', '1700000000002', '2'])
      await consumer.disconnect()
    })

    it('take the time of the broker where the topic says so', async () => {
      const topic = await newTopic(1, { 'message.timestamp.type': 'LogAppendTime' })
      const producer = new Producer({ cluster, name: topic })
      await producer.prepare([topic])
      producer.send(topic, 0, null, Buffer.from('v'), 1)
      await producer.flush()
      expect((await read(topic, 1))[0]?.timestamp).toBeGreaterThan(1_600_000_000_000)
    })

    it('arrive in order in great number, through many batches and requests', async () => {
      const topic = await newTopic()
      const producer = new Producer({ cluster, name: topic, batchBytes: 4_096, maxBufferedBytes: 262_144 })
      await producer.prepare([topic])
      const count = 20_000
      for (let index = 0; index < count; index++) {
        if (producer.isFull) await producer.drained()
        producer.send(topic, 0, null, Buffer.from(`value ${index}`), index + 1)
      }
      expect((await producer.flush()).get(`${topic}-0`)).toBe(count)
      const values = valuesOf(await read(topic, count, { maxBytes: 20_000, partitionMaxBytes: 20_000 }))
      expect(values).toEqual(Array.from({ length: count }, (_, index) => `value ${index}`))
    })

    it('that are too large for the topic are named with their place', async () => {
      const topic = await newTopic(1, { 'max.message.bytes': '1000' })
      const producer = new Producer({ cluster, name: topic })
      await producer.prepare([topic])
      producer.send(topic, 0, null, Buffer.alloc(5_000), 1)
      await expect(producer.flush()).rejects.toMatchObject({
        code: 'RECORD_TOO_LARGE',
        place: { topic, partition: 0 },
      })
      producer.send(topic, 0, null, Buffer.from('small'), 1)
      await producer.flush()
      expect(valuesOf(await read(topic, 1))).toEqual(['small'])
    })
  })

  describe('transactions', () => {
    const run = async (topic: string): Promise<void> => {
      const tx = new TransactionalProducer({ cluster, transactionalId: uniqueName('tx') })
      await tx.initialize()
      await tx.producer.prepare([topic])
      for (let round = 0; round < 12; round++) {
        tx.producer.send(
          topic,
          0,
          null,
          Buffer.from(`${round % 3 === 0 ? 'gone' : 'kept'} ${round}`),
          round + 1,
        )
        if (round % 3 !== 0) await tx.commit()
        else {
          await tx.producer.flush()
          await tx.abort()
        }
      }
      tx.close()
    }

    it('that were aborted are hidden from readers of committed data, however small their fetches', async () => {
      const topic = await newTopic()
      await run(topic)
      const kept = [1, 2, 4, 5, 7, 8, 10, 11].map((round) => `kept ${round}`)
      const committed = { isolation: 'read_committed' } as const
      expect(valuesOf(await read(topic, 8, committed))).toEqual(kept)
      expect(valuesOf(await read(topic, 8, { ...committed, partitionMaxBytes: 1 }))).toEqual(kept)
      expect(await read(topic, 12)).toHaveLength(12)
    })

    it('commit offsets with records, fenced by the group', async () => {
      const topic = await newTopic()
      const groupId = uniqueName('group')
      const tx = new TransactionalProducer({ cluster, transactionalId: uniqueName('tx') })
      await tx.initialize()
      await tx.producer.prepare([topic])
      const offsets = [{ topic, partition: 0, offset: 7, metadata: 'm' }]
      tx.producer.send(topic, 0, null, Buffer.from('a'), 1)
      await tx.commit({ groupId, generation: noGeneration, offsets })
      expect(
        (await fetchOffsets(cluster, groupId, { requireStable: true, partitions: offsets })).get(
          `${topic}-0`,
        ),
      ).toMatchObject({
        offset: 7,
        metadata: 'm',
      })
      tx.producer.send(topic, 0, null, Buffer.from('b'), 1)
      const stale = { generationId: 3, memberId: 'nobody', groupInstanceId: null }
      await expect(tx.commit({ groupId, generation: stale, offsets })).rejects.toMatchObject({
        code: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/),
      })
      await tx.abort()
      expect(valuesOf(await read(topic, 1, { isolation: 'read_committed' }))).toEqual(['a'])
      tx.close()
    })

    it('of a replaced producer are refused', async () => {
      const topic = await newTopic()
      const transactionalId = uniqueName('tx')
      const old = new TransactionalProducer({ cluster, transactionalId, name: uniqueName('old') })
      await old.initialize()
      await old.producer.prepare([topic])
      old.producer.send(topic, 0, null, Buffer.from('old'), 1)
      await old.producer.flush()
      const next = new TransactionalProducer({ cluster, transactionalId, name: uniqueName('next') })
      await next.initialize()
      await next.producer.prepare([topic])
      next.producer.send(topic, 0, null, Buffer.from('new'), 1)
      await next.commit()
      await expect(old.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      expect(valuesOf(await read(topic, 1, { isolation: 'read_committed' }))).toEqual(['new'])
      next.close()
    })
  })

  describe('groups', () => {
    it.each(['eager', 'cooperative'] as const)(
      'share partitions and hand them over with their offsets (%s)',
      async (kind) => {
        const topic = await newTopic(4)
        const groupId = uniqueName('group')
        const join = (name: string): TrialMember =>
          new TrialMember({
            cluster,
            groupId,
            name,
            kind,
            topic,
            partitions: 4,
            onRevoke: (member, partitions) =>
              member.membership.commitOffsets(
                partitions.map((each) => ({ ...each, offset: 10 + each.partition })),
              ),
          })
        const one = join('a')
        await expect.poll(() => one.owned).toBe('0,1,2,3')
        const other = join('b')
        await expect.poll(() => [one.owned.length, other.owned.length]).toEqual([3, 3])
        expect(new Set(`${one.owned},${other.owned}`.split(',')).size).toBe(4)
        expect(await admin.describeGroup(groupId)).toMatchObject({
          state: 'Stable',
          protocolType: 'consumer',
        })
        await expect(
          admin.alterGroupOffsets(groupId, [{ topic, partition: 0, offset: 0 }]),
        ).rejects.toMatchObject({
          code: 'GROUP_NOT_EMPTY',
        })
        await expect(admin.deleteGroup(groupId)).rejects.toMatchObject({ code: 'GROUP_NOT_EMPTY' })
        await one.membership.close()
        await expect.poll(() => other.owned).toBe('0,1,2,3')
        await other.membership.close()
        expect([...one.faults, ...other.faults]).toEqual([])
        const offsets = await admin.groupOffsets(groupId)
        expect([0, 1, 2, 3].map((partition) => offsets.get(`${topic}-${partition}`)?.offset)).toEqual([
          10, 11, 12, 13,
        ])
      },
    )

    it('without members can be moved and deleted', async () => {
      const topic = await newTopic(2)
      const groupId = uniqueName('group')
      await admin.alterGroupOffsets(groupId, [
        { topic, partition: 0, offset: 5 },
        { topic, partition: 1, offset: 6 },
      ])
      expect(await admin.listGroups()).toContainEqual(expect.objectContaining({ groupId, state: 'Empty' }))
      await admin.deleteGroupOffsets(groupId, [{ topic, partition: 0 }])
      expect([...(await admin.groupOffsets(groupId)).keys()]).toEqual([`${topic}-1`])
      await admin.deleteGroup(groupId)
      await admin.deleteGroup(groupId)
      expect((await admin.groupOffsets(groupId)).size).toBe(0)
    })
  })
}
