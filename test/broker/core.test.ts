import { beforeEach, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { createBrokerCore } from '../../src/broker/index.ts'
import { apiVersionsSchema } from '../../src/broker/protocol/apis/api-versions.ts'
import { createPartitionsSchema } from '../../src/broker/protocol/apis/create-partitions.ts'
import { createTopicsSchema } from '../../src/broker/protocol/apis/create-topics.ts'
import { fetchSchema } from '../../src/broker/protocol/apis/fetch.ts'
import { metadataSchema } from '../../src/broker/protocol/apis/metadata.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { batchOf } from './support/batch.ts'
import { encodeRequest, settle, WireClient } from './support/wire-client.ts'

let clock: ManualClock
let core: BrokerCore
let client: WireClient

beforeEach(() => {
  clock = new ManualClock(1_000)
  core = createBrokerCore({
    clock,
    topics: [{ name: 'here', partitions: 2 }],
    onInternalError: (error) => expect.unreachable(String(error)),
  })
  client = new WireClient(core)
})

const produceFields = (acks = -1, topic = 'here', values = ['a']) => ({
  transactionalId: null,
  acks,
  timeoutMs: 1000,
  topicData: [{ name: topic, partitionData: [{ index: 0, records: batchOf(values) }] }],
})

const produce = async (from = client): Promise<number | undefined> => {
  const { responses } = await from.call(produceSchema, 9, produceFields())
  return responses[0]?.partitionResponses[0]?.errorCode
}

const fetch = (
  from: WireClient,
  changes: { maxWaitMs?: number; minBytes?: number; fetchOffset?: number } = {},
) =>
  from.call(fetchSchema, 11, {
    maxWaitMs: changes.maxWaitMs ?? 500,
    minBytes: changes.minBytes ?? 1,
    isolationLevel: 0,
    topics: [
      {
        topic: 'here',
        partitions: [{ partition: 0, fetchOffset: changes.fetchOffset ?? 0, partitionMaxBytes: 1_000_000 }],
      },
    ],
  })

const sizeOf = (response: Awaited<ReturnType<typeof fetch>>): number | undefined =>
  response.responses[0]?.partitions[0]?.records?.length

describe('a fetch', () => {
  it('waits for the bytes it wants', async () => {
    let answered = false
    const waiting = fetch(client, { minBytes: batchOf(['a']).length + 1 }).then((answer) => {
      answered = true
      return answer
    })
    const other = new WireClient(core)
    await produce(other)
    await settle()
    expect(answered).toBe(false)
    await produce(other)
    await settle()
    expect(answered).toBe(true)
    expect(sizeOf(await waiting)).toBe(2 * batchOf(['a']).length)
  })

  it('is answered with nothing when its time is over', async () => {
    const waiting = fetch(client)
    await settle()
    clock.advance(500)
    expect(sizeOf(await waiting)).toBe(0)
  })

  it('is answered at once where something is wrong', async () => {
    const answer = await fetch(client, { fetchOffset: 9 })
    expect(answer.responses[0]?.partitions[0]?.errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
  })

  it('ends its wait when its client goes', async () => {
    const waiting = fetch(client)
    await settle()
    client.close()
    expect(sizeOf(await waiting)).toBe(0)
  })

  it('gives one batch even if it is larger than all limits', async () => {
    await produce()
    await produce()
    const response = await client.call(fetchSchema, 11, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1,
      isolationLevel: 0,
      topics: [{ topic: 'here', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
    })
    expect(sizeOf(response)).toBe(batchOf(['a']).length)
  })
})

describe('a connection', () => {
  it('answers its requests in their order, and others meanwhile', async () => {
    const order: string[] = []
    const waiting = fetch(client).then(() => order.push('fetch'))
    const behind = client.call(metadataSchema, 9, { topics: [] }).then(() => order.push('metadata'))
    await new WireClient(core).call(metadataSchema, 9, { topics: [] })
    order.push('other')
    clock.advance(500)
    await Promise.all([waiting, behind])
    expect(order).toEqual(['other', 'fetch', 'metadata'])
  })

  it('is closed by bytes that are no request, and by versions that are not served', async () => {
    const malformed = expect.objectContaining({ code: 'MALFORMED_REQUEST' })
    await expect(core.connect().request(new Uint8Array(3))).rejects.toEqual(malformed)
    await expect(
      core.connect().request(encodeRequest(produceSchema, 99, 1, produceFields())),
    ).rejects.toEqual(malformed)
    await expect(
      core.connect().request(Uint8Array.from([0, 99, 0, 0, 0, 0, 0, 1, 255, 255])),
    ).rejects.toEqual(malformed)
  })

  it('has no answer to acks=0, and is closed where that fails', async () => {
    expect(await client.tell(produceSchema, 9, produceFields(0))).toBe(true)
    await expect(client.tell(produceSchema, 9, produceFields(0, 'missing'))).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
    })
  })
})

describe('ApiVersions', () => {
  it('answers a version of the future in the words of version 0', async () => {
    const frame = encodeRequest(apiVersionsSchema, 4, 7, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1',
    })
    new DataView(frame.buffer, frame.byteOffset).setInt16(2, 9)
    const answer = concatBytes(...((await core.connect().request(frame)) ?? []))
    const view = new DataView(answer.buffer)
    expect([view.getInt32(0), view.getInt16(4)]).toEqual([7, Errors.UNSUPPORTED_VERSION])
    expect(view.getInt32(6)).toBeGreaterThan(30)
  })

  it('advertises Produce from 0, and transactions of version 2 unless it is set otherwise', async () => {
    const ask = (from: WireClient) =>
      from.call(apiVersionsSchema, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
    const plain = await ask(client)
    expect(plain.apiKeys.find(({ apiKey }) => apiKey === 0)).toMatchObject({ minVersion: 0, maxVersion: 12 })
    expect(plain.finalizedFeatures).toEqual([
      { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 },
    ])
    const older = await ask(new WireClient(createBrokerCore({ clock, settings: { transactionVersion: 0 } })))
    expect(older.finalizedFeatures).toEqual([])
  })
})

describe('a fault hook', () => {
  it('answers with an error and does nothing', async () => {
    const stop = core.onRequest('Produce', () => ({ kind: 'error', error: 'NOT_ENOUGH_REPLICAS' }))
    expect(await produce()).toBe(Errors.NOT_ENOUGH_REPLICAS)
    stop()
    expect(await produce()).toBe(Errors.NONE)
    expect(core.broker.topics.partition('here', 0)?.logEndOffset).toBe(1)
  })

  it('loses the answer of what was done, or drops what was not', async () => {
    const faults = ['loseResponse', 'drop'] as const
    for (const kind of faults) {
      const stop = core.onRequest('Produce', () => ({ kind }))
      await expect(produce(new WireClient(core))).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
      stop()
    }
    expect(core.broker.topics.partition('here', 0)?.logEndOffset).toBe(1)
  })

  it('delays, on the broker’s clock', async () => {
    core.onRequest('Produce', ({ clientId }) =>
      clientId === 'test' ? { kind: 'delay', delayMs: 50 } : undefined,
    )
    const waiting = produce()
    await settle()
    expect(core.broker.topics.partition('here', 0)?.logEndOffset).toBe(0)
    clock.advance(50)
    expect(await waiting).toBe(Errors.NONE)
  })
})

it('a mistake in the broker is reported, and told to the client', async () => {
  const reported: unknown[] = []
  const faulty = createBrokerCore({ clock, onInternalError: (error) => reported.push(error) })
  faulty.broker.topics.add = () => {
    throw new TypeError('planted')
  }
  const { topics } = await new WireClient(faulty).call(createTopicsSchema, 7, {
    topics: [{ name: 'x', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  } as never)
  expect(topics).toMatchObject([{ name: 'x', errorCode: Errors.UNKNOWN_SERVER_ERROR }])
  expect(String(reported[0])).toContain('planted')
})

it('unknown topics are created by asking only where the broker and the client agree', async () => {
  const open = new WireClient(
    createBrokerCore({ clock, settings: { autoCreateTopicsEnable: true, numPartitions: 3 } }),
  )
  const ask = async (from: WireClient, allowAutoTopicCreation: boolean): Promise<unknown> => {
    const { topics } = await from.call(metadataSchema, 9, {
      topics: [{ name: 'new' }],
      allowAutoTopicCreation,
    })
    return [topics[0]?.errorCode, topics[0]?.partitions.length]
  }
  expect(await ask(client, true)).toEqual([Errors.UNKNOWN_TOPIC_OR_PARTITION, 0])
  expect(await ask(open, false)).toEqual([Errors.UNKNOWN_TOPIC_OR_PARTITION, 0])
  expect(await ask(open, true)).toEqual([Errors.NONE, 3])
})

it('two brokers of the same seed give the same ids', () => {
  const seeded = (): BrokerCore => {
    let next = 1
    return createBrokerCore({
      clock,
      topics: [{ name: 'here' }],
      randomBytes: (length) => Uint8Array.from({ length }, () => next++ % 100),
    })
  }
  expect(seeded().broker.topics.get('here')?.id).toBe(seeded().broker.topics.get('here')?.id)
  expect(core.broker.topics.get('here')?.id).not.toBe(seeded().broker.topics.get('here')?.id)
})

describe('a request for more partitions than a broker creates at once', () => {
  it.for([10_003, 20_000_000, 2_147_483_647])('is refused: a topic does not grow to %i', async (count) => {
    const { results } = await client.call(createPartitionsSchema, 3, {
      topics: [
        { name: 'here', count, assignments: null },
        { name: 'nowhere', count, assignments: null },
      ],
      timeoutMs: 1000,
      validateOnly: false,
    })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      Errors.POLICY_VIOLATION,
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(core.broker.topics.get('here')?.partitions.length).toBe(2)
  })

  it.for([10_001, 20_000_000])('is refused: no topic of %i partitions is created', async (numPartitions) => {
    const { topics } = await client.call(createTopicsSchema, 7, {
      topics: [{ name: 'big', numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: false,
    })
    expect(topics[0]).toMatchObject({
      errorCode: Errors.POLICY_VIOLATION,
      errorMessage: 'Excessively large number of partitions per request.',
    })
    expect(core.broker.topics.get('big')).toBeUndefined()
  })
})

describe('a broker whose memory is bounded', () => {
  const send = async (on: WireClient, topic = 'here') => {
    const { responses } = await on.call(produceSchema, 9, produceFields(-1, topic, ['x'.repeat(1_000)]))
    return responses[0]?.partitionResponses[0]
  }

  it('refuses records and topics beyond its bound, says why once, and takes them again when there is room', async () => {
    const reports: unknown[] = []
    const memory = { maxBytes: 100_000, maxBatches: Infinity }
    const bounded = createBrokerCore({
      clock,
      memory,
      topics: [{ name: 'here' }, { name: 'there' }],
      onInternalError: (error) => reports.push(error),
    })
    const on = new WireClient(bounded)
    let accepted = 0
    let last = await send(on)
    for (; last?.errorCode === Errors.NONE && accepted < 1_000; accepted++) last = await send(on)
    expect(accepted).toBeLessThan(100)
    expect(last).toMatchObject({
      errorCode: Errors.POLICY_VIOLATION,
      errorMessage: expect.stringContaining('raise maxBytes (--max-bytes)'),
    })
    await send(on)
    expect(reports.length).toBe(1)
    expect(() => bounded.broker.createTopic('more', 10, new Map())).toThrow('at most 100000 bytes')
    const topic = bounded.broker.topics.get('here')
    if (topic !== undefined) bounded.broker.deleteTopic(topic)
    expect((await send(on, 'there'))?.errorCode).toBe(Errors.NONE)
  })

  it('bounds the number of batches, which take memory of their own', async () => {
    const memory = { maxBytes: Infinity, maxBatches: 3 }
    const on = new WireClient(createBrokerCore({ clock, memory, topics: [{ name: 'here' }] }))
    const codes: (number | undefined)[] = []
    for (let index = 0; index < 4; index++) codes.push((await send(on))?.errorCode)
    expect(codes).toEqual([Errors.NONE, Errors.NONE, Errors.NONE, Errors.POLICY_VIOLATION])
  })
})
