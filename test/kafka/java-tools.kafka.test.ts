import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { days } from '../../src/base/duration.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { Fetcher } from '../../src/kafka/fetcher.ts'
import { fetchApi } from '../../src/kafka/fetch/fetch-codec.ts'
import { Producer } from '../../src/kafka/producer.ts'
import {
  attributesAt,
  compressionMask,
  headerLength,
  lengthAt,
  logAppendTimeFlag,
  readInt16,
  readInt32,
  recordCountAt,
} from '../../src/kafka/record-batch/batch-header.ts'
import type { Compression } from '../../src/kafka/record-batch/compression.ts'
import { compressionCode } from '../../src/kafka/record-batch/compression.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { decodeHeaders } from '../../src/topic/record-columns.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import type { RawRecord } from './java-client/record-lines.ts'
import { readLine, runJava, shortened, writtenLine } from './java-client/record-lines.ts'

/**
 * Records that go from Kafka's own client for Java to Millrace's and back, under every codec. One topic holds one batch
 * of one writer; both clients read all of them, so each says the same of the other's records as of its own.
 */
const codecs: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const writers = ['java', 'millrace'] as const
const largestBytes = 8_388_608

interface Written {
  readonly topic: string
  readonly writer: (typeof writers)[number]
  readonly codec: Compression
  /** Where the broker gives the times, they are not those of the writer. */
  readonly isLogAppendTime: boolean
}

describe("records between Kafka's client for Java and Millrace's", () => {
  const cases: readonly Written[] = writers.flatMap((writer) => [
    ...codecs.map((codec) => ({
      topic: uniqueName(`${writer}-${codec}`),
      writer,
      codec,
      isLogAppendTime: false,
    })),
    { topic: uniqueName(`${writer}-appended`), writer, codec: 'zstd' as const, isLogAppendTime: true },
  ])
  const records = recordsAround(systemClock.now())
  let transport: TcpTransport
  let cluster: Cluster
  let readByJava: ReadonlyMap<string, readonly string[]>

  beforeAll(async () => {
    transport = new TcpTransport({ brokers: kafkaBrokers(), clientId: 'java-tools' })
    cluster = new Cluster({ transport, clock: systemClock })
    await new Admin(cluster).createTopics(
      cases.map(({ topic, isLogAppendTime }) => ({
        topic,
        configs: {
          'max.message.bytes': String(largestBytes),
          'retention.ms': '-1',
          'message.timestamp.type': isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
        },
      })),
    )
    await cluster.waitForTopics(
      cases.map(({ topic }) => topic),
      10_000,
    )
    const byWriter = Object.groupBy(cases, ({ writer }) => writer)
    for (const { topic, codec } of byWriter.millrace ?? []) await writeByMillrace(topic, codec)
    await runJava(
      ['write', kafkaBrokers()],
      (byWriter.java ?? []).flatMap(({ topic, codec }) =>
        records.map((each) => writtenLine(topic, codec, each)),
      ),
    )
    const lines = await runJava(['read', kafkaBrokers(), ...cases.map(({ topic }) => topic)])
    readByJava = new Map(
      cases.map(({ topic }) => [topic, lines.filter((line) => line.startsWith(`${topic}\t`))] as const),
    )
  })
  afterAll(() => transport.close())

  const writeByMillrace = async (topic: string, compression: Compression): Promise<void> => {
    const producer = new Producer({
      cluster,
      name: topic,
      compressionType: compression,
      batchBytes: largestBytes,
      maxRequestSize: largestBytes,
      lingerMs: 60_000,
    })
    await producer.prepare([topic])
    for (const { key, value, timestamp, headers } of records)
      producer.send(topic, 0, key, value, timestamp, headers)
    await producer.flush()
    producer.close()
  }

  const readByMillrace = async ({ topic, isLogAppendTime }: Written): Promise<readonly string[]> => {
    const fetcher = new Fetcher({
      cluster,
      name: topic,
      checkCrcs: true,
      maxWaitMs: 100,
      partitionMaxBytes: largestBytes,
      isolation: 'read_committed',
    })
    fetcher.assign([{ topic, partition: 0, offset: 'earliest' }])
    const lines: string[] = []
    while (lines.length < records.length)
      for (const { columns } of await fetcher.poll(1_000))
        for (let row = 0; row < columns.count; row++) {
          const slice = (start: number, end: number): Uint8Array | null =>
            start < 0 ? null : columns.buffer.subarray(start, end)
          lines.push(
            readLine(topic, columns.offsets[row] as number, isLogAppendTime, {
              timestamp: columns.timestamps[row] as number,
              key: slice(columns.keyStarts[row] as number, columns.keyEnds[row] as number),
              value: slice(columns.valueStarts[row] as number, columns.valueEnds[row] as number),
              headers: decodeHeaders(columns, row),
            }),
          )
        }
    fetcher.close()
    return lines
  }

  /** The batches as the broker keeps them. */
  const batchesOf = async (topic: string): Promise<readonly Batch[]> => {
    const { id } = await cluster.topic(topic)
    const leader = cluster.leaderOf(topic, 0)
    if (leader === undefined) throw new Error(`${topic} has no leader`)
    const { body, partitions } = await cluster.callBroker(leader, 'fetch:batches', fetchApi, {
      maxWaitMs: 1_000,
      minBytes: 1,
      maxBytes: largestBytes,
      isolationLevel: 0,
      topics: [
        {
          topicId: id,
          partitions: [{ partition: 0, leaderEpoch: -1, fetchOffset: 0, maxBytes: largestBytes }],
        },
      ],
    })
    const [fetched] = partitions
    if (fetched === undefined) throw new Error(`nothing was fetched of ${topic}`)
    const { start, end } = fetched
    const batches: Batch[] = []
    for (let at = start; at + headerLength <= end; at += 12 + readInt32(body, at + lengthAt))
      batches.push({
        codec: readInt16(body, at + attributesAt) & compressionMask,
        isLogAppendTime: (readInt16(body, at + attributesAt) & logAppendTimeFlag) !== 0,
        count: readInt32(body, at + recordCountAt),
        sizeInBytes: 12 + readInt32(body, at + lengthAt),
      })
    return batches
  }

  const given = cases.filter(({ isLogAppendTime }) => !isLogAppendTime)

  it.each(given)('$writer writes one batch with $codec', async ({ topic, codec }) => {
    const [batch, ...others] = await batchesOf(topic)
    expect(others).toEqual([])
    expect(batch).toMatchObject({
      codec: compressionCode(codec),
      count: records.length,
      isLogAppendTime: false,
    })
    const plainBytes = 2 ** 20 + 2 ** 19
    if (codec === 'none') expect(batch?.sizeInBytes).toBeGreaterThan(plainBytes)
    else expect(batch?.sizeInBytes).toBeLessThan(plainBytes)
  })

  it.each(given)('Java reads what $writer wrote with $codec', ({ topic }) => {
    const expected = records.map((each, offset) => readLine(topic, offset, false, each))
    expect((readByJava.get(topic) ?? []).map(shortened)).toEqual(expected.map(shortened))
  })

  it.each(given)('Millrace reads what $writer wrote with $codec', async (written) => {
    const expected = records.map((each, offset) => readLine(written.topic, offset, false, each))
    expect((await readByMillrace(written)).map(shortened)).toEqual(expected.map(shortened))
  })

  it.each(cases.filter(({ isLogAppendTime }) => isLogAppendTime))(
    'both read the times of the broker where $writer wrote to a topic with LogAppendTime',
    async (written) => {
      expect(await batchesOf(written.topic)).toMatchObject([{ isLogAppendTime: true, count: records.length }])
      const lines = await readByMillrace(written)
      expect(lines.map(shortened)).toEqual((readByJava.get(written.topic) ?? []).map(shortened))
      const times = new Set(lines.map((line) => Number(line.split('\t')[3])))
      expect(times.size).toBe(1)
      const [time] = [...times] as [number]
      const [first] = records as [RawRecord]
      expect(time).toBeGreaterThanOrEqual(first.timestamp)
    },
  )
})

interface Batch {
  readonly codec: number
  readonly isLogAppendTime: boolean
  readonly count: number
  readonly sizeInBytes: number
}

/** A batch with every kind of key, value and header, and times that jump 30 days back and forth. */
function recordsAround(now: number): readonly RawRecord[] {
  const text = (each: string): Uint8Array => new TextEncoder().encode(each)
  const plain = { timestamp: now, key: text('key'), value: text('value'), headers: [] }
  const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at)
  return [
    plain,
    { ...plain, timestamp: now - days(30), key: new Uint8Array(0), value: new Uint8Array(0) },
    { ...plain, timestamp: now, key: null, value: null },
    { ...plain, timestamp: now - days(60), key: everyByte, value: null },
    {
      ...plain,
      headers: [
        ['trace', text('1')],
        ['trace', null],
        ['', new Uint8Array(0)],
        ['größe', everyByte],
      ],
    },
    { ...plain, timestamp: now - days(30), key: halfRandom(2 ** 20), value: text('of a key of 1 MB') },
    { ...plain, key: null, value: halfRandom(2 ** 19) },
    ...Array.from({ length: 500 }, (_, index) => ({
      ...plain,
      timestamp: now - days(30) * (index % 2) + index,
      key: text(`key-${index % 17}`),
      value: text(JSON.stringify({ orderId: `order-${index}`, amount: index * 1.5, note: '日本 €' })),
    })),
  ]
}

/** The first half does not compress, the second does: a codec keeps both kinds of block. */
const halfRandom = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  const block = 64
  for (let at = 0; at < length / 2; at += block)
    bytes.set(createHash('sha512').update(String(at)).digest(), at)
  return bytes
}
