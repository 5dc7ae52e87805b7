import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import type { InjectedFault } from '../../src/broker/index.ts'
import type { ProducerOptions } from '../../src/kafka/producer.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { columnsOf } from '../../src/topic/record-columns.ts'
import { StreamRecord } from '../../src/topic/record.ts'
import { string } from '../../src/topic/serdes.ts'
import type { CoreWorld } from './support/core-world.ts'
import { coreWorld } from './support/core-world.ts'
import { valuesOf } from './support/rows.ts'

const topics = [{ name: 't', partitions: 3 }]

const producerOf = async (world: CoreWorld, options: Partial<ProducerOptions> = {}): Promise<Producer> => {
  const producer = new Producer({ cluster: world.cluster, ...options })
  await world.run(producer.prepare(['t']))
  return producer
}

const send = (producer: Producer, value: string, partition = 0): void =>
  producer.send('t', partition, null, Buffer.from(value), 1)

/** Injects each fault once, in order; `undefined` lets a request through. */
const inOrder = (faults: readonly (InjectedFault | undefined)[]): (() => InjectedFault | undefined) => {
  const rest = [...faults]
  return () => rest.shift()
}

const error = (name: Extract<InjectedFault, { kind: 'error' }>['error']): InjectedFault => ({
  kind: 'error',
  error: name,
})

describe('the producer', () => {
  it('answers the offset after the last acknowledged record of each partition', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    send(producer, 'a', 0)
    send(producer, 'b', 0)
    send(producer, 'c', 2)
    expect(await world.run(producer.flush())).toEqual(
      new Map([
        ['t-0', 2],
        ['t-2', 1],
      ]),
    )
    send(producer, 'd', 0)
    expect((await world.run(producer.flush())).get('t-0')).toBe(3)
    expect(valuesOf(await world.readAll('t', 0))).toEqual(['a', 'b', 'd'])
  })

  it('goes on after what was sent is given up, acknowledged or not', async () => {
    const world = coreWorld({ topics })
    world.core.onRequest('Produce', inOrder([undefined, undefined, { kind: 'loseResponse' }]))
    const producer = await producerOf(world)
    send(producer, 'a')
    await world.run(producer.flush())
    await world.run(producer.discard())
    send(producer, 'b')
    await world.run(producer.flush())
    send(producer, 'stored, though the answer is lost')
    producer.sendNow()
    await world.run(producer.discard())
    send(producer, 'c')
    send(producer, 'd')
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual([
      'a',
      'b',
      'stored, though the answer is lost',
      'c',
      'd',
    ])
  })

  it('sends nothing where that is refused, says so, and goes on once it may', async () => {
    const world = coreWorld({ topics })
    let refused = true
    const refusal = (): Fault | undefined =>
      refused ? new Fault({ code: 'UNKNOWN_MEMBER_ID', actor: 'runtime', message: 'not now' }) : undefined
    const producer = await producerOf(world, { refusal })
    send(producer, 'outdated')
    await expect(world.run(producer.flush())).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    await world.run(producer.discard())
    refused = false
    send(producer, 'in time')
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual(['in time'])
  })

  it('has nothing to wait for when nothing was sent', async () => {
    const world = coreWorld({ topics })
    expect(await world.run((await producerOf(world)).flush())).toEqual(new Map())
  })

  it('sends by itself once records have waited for lingerMs', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world, { lingerMs: 50 })
    send(producer, 'a')
    await world.pass(40)
    expect(world.transport.sent.filter(({ apiKey }) => apiKey === 0)).toEqual([])
    await world.pass(100)
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
    expect(producer.bufferedBytes).toBe(0)
  })

  it('stores a batch once whose acknowledgement was lost', async () => {
    const world = coreWorld({ topics })
    world.core.onRequest('Produce', inOrder([{ kind: 'loseResponse' }, { kind: 'loseResponse' }]))
    const producer = await producerOf(world)
    send(producer, 'a')
    expect((await world.run(producer.flush())).get('t-0')).toBe(1)
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
  })

  it.each(['FENCED_LEADER_EPOCH', 'NOT_ENOUGH_REPLICAS', 'UNKNOWN_TOPIC_OR_PARTITION'] as const)(
    'tries again after %s',
    async (name) => {
      const world = coreWorld({ topics })
      world.core.onRequest('Produce', inOrder([error(name)]))
      const retried: string[] = []
      const producer = await producerOf(world, { onRetry: ({ code }) => retried.push(code) })
      send(producer, 'a')
      await world.run(producer.flush())
      expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
      expect(retried.length).toBe(1)
    },
  )

  it('keeps each record once and in order, whatever happens to its requests', async () => {
    const fault = fc.constantFrom<InjectedFault | undefined>(
      undefined,
      { kind: 'drop' },
      { kind: 'loseResponse' },
      { kind: 'delay', delayMs: 300 },
      error('FENCED_LEADER_EPOCH'),
      error('NOT_ENOUGH_REPLICAS'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 25 }), async (faults) => {
        const world = coreWorld({ topics })
        const injected = inOrder(faults)
        world.core.onRequest('Produce', injected)
        const producer = await producerOf(world, { batchBytes: 200, lingerMs: 5, maxInFlightPerBroker: 3 })
        const expected: string[][] = [[], [], []]
        for (let index = 0; index < 60; index++) {
          send(producer, `value ${index}`, index % 3)
          expected[index % 3]?.push(`value ${index}`)
          if (index % 10 === 9) await world.pass(10)
        }
        await world.run(producer.flush())
        for (const partition of [0, 1, 2])
          expect(valuesOf(await world.readAll('t', partition))).toEqual(expected[partition])
        expect(producer.bufferedBytes).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('outlives a broker that is away for a while', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    world.transport.isDown = true
    send(producer, 'a')
    const flushed = producer.flush()
    await world.pass(5_000)
    world.transport.isDown = false
    await world.run(flushed)
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
  })

  it('outlives it too where alarms ring a moment early', async () => {
    const world = coreWorld({ topics })
    const clock = {
      now: () => world.clock.now(),
      monotonicMs: () => world.clock.monotonicMs(),
      setTimer: (callback: () => void, delayMs: number) =>
        world.clock.setTimer(callback, Math.max(0, delayMs - 1)),
    }
    world.core.onRequest('Produce', inOrder([{ kind: 'loseResponse' }, { kind: 'loseResponse' }]))
    const cluster = new Cluster({ transport: world.transport, clock })
    const producer = new Producer({ cluster })
    await world.run(producer.prepare(['t']))
    send(producer, 'a')
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
  })

  it('gives up after the delivery timeout, says where, and goes on with what is sent then', async () => {
    const world = coreWorld({ topics })
    const stop = world.core.onRequest('Produce', () => error('NOT_ENOUGH_REPLICAS'))
    const producer = await producerOf(world, { deliveryTimeoutMs: 2_000 })
    send(producer, 'a', 1)
    await expect(world.run(producer.flush())).rejects.toMatchObject({
      code: 'DELIVERY_TIMED_OUT',
      place: { topic: 't', partition: 1 },
    })
    stop()
    send(producer, 'b', 1)
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t', 1))).toEqual(['b'])
  })

  it.each([3, 7, -1])(
    'gives up what goes to partition %i of three after the delivery timeout, and names it',
    async (partition) => {
      const world = coreWorld({ topics })
      const producer = await producerOf(world, { deliveryTimeoutMs: 2_000 })
      send(producer, 'nowhere', partition)
      await expect(world.run(producer.flush())).rejects.toMatchObject({
        code: 'PARTITION_MISSING',
        place: { topic: 't', partition },
      })
      send(producer, 'somewhere', 1)
      await world.run(producer.flush())
      expect(valuesOf(await world.readAll('t', 1))).toEqual(['somewhere'])
    },
  )

  describe('gives up within the delivery timeout what waits for a partition', () => {
    const deliveryTimeoutMs = 2_000
    /** A pause between attempts, and the requests of the last one. */
    const lastAttemptMs = 1_000
    const refused = () => error('NOT_LEADER_OR_FOLLOWER')

    it.each<[string, (world: CoreWorld) => void, string]>([
      [
        'whose topic is deleted',
        ({ core }) => {
          core.onRequest('Produce', inOrder([refused(), refused(), refused()]))
          const deleted = core.broker.topics.get('t')
          if (deleted !== undefined) core.broker.deleteTopic(deleted)
        },
        'TOPIC_MISSING',
      ],
      [
        'whose topic is deleted while its leader refuses it',
        ({ core, clock }) => {
          core.onRequest('Produce', refused)
          const deleted = core.broker.topics.get('t')
          clock.setTimer(() => deleted !== undefined && core.broker.deleteTopic(deleted), 500)
        },
        'TOPIC_MISSING',
      ],
      [
        'that stays without a leader',
        ({ core, cluster }) => {
          core.onRequest('Produce', inOrder([refused()]))
          cluster.invalidate('t')
          cluster.leaderOf = () => undefined
        },
        'DELIVERY_TIMED_OUT',
      ],
      [
        'whose topic has no leader in any answer',
        ({ core, cluster }) => {
          cluster.invalidate('t')
          core.onRequest('Metadata', () => error('LEADER_NOT_AVAILABLE'))
        },
        'DELIVERY_TIMED_OUT',
      ],
      [
        'where no broker answers',
        ({ transport, cluster }) => {
          cluster.invalidate('t')
          transport.isDown = true
        },
        'DELIVERY_TIMED_OUT',
      ],
    ])('%s', async (_what, happens, code) => {
      const world = coreWorld({ topics })
      const producer = await producerOf(world, { deliveryTimeoutMs })
      send(producer, 'a', 1)
      send(producer, 'b', 2)
      happens(world)
      const begunMs = world.clock.monotonicMs()
      await expect(world.run(producer.flush())).rejects.toMatchObject({ code, place: { topic: 't' } })
      expect(world.clock.monotonicMs() - begunMs).toBeLessThan(deliveryTimeoutMs + lastAttemptMs)
    })
  })

  it('reports a record that the topic refuses, with its place, and begins a new sequence', async () => {
    const world = coreWorld({
      topics: [{ name: 't', partitions: 3, configs: { 'max.message.bytes': '500' } }],
    })
    const producer = await producerOf(world)
    send(producer, 'x'.repeat(1_000), 2)
    await expect(world.run(producer.flush())).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      actor: 'record',
      place: { topic: 't', partition: 2 },
    })
    send(producer, 'fits', 2)
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t', 2))).toEqual(['fits'])
  })

  it('refuses a record above maxRequestSize at once, and nothing is lost by it', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    send(producer, 'before')
    expect(() => send(producer, 'x'.repeat(1_048_576))).toThrow(
      expect.objectContaining({ code: 'RECORD_TOO_LARGE', actor: 'record' }),
    )
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual(['before'])
  })

  it('names a topic that does not exist', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    expect(() => producer.send('nowhere', undefined, null, null, 1)).toThrow(
      expect.objectContaining({ code: 'TOPIC_MISSING' }),
    )
    await expect(world.run(producer.prepare(['nowhere']))).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
  })

  it('is full at its bound and drained at half of it', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world, { maxBufferedBytes: 10_000, batchBytes: 1_000 })
    let sent = 0
    for (; !producer.isFull; sent++) send(producer, 'x'.repeat(400))
    expect(sent).toBeGreaterThan(15)
    await world.run(producer.drained())
    expect(producer.isFull).toBe(false)
    expect(producer.bufferedBytes).toBeLessThanOrEqual(5_000)
  })

  it('compresses as it is told', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world, { compressionType: 'gzip' })
    for (let index = 0; index < 50; index++) send(producer, 'the same again')
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual(Array.from({ length: 50 }, () => 'the same again'))
  })

  it('copies a key that was read and reaches a sink of the same serde undecoded', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    const undecodable = new Fault({ code: 'DECODED', actor: 'record', message: 'the key was decoded' })
    const opaque = {
      ...string,
      serialize: () => {
        throw undecodable
      },
    }
    const columns = columnsOf([{ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 7 }])
    const batch = { columns, key: opaque, value: string, topic: 's', partition: 0 }
    const record = StreamRecord.read(batch, 0, 7)
    producer.sendRecord('t', { key: opaque, value: string }, record.withValue('new'), 0)
    producer.sendRecord('t', { key: string, value: string }, StreamRecord.of(null, null, 8), 0)
    await world.run(producer.flush())
    expect((await world.readAll('t')).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ['k', 'new', 7],
      [null, null, 8],
    ])
  })

  it('fails what is waiting when it is closed', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    world.transport.isDown = true
    send(producer, 'a')
    const flushed = producer.flush()
    await world.pass(20)
    producer.close()
    await expect(world.run(flushed)).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
  })
})
