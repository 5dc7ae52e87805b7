import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { createBrokerCore, memoryStorage, startBroker, type RunningBroker } from '../../src/broker/index.ts'
import { addPartitionsToTxnSchema } from '../../src/broker/protocol/apis/add-partitions-to-txn.ts'
import { deleteRecordsSchema } from '../../src/broker/protocol/apis/delete-records.ts'
import { describeConfigsSchema } from '../../src/broker/protocol/apis/describe-configs.ts'
import { fetchSchema } from '../../src/broker/protocol/apis/fetch.ts'
import { initProducerIdSchema } from '../../src/broker/protocol/apis/init-producer-id.ts'
import { listOffsetsSchema } from '../../src/broker/protocol/apis/list-offsets.ts'
import { offsetCommitSchema } from '../../src/broker/protocol/apis/offset-commit.ts'
import { offsetFetchSchema } from '../../src/broker/protocol/apis/offset-fetch.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { batchOf, type BatchOptions } from './support/batch.ts'
import { WireClient } from './support/wire-client.ts'

let dataDirectory: string
let broker: RunningBroker
let client: WireClient
let clock: ManualClock

const start = async (): Promise<void> => {
  clock = new ManualClock(1_000_000)
  broker = await startBroker({
    dataDirectory,
    clock,
    topics: [{ name: 'kept', partitions: 2, configs: { 'retention.ms': '1000' } }],
    onInternalError: (error) => expect.unreachable(String(error)),
  })
  client = new WireClient(broker.core)
}

const restart = async (): Promise<void> => {
  await broker.close()
  await start()
}

beforeEach(async () => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  await start()
})

afterEach(async () => {
  await broker.close()
  rmSync(dataDirectory, { recursive: true })
})

const send = async (values: string[], options: BatchOptions = {}, transactionalId: string | null = null) => {
  const records = batchOf(values, options)
  const response = await client.call(produceSchema, 11, {
    transactionalId,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'kept', partitionData: [{ index: 0, records }] }],
  })
  return response.responses[0]?.partitionResponses[0]
}

const bounds = async (): Promise<(number | undefined)[]> => {
  const ask = async (timestamp: number): Promise<number | undefined> => {
    const response = await client.call(listOffsetsSchema, 9, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: 'kept', partitions: [{ partitionIndex: 0, timestamp }] }],
    })
    return response.topics[0]?.partitions[0]?.offset
  }
  return [await ask(-2), await ask(-1)]
}

const everything = async (): Promise<Uint8Array | null | undefined> => {
  const response = await client.call(fetchSchema, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    isolationLevel: 0,
    topics: [{ topic: 'kept', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
  })
  return response.responses[0]?.partitions[0]?.records
}

it('keeps topics, their configs and ids, and their records byte for byte', async () => {
  await send(['a', 'b'])
  await send(['c'])
  const before = await everything()
  const { id } = broker.core.broker.topics.get('kept') ?? {}
  await restart()
  expect(await everything()).toEqual(before)
  expect(broker.core.broker.topics.get('kept')?.id).toBe(id)
  const configs = await client.call(describeConfigsSchema, 4, {
    resources: [{ resourceType: 2, resourceName: 'kept', configurationKeys: ['retention.ms'] }],
    includeSynonyms: false,
  })
  expect(configs.results[0]?.configs[0]).toMatchObject({ value: '1000', configSource: 1 })
  expect((await send(['d']))?.baseOffset).toBe(3)
})

it('keeps committed offsets, and where a log begins', async () => {
  await send(['a', 'b'])
  await client.call(offsetCommitSchema, 8, {
    groupId: 'readers',
    memberId: '',
    topics: [
      { name: 'kept', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'x' }] },
    ],
  })
  await client.call(deleteRecordsSchema, 2, {
    timeoutMs: 1000,
    topics: [{ name: 'kept', partitions: [{ partitionIndex: 0, offset: 1 }] }],
  })
  await restart()
  const fetched = await client.call(offsetFetchSchema, 8, { groups: [{ groupId: 'readers', topics: null }] })
  expect(fetched.groups[0]?.topics[0]?.partitions[0]).toMatchObject({ committedOffset: 2, metadata: 'x' })
  expect(await bounds()).toEqual([1, 2])
})

it('still knows a batch that an idempotent producer sends again', async () => {
  const { producerId } = await client.call(initProducerIdSchema, 4, {
    transactionalId: null,
    transactionTimeoutMs: 1,
  })
  const batch = { producerId, producerEpoch: 0, baseSequence: 0 }
  await send(['a'], batch)
  await restart()
  expect(await send(['a'], batch)).toMatchObject({ errorCode: Errors.NONE, baseOffset: 0 })
  expect((await send(['a'], { ...batch, baseSequence: 5 }))?.errorCode).toBe(
    Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
  )
  const next = await client.call(initProducerIdSchema, 4, { transactionalId: null, transactionTimeoutMs: 1 })
  expect(next.producerId).toBeGreaterThan(producerId)
})

it('still holds a transaction open, and times it out', async () => {
  const identity = await client.call(initProducerIdSchema, 4, {
    transactionalId: 't',
    transactionTimeoutMs: 5_000,
  })
  const { producerId, producerEpoch } = identity
  await client.call(addPartitionsToTxnSchema, 3, {
    v3AndBelowTransactionalId: 't',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: 'kept', partitions: [0] }],
  })
  await send(['a'], { producerId, producerEpoch, baseSequence: 0, transactional: true }, 't')
  await restart()
  expect(await bounds()).toEqual([0, 0])
  clock.advance(20_000)
  expect(await bounds()).toEqual([0, 2])
})

it('cuts off what a killed process has written half', async () => {
  await send(['a'])
  await broker.close()
  appendFileSync(join(dataDirectory, 'logs', 'kept-0'), Buffer.alloc(70))
  appendFileSync(join(dataDirectory, 'journal.jsonl'), '{"kind":"top')
  await start()
  expect(await bounds()).toEqual([0, 1])
  await send(['b'])
  await restart()
  expect(await bounds()).toEqual([0, 2])
  expect(readFileSync(join(dataDirectory, 'journal.jsonl'), 'utf8').endsWith('\n')).toBe(true)
})

it('belongs to one broker at a time', async () => {
  await expect(startBroker({ dataDirectory })).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' })
})

it('names the port that is taken', async () => {
  await expect(startBroker({ port: broker.port })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringContaining(String(broker.port)),
  })
})

it('finds again in memory what a broker that crashed had', async () => {
  const storage = memoryStorage()
  const topics = [{ name: 'kept', partitions: 2 }]
  const crashing = createBrokerCore({ storage, topics, clock })
  client = new WireClient(crashing)
  await send(['a', 'b'])
  crashing.close()
  client = new WireClient(createBrokerCore({ storage, topics, clock }))
  expect(await bounds()).toEqual([0, 2])
  expect((await send(['c']))?.baseOffset).toBe(2)
})
