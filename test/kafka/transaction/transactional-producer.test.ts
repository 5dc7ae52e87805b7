import { describe, expect, it } from 'vitest'
import type { CommitFence } from '../../../src/kafka/group/offsets.ts'
import { fetchOffsets, noGeneration } from '../../../src/kafka/group/offsets.ts'
import type { TransactionalProducerOptions } from '../../../src/kafka/transaction/transactional-producer.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import { valuesOf } from '../support/rows.ts'

const topics = [{ name: 't', partitions: 2 }]
const groupId = 'g'

const send = (tx: TransactionalProducer, value: string, partition = 0): void =>
  tx.producer.send('t', partition, null, Buffer.from(value), 1)

const offsetsAt = (offset: number) => ({
  groupId,
  generation: noGeneration,
  offsets: [{ topic: 't', partition: 1, offset, metadata: 'm' }],
})

/** The keys of the requests that were sent, by API name. */
const sentOf = (world: CoreWorld, apiKey: number): number =>
  world.transport.sent.filter((request) => request.apiKey === apiKey).length

const produceKey = 0
const initProducerIdKey = 22
const addPartitionsKey = 24
const endTransactionKey = 26

describe.each([0, 2] as const)('a transactional producer at transaction.version %i', (transactionVersion) => {
  const world = (): CoreWorld =>
    coreWorld({
      topics,
      settings: { transactionVersion, transactionMarkerDelayMs: transactionVersion === 0 ? 10 : 0 },
    })

  const start = async (
    at: CoreWorld,
    options: Partial<TransactionalProducerOptions> = {},
  ): Promise<TransactionalProducer> => {
    const tx = new TransactionalProducer({ cluster: at.cluster, transactionalId: 'tx', ...options })
    await at.run(tx.initialize())
    await at.run(tx.producer.prepare(['t']))
    return tx
  }

  const committedOffset = async (at: CoreWorld): Promise<number | undefined> =>
    (
      await at.run(
        fetchOffsets(at.cluster, groupId, { requireStable: true, partitions: offsetsAt(0).offsets }),
      )
    ).get('t-1')?.offset

  it('shows records and offsets together, at the commit', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    send(tx, 'b', 1)
    tx.producer.sendNow()
    await at.pass(50)
    expect(valuesOf(await at.readAll('t'))).toEqual([])
    const acked = await at.run(tx.commit(offsetsAt(5)))
    expect(acked).toEqual(
      new Map([
        ['t-0', 1],
        ['t-1', 1],
      ]),
    )
    expect(valuesOf(await at.readAll('t'))).toEqual(['a'])
    expect(await committedOffset(at)).toBe(5)
  })

  it('commits again and again, also offsets alone', async () => {
    const at = world()
    const tx = await start(at)
    for (let round = 0; round < 5; round++) {
      send(tx, `${round}`)
      await at.run(tx.commit(offsetsAt(round)))
    }
    await at.run(tx.commit(offsetsAt(99)))
    expect(valuesOf(await at.readAll('t'))).toEqual(['0', '1', '2', '3', '4'])
    expect(await committedOffset(at)).toBe(99)
  })

  it('asks nothing for a transaction without content', async () => {
    const at = world()
    const tx = await start(at)
    at.transport.sent.length = 0
    await at.run(tx.commit())
    await at.run(tx.abort())
    expect(at.transport.sent).toEqual([])
  })

  it('takes back what was sent since the last commit', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'kept')
    await at.run(tx.commit())
    send(tx, 'gone')
    tx.producer.sendNow()
    await at.pass(50)
    send(tx, 'never sent')
    await at.run(tx.abort())
    send(tx, 'after')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['kept', 'after'])
  })

  it('goes on after an abort of nothing', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    await at.run(tx.commit())
    await at.run(tx.abort())
    send(tx, 'b')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['a', 'b'])
  })

  it('keeps what is sent during a commit for the next transaction', async () => {
    const at = world()
    const tx = await start(at, { lingerMs: 1 })
    send(tx, 'first')
    at.core.onRequest('EndTxn', () => ({ kind: 'delay', delayMs: 200 }))
    const committing = tx.commit(offsetsAt(1))
    send(tx, 'second')
    await at.pass(100)
    expect(sentOf(at, produceKey)).toBe(1)
    await at.run(committing)
    await at.run(tx.abort())
    expect(valuesOf(await at.readAll('t'))).toEqual(['first'])
  })

  it('commits once when the answer of the commit is lost', async () => {
    const at = world()
    const tx = await start(at)
    let losses = 2
    at.core.onRequest('EndTxn', () => (losses-- > 0 ? { kind: 'loseResponse' } : undefined))
    send(tx, 'a')
    await at.run(tx.commit(offsetsAt(3)))
    send(tx, 'b')
    await at.run(tx.commit(offsetsAt(4)))
    expect(valuesOf(await at.readAll('t'))).toEqual(['a', 'b'])
    expect(await committedOffset(at)).toBe(4)
  })

  it('can go on after a record was refused and the transaction aborted', async () => {
    const at = coreWorld({
      topics: [{ name: 't', partitions: 2, configs: { 'max.message.bytes': '500' } }],
      settings: { transactionVersion },
    })
    const tx = await start(at, { batchBytes: 300 })
    send(tx, 'before')
    await at.run(tx.commit())
    send(tx, 'gone')
    send(tx, 'x'.repeat(1_000))
    send(tx, 'gone too')
    await expect(at.run(tx.commit())).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    await at.run(tx.abort())
    send(tx, 'after')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['before', 'after'])
  })

  it('is fenced by a newer one of the same id, which ends its open transaction', async () => {
    const at = world()
    const old = await start(at)
    send(old, 'of the old one')
    old.producer.sendNow()
    await at.pass(50)
    const next = await start(at, { name: 'next' })
    send(next, 'of the new one')
    await at.run(next.commit())
    send(old, 'too late')
    await expect(at.run(old.commit())).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    expect(valuesOf(await at.readAll('t'))).toEqual(['of the new one'])
  })

  it('asks for no new epoch when it was replaced, with which it might fence the new one', async () => {
    const at = world()
    const old = await start(at)
    send(old, 'of the old one')
    old.producer.sendNow()
    await at.pass(50)
    await start(at, { name: 'next' })
    const before = sentOf(at, initProducerIdKey)
    send(old, 'too late')
    await expect(at.run(old.commit())).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    await expect(at.run(old.abort())).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    expect(sentOf(at, initProducerIdKey)).toBe(before)
  })

  it('tries again to take over where the old one went on while its transaction was aborted', async () => {
    const at = world()
    let refusals = 2
    at.core.onRequest('InitProducerId', () =>
      refusals-- > 0 ? { kind: 'error', error: 'PRODUCER_FENCED' } : undefined,
    )
    const tx = await start(at)
    send(tx, 'a')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['a'])
  })

  it('asks again where the coordinator fails at the end of a transaction', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    let failures = 2
    at.core.onRequest('EndTxn', () =>
      failures-- > 0 ? { kind: 'error', error: 'UNKNOWN_SERVER_ERROR' } : undefined,
    )
    await at.run(tx.commit(offsetsAt(5)))
    expect(valuesOf(await at.readAll('t'))).toEqual(['a'])
    expect(await committedOffset(at)).toBe(5)
  })

  it('hears that it was replaced from a coordinator that failed at telling so', async () => {
    const at = world()
    const old = await start(at)
    send(old, 'of the old one')
    old.producer.sendNow()
    await at.pass(50)
    await start(at, { name: 'next' })
    let failures = 1
    at.core.onRequest('EndTxn', () =>
      failures-- > 0 ? { kind: 'error', error: 'UNKNOWN_SERVER_ERROR' } : undefined,
    )
    await expect(at.run(old.commit())).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    expect(valuesOf(await at.readAll('t'))).toEqual([])
  })

  it('tells a timeout from a replacement, and goes on after it', async () => {
    const at = world()
    const tx = await start(at, { transactionTimeoutMs: 1_000 })
    send(tx, 'too slow')
    tx.producer.sendNow()
    await at.pass(15_000)
    await expect(at.run(tx.commit())).rejects.toMatchObject({ code: 'TRANSACTION_TIMED_OUT' })
    await at.run(tx.abort())
    send(tx, 'in time')
    await at.run(tx.commit())
    expect(valuesOf(await at.readAll('t'))).toEqual(['in time'])
  })

  it('commits nothing for a member that has left its group generation', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    const generation = { generationId: 7, memberId: 'nobody', groupInstanceId: null }
    await expect(at.run(tx.commit({ ...offsetsAt(5), generation }))).rejects.toMatchObject({
      code: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/),
    })
    await at.run(tx.abort())
    expect(valuesOf(await at.readAll('t'))).toEqual([])
    expect(await committedOffset(at)).toBeUndefined()
  })

  it('adds offsets again under the next generation when a rebalance comes in between', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    const stale = { generationId: 7, memberId: 'nobody', groupInstanceId: null }
    const generation: CommitFence = {
      commit: (run) => run(stale).catch(() => run(noGeneration)),
    }
    await at.run(tx.commit({ ...offsetsAt(5), generation }))
    expect(valuesOf(await at.readAll('t'))).toEqual(['a'])
    expect(await committedOffset(at)).toBe(5)
  })

  it('says so when nobody can be asked how a transaction ended', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    at.core.onRequest('EndTxn', () => ({ kind: 'drop' }))
    await expect(at.run(tx.commit())).rejects.toMatchObject({ code: 'TRANSACTION_OUTCOME_UNKNOWN' })
  })

  it('must be initialized before it is used', async () => {
    const at = world()
    const tx = new TransactionalProducer({ cluster: at.cluster, transactionalId: 'tx' })
    await at.run(tx.producer.prepare(['t']))
    send(tx, 'a')
    await expect(at.run(tx.commit())).rejects.toMatchObject({ code: 'TRANSACTIONS_NOT_INITIALIZED' })
  })

  it('speaks the version of the protocol that the cluster has', async () => {
    const at = world()
    const tx = await start(at)
    send(tx, 'a')
    await at.run(tx.commit(offsetsAt(1)))
    expect(sentOf(at, addPartitionsKey)).toBe(transactionVersion === 0 ? 1 : 0)
    const ends = at.transport.sent.filter(({ apiKey }) => apiKey === endTransactionKey)
    expect(ends.map(({ apiVersion }) => apiVersion)).toContain(transactionVersion === 0 ? 4 : 5)
  })
})
