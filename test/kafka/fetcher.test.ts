import { describe, expect, it } from 'vitest'
import type { InjectedFault } from '../../src/broker/index.ts'
import { Admin } from '../../src/kafka/admin.ts'
import type { FetcherOptions } from '../../src/kafka/fetcher.ts'
import type { FetchedBatch } from '../../src/kafka/fetch/fetched-batch.ts'
import { Fetcher } from '../../src/kafka/fetcher.ts'
import { Producer } from '../../src/kafka/producer.ts'
import type { CoreWorld } from './support/core-world.ts'
import { coreWorld } from './support/core-world.ts'
import { rowsOf, valuesOf } from './support/rows.ts'

const topics = [{ name: 't', partitions: 3 }]
const first = { topic: 't', partition: 0 }

const fetcherOf = (world: CoreWorld, options: Partial<FetcherOptions> = {}): Fetcher =>
  new Fetcher({ cluster: world.cluster, maxWaitMs: 100, ...options })

const produce = async (world: CoreWorld, values: readonly string[], partition = 0): Promise<void> => {
  const producer = new Producer({ cluster: world.cluster, name: crypto.randomUUID() })
  await world.run(producer.prepare(['t']))
  for (const value of values) producer.send('t', partition, null, Buffer.from(value), 1)
  await world.run(producer.flush())
  producer.close()
}

const textOf = (batches: readonly FetchedBatch[]): readonly (string | null)[] =>
  valuesOf(batches.flatMap(rowsOf))

/** Polls until that many records have come. */
const pollFor = async (
  world: CoreWorld,
  fetcher: Fetcher,
  count: number,
): Promise<readonly FetchedBatch[]> => {
  const batches: FetchedBatch[] = []
  for (let rows = 0; rows < count; rows = batches.reduce((sum, { columns }) => sum + columns.count, 0))
    batches.push(...(await world.run(fetcher.poll(1_000))))
  return batches
}

const once = (fault: InjectedFault): (() => InjectedFault | undefined) => {
  let left: InjectedFault | undefined = fault
  return () => {
    const now = left
    left = undefined
    return now
  }
}

describe('the fetcher', () => {
  it('reads from the position on and tells where it stands', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['a', 'b', 'c', 'd'])
    const fetcher = fetcherOf(world)
    fetcher.assign([{ ...first, offset: 1 }], 7)
    const [batch] = await pollFor(world, fetcher, 3)
    expect(batch).toMatchObject({
      ...first,
      generation: 7,
      nextOffset: 4,
      highWatermark: 4,
      logStartOffset: 0,
    })
    expect(textOf([batch as FetchedBatch])).toEqual(['b', 'c', 'd'])
    expect(fetcher.position('t', 0)).toBe(4)
    expect(fetcher.lag('t', 0)).toBe(0)
    expect(fetcher.endOffset('t', 0)).toBe(4)
    expect(fetcher.lag('t', 1)).toBeUndefined()
  })

  it('brings what is produced later, from all partitions', async () => {
    const world = coreWorld({ topics })
    const fetcher = fetcherOf(world)
    fetcher.assign([0, 1, 2].map((partition) => ({ topic: 't', partition, offset: 0 })))
    expect(await world.run(fetcher.poll(50))).toEqual([])
    await produce(world, ['a', 'b'], 0)
    await produce(world, ['c'], 2)
    expect(new Set(textOf(await pollFor(world, fetcher, 3)))).toEqual(new Set(['a', 'b', 'c']))
  })

  it('begins at the first record where it has no position and is told to', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['a', 'b'])
    const fetcher = fetcherOf(world, { offsetReset: 'earliest' })
    fetcher.assign([first])
    expect(textOf(await pollFor(world, fetcher, 2))).toEqual(['a', 'b'])
  })

  it('begins behind the last record where it has no position and is told to', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['a', 'b'])
    const fetcher = fetcherOf(world, { offsetReset: 'latest' })
    fetcher.assign([first])
    await world.run(fetcher.poll(50))
    await produce(world, ['c'])
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['c'])
  })

  it('starts again at the first record that is left when the log has moved on', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['a', 'b'])
    await produce(world, ['c', 'd'])
    await world.run(new Admin(world.cluster).deleteRecords([{ ...first, offset: 2 }]))
    const resets: string[] = []
    const onReset = ({ message }: Error): void => void resets.push(message)
    const fetcher = fetcherOf(world, { offsetReset: 'earliest', onReset })
    fetcher.assign([{ ...first, offset: 0 }])
    expect(textOf(await pollFor(world, fetcher, 2))).toEqual(['c', 'd'])
    expect(resets).toEqual([
      expect.stringMatching(/^the log has no offset 0 to read from, .* earliest offset/),
    ])
  })

  it('goes where the topic of a lost offset says, each topic for itself', async () => {
    const world = coreWorld({ topics: [...topics, { name: 'u', partitions: 1 }] })
    await produce(world, ['a', 'b'])
    const fetcher = fetcherOf(world, { offsetReset: (topic) => (topic === 't' ? 'earliest' : 'none') })
    fetcher.assign([{ ...first, offset: 42 }])
    expect(textOf(await pollFor(world, fetcher, 2))).toEqual(['a', 'b'])
    fetcher.assign([{ topic: 'u', partition: 0, offset: 42 }])
    await expect(world.run(fetcher.poll(1_000))).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  it('rejects where the log has no such offset and nobody says where to go', async () => {
    const world = coreWorld({ topics })
    const fetcher = fetcherOf(world)
    fetcher.assign([{ ...first, offset: 42 }])
    await expect(world.run(fetcher.poll(1_000))).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      place: { ...first, offset: 42 },
    })
    fetcher.assign([first])
    await expect(world.run(fetcher.poll(1_000))).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  it('drops what comes for an assignment that is over', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['of the first'], 0)
    await produce(world, ['of the second'], 1)
    world.core.onRequest('Fetch', once({ kind: 'delay', delayMs: 300 }))
    const fetcher = fetcherOf(world)
    fetcher.assign([{ ...first, offset: 0 }], 1)
    await world.run(fetcher.poll(100))
    fetcher.assign([{ topic: 't', partition: 1, offset: 0 }], 2)
    const batches = [...(await pollFor(world, fetcher, 1))]
    await world.pass(500)
    batches.push(...(await world.run(fetcher.poll(0))))
    expect(batches.map(({ generation, partition }) => [generation, partition])).toEqual([[2, 1]])
    expect(fetcher.assignment).toEqual([{ topic: 't', partition: 1 }])
  })

  it('drops what it has buffered of partitions that are removed, and goes on with the others', async () => {
    const world = coreWorld({ topics })
    await produce(world, ['a'], 0)
    await produce(world, ['b'], 1)
    const fetcher = fetcherOf(world)
    fetcher.assign([0, 1].map((partition) => ({ topic: 't', partition, offset: 0 })))
    await world.pass(200)
    fetcher.remove([first])
    expect(textOf(await world.run(fetcher.poll(0)))).toEqual(['b'])
    fetcher.add([{ ...first, offset: 0 }])
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['a'])
  })

  it('fetches nothing more of a paused partition, and goes on without waiting for the long poll of others', async () => {
    const world = coreWorld({ topics })
    const fetcher = fetcherOf(world, { maxWaitMs: 60_000 })
    fetcher.assign([0, 1].map((partition) => ({ topic: 't', partition, offset: 0 })))
    fetcher.pause('t', 0)
    await world.run(fetcher.poll(50))
    await produce(world, ['a'], 0)
    expect(await world.run(fetcher.poll(200))).toEqual([])
    const before = world.clock.now()
    fetcher.resume('t', 0)
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['a'])
    expect(world.clock.now() - before).toBeLessThan(30_000)
  })

  it('wakes when it is told to', async () => {
    const world = coreWorld({ topics })
    const fetcher = fetcherOf(world)
    fetcher.assign([{ ...first, offset: 0 }])
    const polled = fetcher.poll(1_000_000)
    await world.pass(20)
    fetcher.wakeup()
    expect(await world.run(polled)).toEqual([])
    fetcher.wakeup()
    expect(await fetcher.poll(1_000_000)).toEqual([])
  })

  it('stops fetching when its buffer is full', async () => {
    const world = coreWorld({ topics })
    for (let batch = 0; batch < 20; batch++) await produce(world, ['x'.repeat(1_000)])
    const fetcher = fetcherOf(world, { maxBytes: 2_000, partitionMaxBytes: 2_000, maxBufferedBytes: 5_000 })
    fetcher.assign([{ ...first, offset: 0 }])
    await world.pass(2_000)
    expect(fetcher.position('t', 0)).toBeLessThan(10)
    expect((await pollFor(world, fetcher, 20)).length).toBeGreaterThan(5)
  })

  it('fetches other partitions although its buffer is full of a paused one', async () => {
    const world = coreWorld({ topics })
    for (let batch = 0; batch < 20; batch++) await produce(world, ['x'.repeat(1_000)])
    const fetcher = fetcherOf(world, { maxBytes: 2_000, partitionMaxBytes: 2_000, maxBufferedBytes: 2_000 })
    fetcher.assign([{ ...first, offset: 0 }])
    await world.pass(1_000)
    fetcher.pause('t', 0)
    fetcher.add([{ topic: 't', partition: 1, offset: 0 }])
    await produce(world, ['other'], 1)
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['other'])
    fetcher.resume('t', 0)
    expect((await pollFor(world, fetcher, 20)).length).toBeGreaterThan(5)
  })

  it.each([
    ['a lost connection', { kind: 'drop' }],
    ['a lost answer', { kind: 'loseResponse' }],
    ['FENCED_LEADER_EPOCH', { kind: 'error', error: 'FENCED_LEADER_EPOCH' }],
    ['UNKNOWN_TOPIC_ID', { kind: 'error', error: 'UNKNOWN_TOPIC_ID' }],
  ] as const)('outlives %s', async (_what, fault) => {
    const world = coreWorld({ topics })
    await produce(world, ['a'])
    world.core.onRequest('Fetch', once(fault))
    const retried: string[] = []
    const fetcher = fetcherOf(world, { onRetry: ({ code }) => retried.push(code) })
    fetcher.assign([{ ...first, offset: 0 }])
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['a'])
    expect(retried.length).toBeGreaterThan(0)
  })

  describe('of a response that is damaged on the way', () => {
    /** Changes the answers to fetches that hold `text`, as often as `times`; returns the lanes they came over. */
    const damage = (
      { transport }: CoreWorld,
      text: string,
      change: (body: Buffer, at: number) => void,
      times = Infinity,
    ): readonly string[] => {
      const lanes: string[] = []
      const send = transport.send.bind(transport)
      transport.send = async (broker, lane, request) => {
        const body = Buffer.from(await send(broker, lane, request))
        const at = body.indexOf(text)
        if (request.apiKey !== 1 || at < 0) return body
        lanes.push(lane)
        if (lanes.length <= times) change(body, at)
        return body
      }
      return lanes
    }
    const flip = (body: Buffer, at: number): void => void (body[at] = (body[at] as number) ^ 1)

    it('reads it again over another connection', async () => {
      const world = coreWorld({ topics })
      await produce(world, ['hello'])
      const lanes = damage(world, 'hello', flip, 1)
      const retried: string[] = []
      const fetcher = fetcherOf(world, { onRetry: ({ code }) => retried.push(code) })
      fetcher.assign([{ ...first, offset: 0 }])
      expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['hello'])
      expect(retried).toEqual(['BATCH_CORRUPT'])
      expect(new Set(lanes).size).toBe(2)
    })

    it('names the batch that stays damaged, after the records before it', async () => {
      const world = coreWorld({ topics })
      await produce(world, ['a'])
      await produce(world, ['hello'])
      const lanes = damage(world, 'hello', flip)
      const fetcher = fetcherOf(world)
      fetcher.assign([{ ...first, offset: 0 }])
      expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['a'])
      await expect(world.run(fetcher.poll(10_000))).rejects.toMatchObject({
        code: 'BATCH_CORRUPT',
        message: expect.stringMatching(/checksum is wrong .*to continue after the batch.* to 2 with/),
        place: { ...first, offset: 1 },
      })
      const asked = lanes.length
      await world.pass(2_000)
      expect(lanes.length).toBe(asked)
    })

    it('reads it as it came where checksums are not checked', async () => {
      const world = coreWorld({ topics })
      await produce(world, ['hello'])
      damage(world, 'hello', flip)
      const fetcher = fetcherOf(world, { checkCrcs: false })
      fetcher.assign([{ ...first, offset: 0 }])
      expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['iello'])
    })

    it('asks for as many bytes as the batch says it has, and ends where it does not come as a whole', async () => {
      const world = coreWorld({ topics })
      await produce(world, ['hello'])
      // The length of the batch stands 61 + 6 - 8 bytes before its first value.
      damage(world, 'hello', (body, at) => void body.writeInt32BE(5_000_000, at - 59))
      const fetcher = fetcherOf(world)
      fetcher.assign([{ ...first, offset: 0 }])
      await expect(world.run(fetcher.poll(10_000))).rejects.toMatchObject({
        code: 'BATCH_CORRUPT',
        message: expect.stringContaining('only a part of it, and its header says that it has 5000012 bytes'),
        place: { ...first, offset: 0 },
      })
    })
  })

  it('waits for a topic to appear, and says so when it does not', async () => {
    const world = coreWorld()
    const fetcher = fetcherOf(world, { missingTimeoutMs: 2_000 })
    fetcher.assign([{ ...first, offset: 0 }])
    await world.pass(1_000)
    expect(await world.run(fetcher.poll(0))).toEqual([])
    await expect(world.run(fetcher.poll(60_000))).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
      place: { topic: 't' },
    })
  })

  it('follows a topic that was deleted and created again', async () => {
    const world = coreWorld({ topics })
    const admin = new Admin(world.cluster)
    const fetcher = fetcherOf(world, { offsetReset: 'earliest' })
    fetcher.assign([{ ...first, offset: 0 }])
    await world.run(fetcher.poll(50))
    await world.run(admin.deleteTopics(['t']))
    await world.run(admin.createTopics([{ topic: 't', partitions: 3 }]))
    await produce(world, ['new'])
    expect(textOf(await pollFor(world, fetcher, 1))).toEqual(['new'])
  })
})
