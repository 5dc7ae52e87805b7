import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../../src/base/bytes.ts'
import { isFault } from '../../../src/base/fault.ts'
import type { InjectedFault } from '../../../src/broker/index.ts'
import { bytesOfRegion } from '../../../src/topic/record.ts'
import type { ProducerOptions } from '../../../src/kafka/producer.ts'
import { Producer } from '../../../src/kafka/producer.ts'
import type { RefusedRecord } from '../../../src/kafka/produce/refused-batch.ts'
import type { Compression } from '../../../src/kafka/record-batch/compression.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import { columnsOf } from '../../../src/topic/record-columns.ts'
import { StreamRecord } from '../../../src/topic/record.ts'
import { bytes } from '../../../src/topic/serdes.ts'
import { topic } from '../../../src/topic/topic.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import { valuesOf } from '../support/rows.ts'

const limit = 500
const topics = [
  { name: 't', partitions: 2, configs: { 'max.message.bytes': `${limit}` } },
  { name: 'compacted', partitions: 1, configs: { 'cleanup.policy': 'compact' } },
  { name: 'timed', partitions: 1, configs: { 'message.timestamp.before.max.ms': '1000' } },
  { name: 'letters', partitions: 1 },
]
const tooLarge = 'x'.repeat(limit)

const produceKey = 0
const sentOf = (world: CoreWorld): number =>
  world.transport.sent.filter(({ apiKey }) => apiKey === produceKey).length

const valueOf = ({ record }: RefusedRecord): string => {
  const region = record.valueAsRead
  return region === undefined ? '' : new TextDecoder().decode(bytesOfRegion(region))
}

const producerOf = async (world: CoreWorld, options: Partial<ProducerOptions> = {}): Promise<Producer> => {
  const producer = new Producer({ cluster: world.cluster, ...options })
  await world.run(producer.prepare(topics.map(({ name }) => name)))
  return producer
}

const skipping = (refused: string[]): Partial<ProducerOptions> => ({
  onRefused: (each) => {
    refused.push(valueOf(each))
    return { instead: [] }
  },
})

const send = (producer: Producer, value: string, to = 't', key: string | null = null): void =>
  producer.send(to, 0, key === null ? null : Buffer.from(key), Buffer.from(value), 1)

describe('a producer whose records are refused', () => {
  it('splits a batch that is too large for its topic, and asks nobody', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    const values = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(50, '.'))
    for (const value of values) send(producer, value)
    expect((await world.run(producer.flush())).get('t-0')).toBe(40)
    expect(valuesOf(await world.readAll('t'))).toEqual(values)
    expect(producer.bufferedBytes).toBe(0)
  })

  it('learns from it how large batches of that topic may be', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world)
    const sendMany = async (): Promise<number> => {
      const before = sentOf(world)
      for (let index = 0; index < 40; index++) send(producer, '.'.repeat(50))
      await world.run(producer.flush())
      return sentOf(world) - before
    }
    const first = await sendMany()
    expect(await sendMany()).toBeLessThan(first)
    expect((await world.readAll('t')).length).toBe(80)
  })

  it.each<Compression>(['none', 'gzip'])(
    'leaves out the one record that is too large (%s)',
    async (compression) => {
      const world = coreWorld({ topics })
      const refused: string[] = []
      const producer = await producerOf(world, { compressionType: compression, ...skipping(refused) })
      const large = Array.from({ length: 2 * limit }, (_, index) =>
        String.fromCharCode(33 + ((index * 7919) % 89)),
      )
      const incompressible = large
        .map((each, index) => (index % 3 === 0 ? `${(index * 104_729) % 9973}` : each))
        .join('')
      for (const value of ['a', 'b', incompressible, 'c']) send(producer, value)
      await world.run(producer.flush())
      send(producer, 'd')
      await world.run(producer.flush())
      expect(refused).toEqual([incompressible])
      expect(valuesOf(await world.readAll('t'))).toEqual(['a', 'b', 'c', 'd'])
    },
  )

  it('leaves out the records that the broker names, and sends the others of the batch at once', async () => {
    const world = coreWorld({ topics })
    const refused: string[] = []
    const producer = await producerOf(world, skipping(refused))
    for (const [value, key] of [
      ['a', 'k'],
      ['b', null],
      ['c', 'k'],
      ['d', null],
    ] as const)
      send(producer, value, 'compacted', key)
    await world.run(producer.flush())
    expect(refused).toEqual(['b', 'd'])
    expect(valuesOf(await world.readAll('compacted'))).toEqual(['a', 'c'])
    expect(sentOf(world)).toBe(2)
  })

  it('finds by halves the record that the broker does not name', async () => {
    const world = coreWorld({ topics })
    const refused: string[] = []
    const producer = await producerOf(world, skipping(refused))
    const now = world.clock.now()
    for (const [value, age] of [
      ['old', 5_000],
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ] as const)
      producer.send('timed', 0, null, Buffer.from(value), now - age)
    await world.run(producer.flush())
    expect(refused).toEqual(['old'])
    expect(valuesOf(await world.readAll('timed'))).toEqual(['a', 'b', 'c'])
  })

  it('fails with what the answer says, and goes on with what is sent then', async () => {
    const world = coreWorld({ topics })
    const failure = new Error('no')
    const producer = await producerOf(world, { onRefused: () => ({ failure }) })
    send(producer, tooLarge)
    await expect(world.run(producer.flush())).rejects.toBe(failure)
    send(producer, 'a')
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
  })

  it('hears what a refused record was made from, and by whom', async () => {
    const world = coreWorld({ topics })
    const heard: unknown[] = []
    const producer = await producerOf(world, {
      keepsSources: true,
      onRefused: ({ fault, source }) => {
        heard.push([fault.code, fault.place, source?.node, source?.origin, source?.record?.timestamp])
        return { instead: [] }
      },
    })
    const columns = columnsOf(
      ['1', '2', '3'].map((value, at) => ({
        key: null,
        value: Buffer.from(value),
        timestamp: at,
        offset: 70 + at,
      })),
    )
    const batch = { columns, key: bytes, value: bytes, topic: 'in', partition: 4 }
    const sink = topic('t', { key: bytes, value: bytes })
    send(producer, 'unknown')
    for (const [row, value] of ['a', tooLarge, 'b'].entries()) {
      const source = StreamRecord.read(batch, row, row)
      producer.sendRecord(
        't',
        sink,
        source.withKeyValue<Bytes | null, Bytes>(null, Buffer.from(value)),
        0,
        source,
        `node ${row}`,
      )
    }
    await world.run(producer.flush())
    expect(heard).toEqual([
      [
        'RECORD_TOO_LARGE',
        { topic: 't', partition: 0 },
        'node 1',
        { topic: 'in', partition: 4, offset: 71 },
        1,
      ],
    ])
    expect(valuesOf(await world.readAll('t'))).toEqual(['unknown', 'a', 'b'])
  })

  it('starts again where nobody knows whether the refused record was stored before', async () => {
    const world = coreWorld({ topics })
    const producer = await producerOf(world, skipping([]))
    send(producer, 'a', 'timed')
    producer.send('timed', 0, null, Buffer.from('b'), world.clock.now())
    const answers: (InjectedFault | undefined)[] = [
      { kind: 'loseResponse' },
      { kind: 'delay', delayMs: 3_000 },
    ]
    world.core.onRequest('Produce', () => answers.shift())
    await producer.discard()
    producer.send('timed', 0, null, Buffer.from('b'), world.clock.now())
    await expect(world.run(producer.flush())).rejects.toMatchObject({
      code: 'REFUSED_AFTER_RETRY',
      actor: 'retry',
    })
    producer.send('timed', 0, null, Buffer.from('c'), world.clock.now())
    await world.run(producer.flush())
    expect(valuesOf(await world.readAll('timed'))).toEqual(['b', 'c'])
  })
})

const passing = fc.constantFrom<InjectedFault | undefined>(
  undefined,
  { kind: 'delay', delayMs: 300 },
  { kind: 'error', error: 'FENCED_LEADER_EPOCH' },
  { kind: 'error', error: 'NOT_ENOUGH_REPLICAS' },
)
const parcel = fc.record({
  topic: fc.constantFrom('t', 'compacted'),
  length: fc.constantFrom(10, 60, 200, limit),
  key: fc.constantFrom('k', null),
})

it('a producer stores each record that is not refused once and in order, whatever it is answered', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(parcel, { maxLength: 60 }),
      fc.array(passing, { maxLength: 12 }),
      async (parcels, faults) => {
        const world = coreWorld({ topics })
        const answers = [...faults]
        world.core.onRequest('Produce', () => answers.shift())
        const refused: string[] = []
        const producer = await producerOf(world, {
          batchBytes: 450,
          lingerMs: 5,
          maxInFlightPerBroker: 3,
          ...skipping(refused),
        })
        const sent = parcels.map((each, index) => ({ ...each, value: `${index}`.padStart(each.length, '.') }))
        for (const [index, { topic: to, value, key }] of sent.entries()) {
          send(producer, value, to, key)
          if (index % 10 === 9) await world.pass(10)
        }
        await world.run(producer.flush())
        const isBad = ({ topic: to, length, key }: (typeof sent)[number]): boolean =>
          to === 't' ? length >= limit : key === null
        for (const to of ['t', 'compacted'])
          expect(valuesOf(await world.readAll(to))).toEqual(
            sent.filter((each) => each.topic === to && !isBad(each)).map(({ value }) => value),
          )
        const bad = sent.filter(isBad).map(({ value }) => value)
        expect([refused.length, new Set(refused)]).toEqual([bad.length, new Set(bad)])
        expect(producer.bufferedBytes).toBe(0)
      },
    ),
    { numRuns: 60 },
  )
})

const fault = fc.constantFrom<InjectedFault | undefined>(
  undefined,
  undefined,
  { kind: 'drop' },
  { kind: 'loseResponse' },
  { kind: 'delay', delayMs: 300 },
  { kind: 'error', error: 'FENCED_LEADER_EPOCH' },
)
const sizes = fc.array(fc.constantFrom(10, 10, 60, 200, limit), { minLength: 1, maxLength: 60 })

describe('a transaction that has lost a batch', () => {
  it('tells so at the commit, whatever else waits to be sent', async () => {
    const world = coreWorld({ topics })
    const tx = new TransactionalProducer({ cluster: world.cluster, transactionalId: 'tx' })
    await world.run(tx.initialize())
    await world.run(tx.producer.prepare(['t']))
    send(tx.producer, tooLarge)
    tx.producer.sendNow()
    await world.pass(50)
    send(tx.producer, 'a')
    await expect(world.run(tx.commit())).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    await world.run(tx.abort())
    send(tx.producer, 'b')
    await world.run(tx.commit())
    expect(valuesOf(await world.readAll('t'))).toEqual(['b'])
  })
})

describe.each([0, 2] as const)('a transaction at version %i some of whose records are refused', (version) => {
  it('is committed though nothing of it is left', async () => {
    const world = coreWorld({ topics, settings: { transactionVersion: version } })
    const refused: string[] = []
    const tx = new TransactionalProducer({
      cluster: world.cluster,
      transactionalId: 'tx',
      ...skipping(refused),
    })
    await world.run(tx.initialize())
    await world.run(tx.producer.prepare(['t']))
    send(tx.producer, tooLarge)
    await world.run(tx.commit())
    send(tx.producer, 'a')
    await world.run(tx.commit())
    expect(refused).toEqual([tooLarge])
    expect(valuesOf(await world.readAll('t'))).toEqual(['a'])
  })

  it('holds each other record once and in order, and the dead letters, whatever happens to its requests', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fault, { maxLength: 12 }), async (lengths, faults) => {
        const world = coreWorld({ topics, settings: { transactionVersion: version } })
        const tx = new TransactionalProducer({
          cluster: world.cluster,
          transactionalId: 'tx',
          batchBytes: 450,
          lingerMs: 5,
          maxInFlightPerBroker: 3,
          onRefused: ({ record }) => {
            const value = bytesOfRegion(record.valueAsRead ?? { buffer: new Uint8Array(), start: 0, end: 0 })
            return { instead: [{ topic: 'letters', row: { key: null, value, timestamp: 1 } }] }
          },
        })
        await world.run(tx.initialize())
        await world.run(tx.producer.prepare(['t', 'letters']))
        const injected = [...faults]
        world.core.onRequest('Produce', () => injected.shift())
        const values = lengths.map((length, index) => `${index}`.padStart(length, '.'))
        const attempt = async (): Promise<boolean> => {
          for (const [index, value] of values.entries()) {
            tx.producer.send('t', 0, null, Buffer.from(value), 1)
            if (index % 10 === 9) await world.pass(10)
          }
          try {
            await world.run(tx.commit())
            return true
          } catch (error) {
            if (!isFault(error, 'REFUSED_AFTER_RETRY')) throw error
            await world.run(tx.abort())
            return false
          }
        }
        while (!(await attempt()));
        expect(valuesOf(await world.readAll('t'))).toEqual(values.filter(({ length }) => length < limit))
        const letters = valuesOf(await world.readAll('letters'))
        // Behind a batch that is repeated, one may be refused before its time.
        expect(new Set(letters)).toEqual(new Set(values.filter(({ length }) => length >= limit)))
        expect(letters.length).toBe(new Set(letters).size)
        expect(tx.producer.bufferedBytes).toBe(0)
      }),
      { numRuns: 60 },
    )
  })
})
