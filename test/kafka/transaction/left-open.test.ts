import { describe, expect, it } from 'vitest'
import { fetchOffsets, noGeneration } from '../../../src/kafka/group/offsets.ts'
import { Producer } from '../../../src/kafka/producer.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import { valuesOf } from '../support/rows.ts'

const groupId = 'g'
const settlesMs = 200

const offsetsAt = (offset: number) => ({
  groupId,
  generation: noGeneration,
  offsets: [{ topic: 't', partition: 1, offset }],
})

const send = (tx: TransactionalProducer, value: string, partition = 0): void =>
  tx.producer.send('t', partition, null, Buffer.from(value), 1)

/** What Apache Kafka 4.3.1 does after a crash: the decision stands, and the partitions don't hear of it. */
const crash = async (at: CoreWorld): Promise<void> => {
  for (const transaction of at.core.broker.transactions.transactions.values()) {
    transaction.partitions = new Map()
    transaction.groups = new Set()
  }
  at.transport.loseAll()
  await at.pass(2 * settlesMs)
}

describe.each([0, 2] as const)('a transaction left open, at transaction.version %i', (transactionVersion) => {
  const world = (): CoreWorld =>
    coreWorld({
      topics: [{ name: 't', partitions: 2 }],
      settings: { transactionVersion, transactionMarkerDelayMs: settlesMs },
    })

  const warnings: string[] = []

  const start = async (at: CoreWorld, name: string): Promise<TransactionalProducer> => {
    warnings.length = 0
    const tx = new TransactionalProducer({
      ...{ cluster: at.cluster, transactionalId: 'tx', groupId, name, transactionTimeoutMs: 5_000 },
      onRetry: ({ message }) => warnings.push(message),
    })
    await at.run(tx.producer.prepare(['t']))
    await at.run(tx.initialize())
    return tx
  }

  /** A producer whose last commit, with offset 5, has not come to its partitions. */
  const committedAndCrashed = async (at: CoreWorld): Promise<TransactionalProducer> => {
    const tx = await start(at, 'tx')
    send(tx, 'committed')
    await at.run(tx.commit(offsetsAt(5)))
    await crash(at)
    return tx
  }

  const committedOffset = async (at: CoreWorld): Promise<number | undefined> =>
    (
      await at.run(
        fetchOffsets(at.cluster, groupId, { requireStable: true, partitions: offsetsAt(0).offsets }),
      )
    ).get('t-1')?.offset

  it('is aborted by the next producer of its name, and holds up nobody else', async () => {
    const at = world()
    const old = await start(at, 'old')
    for (const partition of [0, 1]) send(old, 'aborted', partition)
    old.producer.sendNow()
    await at.pass(50)
    await crash(at)
    const next = await start(at, 'next')
    expect(warnings).toEqual([
      'the broker had aborted a transaction of tx, but left it open in t-0, t-1; it is ended there too now',
    ])
    send(next, 'next')
    await at.run(next.commit())
    const other = new Producer({ cluster: at.cluster, name: 'other' })
    await at.run(other.prepare(['t']))
    other.send('t', 1, null, Buffer.from('other'), 1)
    await at.run(other.flush())
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t', 0))).toEqual(['next'])
    expect(valuesOf(await at.readAll('t', 1))).toEqual(['other'])
  })

  it('is committed by the next producer of its name where that was the decision, with its offsets', async () => {
    const at = world()
    await committedAndCrashed(at)
    expect(valuesOf(await at.readAll('t'))).toEqual([])
    await start(at, 'next')
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['committed'])
    expect(await committedOffset(at)).toBe(5)
  })

  it('is ended by its own producer, as soon as that has nothing else to do', async () => {
    const at = world()
    const tx = await committedAndCrashed(at)
    await at.run(tx.settle())
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['committed'])
    expect(await committedOffset(at)).toBe(5)
    at.transport.sent.length = 0
    await at.run(tx.settle())
    expect(at.transport.sent).toEqual([])
  })

  it('is asked about another time where no broker answers', async () => {
    const at = world()
    const tx = await committedAndCrashed(at)
    at.transport.isDown = true
    await at.run(tx.settle())
    at.transport.isDown = false
    await at.run(tx.settle())
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['committed'])
  })

  it('is asked about again after a while where a leader is away, and holds up nothing until then', async () => {
    const at = world()
    const tx = await committedAndCrashed(at)
    const bringBack = at.core.onRequest('DescribeProducers', () => ({
      kind: 'error',
      error: 'NOT_LEADER_OR_FOLLOWER',
    }))
    await at.run(tx.settle())
    bringBack()
    const before = at.clock.now()
    send(tx, 'next', 1)
    await at.run(tx.commit(offsetsAt(6)))
    await at.run(tx.settle())
    expect(at.clock.now() - before).toBeLessThan(2_000)
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual([])
    await at.pass(10_000)
    await at.run(tx.settle())
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['committed'])
    expect(await committedOffset(at)).toBe(6)
  })

  it('stays committed when the transaction after it is aborted', async () => {
    const at = world()
    const tx = await committedAndCrashed(at)
    send(tx, 'aborted')
    tx.producer.sendNow()
    await at.pass(2 * settlesMs)
    await at.run(tx.abort())
    send(tx, 'next')
    await at.run(tx.commit(offsetsAt(6)))
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['committed', 'next'])
    expect(await committedOffset(at)).toBe(6)
  })

  it('keeps its producer from a topic that is met late, until it starts again', async () => {
    const at = world()
    const old = await start(at, 'old')
    send(old, 'aborted')
    old.producer.sendNow()
    await at.pass(50)
    await crash(at)
    const next = new TransactionalProducer({ cluster: at.cluster, transactionalId: 'tx', name: 'next' })
    await at.run(next.initialize())
    await at.run(next.producer.prepare(['t']))
    send(next, 'too early')
    await expect(at.run(next.commit())).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
    await at.run(next.abort())
    send(next, 'next')
    await at.run(next.commit())
    await at.pass(settlesMs)
    expect(valuesOf(await at.readAll('t'))).toEqual(['next'])
  })
})

describe('a producer whose transaction was timed out by a broker that forgets its epochs', () => {
  it('is not taken for replaced: initialized again, it goes on', async () => {
    const at = coreWorld({ topics: [{ name: 't' }] })
    const tx = new TransactionalProducer({
      ...{ cluster: at.cluster, transactionalId: 'tx', transactionTimeoutMs: 1_000 },
    })
    await at.run(tx.producer.prepare(['t']))
    await at.run(tx.initialize())
    send(tx, 'too slow')
    tx.producer.sendNow()
    await at.pass(15_000)
    const transaction = at.core.broker.transactions.transactions.get('tx')
    expect(transaction?.state).toBe('CompleteAbort')
    // What Kafka does not write down, and so does not know after a restart.
    if (transaction !== undefined) transaction.lastProducerEpoch = -1
    await expect(at.run(tx.commit())).rejects.toMatchObject({ code: 'TRANSACTION_OUTCOME_UNKNOWN' })
    await at.run(tx.initialize())
    send(tx, 'in time')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['in time'])
  })
})
