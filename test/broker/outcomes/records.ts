import { concatBytes } from '../../../src/base/bytes.ts'
import { deleteRecordsSchema } from '../../../src/broker/protocol/apis/delete-records.ts'
import { fetchSchema } from '../../../src/broker/protocol/apis/fetch.ts'
import { listOffsetsSchema } from '../../../src/broker/protocol/apis/list-offsets.ts'
import { offsetForLeaderEpochSchema } from '../../../src/broker/protocol/apis/offset-for-leader-epoch.ts'
import { crc32c } from '../../../src/base/crc32c.ts'
import { batchOf } from '../support/batch.ts'
import { nameOf, type Outcome, type World } from './world.ts'

const now = (): number => Date.now()

/** A batch whose header was changed by `edit`, with a checksum that holds. */
const edited = (values: readonly string[], edit: (view: DataView) => void): Uint8Array => {
  const batch = batchOf(values, { timestamps: values.map(now) })
  const view = new DataView(batch.buffer, batch.byteOffset)
  edit(view)
  view.setUint32(17, crc32c(batch, 21))
  return batch
}

const offsetAt = async (world: World, topic: string, timestamp: number, version = 9): Promise<unknown> => {
  const { topics } = await world.client.call(listOffsetsSchema, version, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
  })
  const found = topics[0]?.partitions[0]
  return [nameOf(found?.errorCode), found?.offset, found?.timestamp]
}

const deleteUpTo = async (world: World, topic: string, offset: number): Promise<unknown> => {
  const { topics } = await world.client.call(deleteRecordsSchema, 2, {
    timeoutMs: 5000,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
  })
  const found = topics[0]?.partitions[0]
  return [nameOf(found?.errorCode), found?.lowWatermark]
}

export const recordOutcomes: readonly Outcome[] = [
  {
    title: 'a batch sent again is no duplicate, and a gap in the sequence is refused',
    expected: ['NONE', 'NONE', 0, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'NONE', 3],
    run: async (world) => {
      const topic = await world.topic()
      const identity = await world.idempotent()
      const first = batchOf(['a', 'b'], { ...identity, baseSequence: 0, timestamps: [now(), now()] })
      const sent = await world.produce(topic, first)
      const again = await world.produced(topic, first)
      const gap = await world.send(topic, ['z'], { ...identity, baseSequence: 9 })
      const next = await world.send(topic, ['c'], { ...identity, baseSequence: 2 })
      const end = (await world.fetched(topic, 0))?.highWatermark
      return [sent, nameOf(again?.errorCode), again?.baseOffset, gap, next, end]
    },
  },
  {
    title: 'a batch older than the last five is out of order',
    expected: ['NONE', 'NONE', 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    run: async (world) => {
      const topic = await world.topic()
      const identity = await world.idempotent()
      const send = (baseSequence: number): Promise<string> =>
        world.send(topic, ['x'], { ...identity, baseSequence })
      const answers = []
      for (let sequence = 0; sequence < 7; sequence++) answers.push(await send(sequence))
      return [answers.find((answer) => answer !== 'NONE') ?? 'NONE', await send(2), await send(1)]
    },
  },
  {
    title: 'epochs only rise, and a new one begins at sequence 0',
    expected: ['NONE', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'NONE', 'INVALID_PRODUCER_EPOCH'],
    run: async (world) => {
      const topic = await world.topic()
      const { producerId } = await world.idempotent()
      const send = (producerEpoch: number, baseSequence: number): Promise<string> =>
        world.send(topic, ['x'], { producerId, producerEpoch, baseSequence })
      return [await send(0, 0), await send(1, 1), await send(1, 0), await send(0, 1)]
    },
  },
  {
    title: 'a producer that the partition does not know may begin anywhere',
    expected: ['NONE', 'NONE'],
    run: async (world) => {
      const topic = await world.topic()
      const identity = await world.idempotent()
      return [
        await world.send(topic, ['x'], { ...identity, baseSequence: 5 }),
        await world.send(topic, ['x'], { ...identity, baseSequence: 6 }),
      ]
    },
  },
  {
    title: 'sequences wrap around',
    expected: ['NONE', 'NONE', 'NONE'],
    run: async (world) => {
      const topic = await world.topic()
      const identity = await world.idempotent()
      return [
        await world.send(topic, ['x'], { ...identity, baseSequence: 2147483646 }),
        await world.send(topic, ['x', 'y'], { ...identity, baseSequence: 2147483647 }),
        await world.send(topic, ['x'], { ...identity, baseSequence: 1 }),
      ]
    },
  },
  {
    title: 'a batch must be sound',
    expected: {
      checksum: 'CORRUPT_MESSAGE',
      twoBatches: 'INVALID_RECORD',
      empty: 'INVALID_RECORD',
      control: 'INVALID_RECORD',
      count: 'INVALID_RECORD',
      noSequence: 'INVALID_RECORD',
      magic: 'INVALID_RECORD',
      noRecords: 'INVALID_RECORD',
    },
    run: async (world) => {
      const topic = await world.topic()
      const wrong = edited(['a'], () => undefined)
      wrong[wrong.length - 1] = 99
      const one = batchOf(['a'], { timestamps: [now()] })
      return {
        checksum: await world.produce(topic, wrong),
        twoBatches: await world.produce(topic, concatBytes(one, one)),
        empty: await world.produce(topic, new Uint8Array(0)),
        control: await world.produce(
          topic,
          edited(['a'], (view) => view.setInt16(21, 32)),
        ),
        count: await world.produce(
          topic,
          edited(['a', 'b'], (view) => view.setInt32(57, 1)),
        ),
        noSequence: await world.produce(
          topic,
          edited(['a'], (view) => view.setBigInt64(43, 5n)),
        ),
        magic: await world.produce(
          topic,
          edited(['a'], (view) => view.setInt8(16, 1)),
        ),
        noRecords: await world.produce(
          topic,
          edited([], () => undefined),
        ),
      }
    },
  },
  {
    title: 'a compacted topic takes no record without a key, and says which',
    expected: ['INVALID_RECORD', [1, 2], 'NONE'],
    run: async (world) => {
      const topic = await world.topic({ 'cleanup.policy': 'compact' })
      const keyless = batchOf(['a', 'b', 'c'], { keys: ['k', null, null], timestamps: [now(), now(), now()] })
      const refused = await world.produced(topic, keyless)
      return [
        nameOf(refused?.errorCode),
        refused?.recordErrors?.map(({ batchIndex }) => batchIndex),
        await world.send(topic, ['a']),
      ]
    },
  },
  {
    title: 'a batch beyond max.message.bytes is refused',
    expected: ['MESSAGE_TOO_LARGE', 'NONE'],
    run: async (world) => {
      const topic = await world.topic({ 'max.message.bytes': '200' })
      return [await world.send(topic, ['x'.repeat(200)]), await world.send(topic, ['x'])]
    },
  },
  {
    title: 'produce names what is wrong with the place and the acks',
    expected: [
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_REQUIRED_ACKS',
      'INVALID_TIMESTAMP',
    ],
    run: async (world) => {
      const topic = await world.topic()
      return [
        await world.send(world.name('missing'), ['x']),
        await world.send(topic, ['x'], { partition: 7 }),
        await world.send(topic, ['x'], { acks: 2 }),
        await world.send(topic, ['x'], { timestamps: [now() + 7_200_000] }),
      ]
    },
  },
  {
    title: 'log append time replaces the timestamps',
    expected: ['NONE', true, true],
    run: async (world) => {
      const topic = await world.topic({ 'message.timestamp.type': 'LogAppendTime' })
      const sent = await world.produced(topic, batchOf(['a'], { timestamps: [1000] }))
      const records = (await world.fetched(topic, 0))?.records ?? new Uint8Array(0)
      const view = new DataView(records.buffer, records.byteOffset)
      return [
        nameOf(sent?.errorCode),
        (sent?.logAppendTimeMs ?? 0) > 1_000_000,
        Number(view.getBigInt64(35)) === sent?.logAppendTimeMs && crc32c(records, 21) === view.getUint32(17),
      ]
    },
  },
  {
    title: 'fetch gives whole batches within the log, and nothing outside of it',
    expected: {
      middle: ['NONE', 0],
      end: ['NONE', 0, 4],
      beyond: ['OFFSET_OUT_OF_RANGE', -1],
      before: 'OFFSET_OUT_OF_RANGE',
      unknown: 'UNKNOWN_TOPIC_OR_PARTITION',
      newerEpoch: 'UNKNOWN_LEADER_EPOCH',
    },
    run: async (world) => {
      const topic = await world.topic()
      await world.send(topic, ['a', 'b', 'c', 'd'])
      const middle = await world.fetched(topic, 2)
      const end = await world.fetched(topic, 4)
      const beyond = await world.fetched(topic, 5)
      const records = middle?.records ?? new Uint8Array(8)
      const firstOffset = Number(new DataView(records.buffer, records.byteOffset).getBigInt64(0))
      return {
        middle: [nameOf(middle?.errorCode), firstOffset],
        end: [nameOf(end?.errorCode), end?.records?.length, end?.highWatermark],
        beyond: [nameOf(beyond?.errorCode), beyond?.highWatermark],
        before: nameOf((await world.fetched(topic, -5))?.errorCode),
        unknown: nameOf((await world.fetched(world.name('missing'), 0))?.errorCode),
        newerEpoch: nameOf((await world.fetched(topic, 0, 0, 7))?.errorCode),
      }
    },
  },
  {
    title: 'fetch by an id that nobody has says so',
    expected: ['UNKNOWN_TOPIC_ID', -1],
    run: async (world) => {
      const { responses } = await world.client.call(fetchSchema, 13, {
        maxWaitMs: 0,
        minBytes: 0,
        isolationLevel: 0,
        topics: [
          {
            topicId: 'AbCdEfGhIjKlMnOpQrStUw',
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
          },
        ],
      })
      const found = responses[0]?.partitions[0]
      return [nameOf(found?.errorCode), found?.highWatermark]
    },
  },
  {
    title: 'offsets are found by time, first and last',
    expected: {
      empty: [
        ['NONE', 0, -1],
        ['NONE', 0, -1],
        ['NONE', -1, -1],
        ['NONE', -1, -1],
      ],
      earliest: ['NONE', 0, -1],
      latest: ['NONE', 4, -1],
      local: ['NONE', 0, -1],
      tiered: ['NONE', -1, -1],
      max: ['NONE', 2, 4000],
      at: ['NONE', 0, 1000],
      inside: ['NONE', 2, 4000],
      second: ['NONE', 1, 2000],
      beyond: ['NONE', -1, -1],
      unknown: ['UNKNOWN_TOPIC_OR_PARTITION', -1, -1],
    },
    run: async (world) => {
      const topic = await world.topic()
      const empty = []
      for (const timestamp of [-2, -1, -3, 5]) empty.push(await offsetAt(world, topic, timestamp))
      await world.produce(topic, batchOf(['a', 'b'], { timestamps: [1000, 2000] }))
      await world.produce(topic, batchOf(['c', 'd'], { timestamps: [4000, 3000] }))
      return {
        empty,
        earliest: await offsetAt(world, topic, -2),
        latest: await offsetAt(world, topic, -1),
        local: await offsetAt(world, topic, -4),
        tiered: await offsetAt(world, topic, -5),
        max: await offsetAt(world, topic, -3),
        at: await offsetAt(world, topic, 1000),
        inside: await offsetAt(world, topic, 2500),
        second: await offsetAt(world, topic, 1001),
        beyond: await offsetAt(world, topic, 4001),
        unknown: await offsetAt(world, world.name('missing'), -1),
      }
    },
  },
  {
    title: 'records are deleted up to an offset within the log',
    expected: [
      ['NONE', 1],
      ['NONE', 1],
      ['OFFSET_OUT_OF_RANGE', -1],
      ['OFFSET_OUT_OF_RANGE', -1],
      ['NONE', 1, -1],
      'OFFSET_OUT_OF_RANGE',
      1,
      ['NONE', 3],
      ['UNKNOWN_TOPIC_OR_PARTITION', -1],
    ],
    run: async (world) => {
      const topic = await world.topic()
      await world.send(topic, ['a', 'b', 'c'])
      return [
        await deleteUpTo(world, topic, 1),
        await deleteUpTo(world, topic, 0),
        await deleteUpTo(world, topic, 9),
        await deleteUpTo(world, topic, -7),
        await offsetAt(world, topic, -2),
        nameOf((await world.fetched(topic, 0))?.errorCode),
        (await world.fetched(topic, 2))?.logStartOffset,
        await deleteUpTo(world, topic, -1),
        await deleteUpTo(world, world.name('missing'), 0),
      ]
    },
  },
  {
    title: 'records of a compacted topic are not deleted',
    expected: ['POLICY_VIOLATION', -1],
    run: async (world) => {
      const topic = await world.topic({ 'cleanup.policy': 'compact' })
      await world.send(topic, ['a'])
      return deleteUpTo(world, topic, 1)
    },
  },
  {
    title: 'the one leader epoch ends where the log does',
    expected: [
      ['NONE', 0, 2],
      ['NONE', -1, -1],
      ['UNKNOWN_LEADER_EPOCH', -1, -1],
    ],
    run: async (world) => {
      const topic = await world.topic()
      await world.send(topic, ['a', 'b'])
      const ask = async (leaderEpoch: number, currentLeaderEpoch: number): Promise<unknown> => {
        const { topics } = await world.client.call(offsetForLeaderEpochSchema, 4, {
          replicaId: -1,
          topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
        })
        const found = topics[0]?.partitions[0]
        return [nameOf(found?.errorCode), found?.leaderEpoch, found?.endOffset]
      }
      return [await ask(0, -1), await ask(5, -1), await ask(0, 7)]
    },
  },
]
