import { beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { createBrokerCore } from '../../src/broker/index.ts'
import { addOffsetsToTxnSchema } from '../../src/broker/protocol/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxnSchema } from '../../src/broker/protocol/apis/add-partitions-to-txn.ts'
import { endTxnSchema } from '../../src/broker/protocol/apis/end-txn.ts'
import { fetchSchema } from '../../src/broker/protocol/apis/fetch.ts'
import { initProducerIdSchema } from '../../src/broker/protocol/apis/init-producer-id.ts'
import { listOffsetsSchema } from '../../src/broker/protocol/apis/list-offsets.ts'
import { offsetFetchSchema } from '../../src/broker/protocol/apis/offset-fetch.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { txnOffsetCommitSchema } from '../../src/broker/protocol/apis/txn-offset-commit.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import type { Transaction } from '../../src/broker/transaction/transaction.ts'
import { batchOf } from './support/batch.ts'
import { WireClient } from './support/wire-client.ts'

const TV1 = { produce: 11, end: 4, commit: 4 }
const TV2 = { produce: 12, end: 5, commit: 5 }
const transactionalId = 'tx'

interface Identity {
  producerId: number
  producerEpoch: number
}

let clock: ManualClock
let client: WireClient
let core: BrokerCore

beforeEach(() => {
  clock = new ManualClock(1_000_000)
  core = createBrokerCore({
    clock,
    topics: [{ name: 'out', partitions: 2 }],
    onInternalError: (error) => expect.unreachable(String(error)),
  })
  client = new WireClient(core)
})

const init = (expected: Identity = { producerId: -1, producerEpoch: -1 }, transactionTimeoutMs = 60_000) =>
  client.call(initProducerIdSchema, 5, { transactionalId, transactionTimeoutMs, ...expected })

const begin = async (): Promise<Identity> => {
  const { errorCode, producerId, producerEpoch } = await init()
  expect(errorCode).toBe(Errors.NONE)
  return { producerId, producerEpoch }
}

const addPartition = async (identity: Identity, partition = 0): Promise<number | undefined> => {
  const response = await client.call(addPartitionsToTxnSchema, 3, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: identity.producerId,
    v3AndBelowProducerEpoch: identity.producerEpoch,
    v3AndBelowTopics: [{ name: 'out', partitions: [partition] }],
  })
  return response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
}

const send = async (identity: Identity, baseSequence: number, values: string[], version = TV1.produce) => {
  const records = batchOf(values, {
    ...identity,
    baseSequence,
    transactional: true,
    timestamps: values.map(() => 1_000_000),
  })
  const response = await client.call(produceSchema, version, {
    transactionalId,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'out', partitionData: [{ index: 0, records }] }],
  })
  return response.responses[0]?.partitionResponses[0]
}

const end = (identity: Identity, committed: boolean, version = TV1.end) =>
  client.call(endTxnSchema, version, { transactionalId, ...identity, committed })

const read = async (isolationLevel: number, fetchOffset = 0) => {
  const response = await client.call(fetchSchema, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    isolationLevel,
    topics: [{ topic: 'out', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }],
  })
  return response.responses[0]?.partitions[0]
}

const latest = async (isolationLevel: number): Promise<number | undefined> => {
  const response = await client.call(listOffsetsSchema, 9, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: 'out', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  return response.topics[0]?.partitions[0]?.offset
}

describe('a transaction under TV1', () => {
  it('is invisible to readers of committed data until its marker is written', async () => {
    const identity = await begin()
    expect(await addPartition(identity)).toBe(Errors.NONE)
    expect((await send(identity, 0, ['a', 'b']))?.errorCode).toBe(Errors.NONE)
    expect((await read(1))?.records?.length).toBe(0)
    expect((await read(1))?.lastStableOffset).toBe(0)
    expect((await read(0))?.records?.length).toBeGreaterThan(0)
    expect((await end(identity, true)).errorCode).toBe(Errors.NONE)
    expect(await latest(1)).toBe(0)
    clock.advance(0)
    expect(await latest(1)).toBe(3)
    expect((await read(1))?.abortedTransactions).toEqual([])
  })

  it('refuses the next one while its markers are not written', async () => {
    const identity = await begin()
    await addPartition(identity)
    await end(identity, true)
    expect(await addPartition(identity)).toBe(Errors.CONCURRENT_TRANSACTIONS)
    expect((await init()).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
    clock.advance(0)
    expect(await addPartition(identity)).toBe(Errors.NONE)
  })

  it('names itself to readers when it is aborted, each time', async () => {
    const identity = await begin()
    for (const round of [0, 1]) {
      await addPartition(identity)
      await send(identity, round, ['x'])
      await end(identity, false)
      clock.advance(0)
    }
    const { producerId } = identity
    expect((await read(1))?.abortedTransactions).toEqual([
      { producerId, firstOffset: 0 },
      { producerId, firstOffset: 2 },
    ])
    expect((await read(1, 2))?.abortedTransactions).toEqual([{ producerId, firstOffset: 2 }])
    expect((await read(0))?.abortedTransactions).toBeNull()
  })

  it('refuses a partition that was not added', async () => {
    const identity = await begin()
    expect((await send(identity, 0, ['a']))?.errorCode).toBe(Errors.TRANSACTION_ABORTABLE)
    expect((await send(identity, 0, ['a'], 10))?.errorCode).toBe(Errors.INVALID_TXN_STATE)
  })

  it('fences the producer that a newer one replaced', async () => {
    const old = await begin()
    await addPartition(old)
    await send(old, 0, ['a'])
    expect((await init()).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
    clock.advance(0)
    const next = await begin()
    expect(next.producerId).toBe(old.producerId)
    expect(next.producerEpoch).toBe(old.producerEpoch + 2)
    expect((await send(old, 1, ['b']))?.errorCode).toBe(Errors.INVALID_PRODUCER_EPOCH)
    expect(await addPartition(old)).toBe(Errors.PRODUCER_FENCED)
    expect((await end(old, true)).errorCode).toBe(Errors.PRODUCER_FENCED)
    expect((await init(old)).errorCode).toBe(Errors.PRODUCER_FENCED)
    expect((await read(1))?.abortedTransactions).toEqual([{ producerId: old.producerId, firstOffset: 0 }])
  })

  it('ends at its timeout, and its producer can come back if nobody replaced it', async () => {
    const { producerId, producerEpoch } = await init(undefined, 5_000)
    const identity = { producerId, producerEpoch }
    await addPartition(identity)
    await send(identity, 0, ['a'])
    clock.advance(15_000)
    expect((await end(identity, true)).errorCode).toBe(Errors.PRODUCER_FENCED)
    expect(await latest(1)).toBe(2)
  })

  it('does not end in the other way once it has ended', async () => {
    const identity = await begin()
    expect((await end(identity, true)).errorCode).toBe(Errors.INVALID_TXN_STATE)
    await addPartition(identity)
    await end(identity, true)
    expect((await end(identity, true)).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
    expect((await end(identity, false)).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
    clock.advance(0)
    expect((await end(identity, true)).errorCode).toBe(Errors.NONE)
    expect((await end(identity, false)).errorCode).toBe(Errors.INVALID_TXN_STATE)
  })
})

describe('a transaction under TV2', () => {
  it('adds what is sent, and raises the epoch when it ends', async () => {
    const identity = await begin()
    expect((await send(identity, 0, ['a'], TV2.produce))?.errorCode).toBe(Errors.NONE)
    const ended = await end(identity, true, TV2.end)
    expect(ended).toMatchObject({ errorCode: Errors.NONE, producerEpoch: identity.producerEpoch + 1 })
    const raised = { producerId: ended.producerId, producerEpoch: ended.producerEpoch }
    const next = send(raised, 0, ['b'], TV2.produce)
    clock.advance(0)
    expect((await next)?.errorCode).toBe(Errors.NONE)
    expect(await latest(1)).toBe(2)
  })

  it('gives the same answer to an end that is said again', async () => {
    const identity = await begin()
    await send(identity, 0, ['a'], TV2.produce)
    const first = await end(identity, true, TV2.end)
    clock.advance(0)
    expect(await end(identity, true, TV2.end)).toEqual(first)
    expect((await end(identity, false, TV2.end)).errorCode).toBe(Errors.INVALID_TXN_STATE)
  })

  it('goes on under a new producer id when its epochs are used up', async () => {
    const { producerId } = await begin()
    const transaction = core.broker.transactions.transactions.get(transactionalId) as Transaction
    transaction.producerEpoch = 32766
    const last = { producerId, producerEpoch: 32766 }
    expect((await send(last, 0, ['a'], TV2.produce))?.errorCode).toBe(Errors.NONE)
    const ended = await end(last, true, TV2.end)
    expect(ended).toMatchObject({ errorCode: Errors.NONE, producerEpoch: 0 })
    expect(ended.producerId).not.toBe(producerId)
    clock.advance(0)
    expect(await end(last, true, TV2.end)).toEqual(ended)
    const fresh = { producerId: ended.producerId, producerEpoch: 0 }
    expect((await send(fresh, 0, ['b'], TV2.produce))?.errorCode).toBe(Errors.NONE)
    expect((await init({ producerId: ended.producerId, producerEpoch: 0 })).errorCode).toBe(
      Errors.CONCURRENT_TRANSACTIONS,
    )
  })

  it('may abort nothing, and cannot commit nothing', async () => {
    const identity = await begin()
    expect((await end(identity, true, TV2.end)).errorCode).toBe(Errors.INVALID_TXN_STATE)
    expect(await end(identity, false, TV2.end)).toMatchObject({
      errorCode: Errors.NONE,
      producerEpoch: identity.producerEpoch + 1,
    })
  })
})

describe('while the markers of a transaction are pending', () => {
  const pending = async (version: number) => {
    for (let raised = 0; raised < 3; raised++) await begin()
    const identity = await begin()
    if (version === TV1.end) await addPartition(identity)
    await send(identity, 0, ['a'], version === TV1.end ? TV1.produce : TV2.produce)
    const { errorCode } = await end(identity, true, version)
    expect(errorCode).toBe(Errors.NONE)
    return identity
  }
  const everyIdentity = ({ producerId, producerEpoch }: Identity): Identity[] => [
    ...[-2, 0, 1, 5].map((raised) => ({ producerId, producerEpoch: producerEpoch + raised })),
    { producerId: producerId + 7, producerEpoch },
  ]

  it('every EndTxn under TV2 is asked to retry, whatever identity and outcome it names', async () => {
    const identities = everyIdentity(await pending(TV2.end))
    for (const identity of identities) {
      for (const committed of [true, false])
        expect((await end(identity, committed, TV2.end)).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
    }
  })

  it('EndTxn under TV1 is asked to retry where its identity is the current one', async () => {
    const identity = await pending(TV1.end)
    const { producerId, producerEpoch } = identity
    for (const committed of [true, false]) {
      expect((await end(identity, committed)).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
      expect((await end({ producerId, producerEpoch: producerEpoch - 1 }, committed)).errorCode).toBe(
        Errors.PRODUCER_FENCED,
      )
      expect((await end({ producerId: producerId + 7, producerEpoch }, committed)).errorCode).toBe(
        Errors.INVALID_PRODUCER_ID_MAPPING,
      )
    }
  })

  it.for([TV1, TV2])(
    'requests that add to a transaction or take a new identity are asked to retry first (EndTxn $end)',
    async ({ end: version }) => {
      for (const identity of everyIdentity(await pending(version))) {
        expect(await addPartition(identity)).toBe(Errors.CONCURRENT_TRANSACTIONS)
        expect((await init(identity)).errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
        const added = await client.call(addOffsetsToTxnSchema, 3, {
          transactionalId,
          ...identity,
          groupId: 'readers',
        })
        expect(added.errorCode).toBe(Errors.CONCURRENT_TRANSACTIONS)
      }
    },
  )
})

describe('offsets in a transaction', () => {
  const commitOffset = async (identity: Identity, version: number, member = {}) => {
    const response = await client.call(txnOffsetCommitSchema, version, {
      transactionalId,
      groupId: 'readers',
      ...identity,
      ...member,
      topics: [
        { name: 'out', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: 'm' }] },
      ],
    })
    return response.topics[0]?.partitions[0]?.errorCode
  }

  const fetchOffset = async (requireStable: boolean) => {
    const response = await client.call(offsetFetchSchema, 9, {
      requireStable,
      groups: [{ groupId: 'readers', topics: [{ name: 'out', partitionIndexes: [0] }] }],
    })
    const found = response.groups[0]?.topics[0]?.partitions[0]
    return [found?.committedOffset, found?.errorCode]
  }

  it('count when it commits, and are unstable until then', async () => {
    const identity = await begin()
    const added = await client.call(addOffsetsToTxnSchema, 4, {
      transactionalId,
      ...identity,
      groupId: 'readers',
    })
    expect(added.errorCode).toBe(Errors.NONE)
    expect(await commitOffset(identity, TV1.commit)).toBe(Errors.NONE)
    expect(await fetchOffset(false)).toEqual([-1, Errors.NONE])
    expect(await fetchOffset(true)).toEqual([-1, Errors.UNSTABLE_OFFSET_COMMIT])
    await end(identity, true)
    clock.advance(0)
    expect(await fetchOffset(true)).toEqual([7, Errors.NONE])
  })

  it('never count when it aborts', async () => {
    const identity = await begin()
    expect(await commitOffset(identity, TV2.commit)).toBe(Errors.NONE)
    await end(identity, false, TV2.end)
    clock.advance(0)
    expect(await fetchOffset(true)).toEqual([-1, Errors.NONE])
  })

  it('are refused where the group was not added, or the member is not of this generation', async () => {
    const identity = await begin()
    expect(await commitOffset(identity, TV1.commit)).toBe(Errors.TRANSACTION_ABORTABLE)
    expect(await commitOffset(identity, 3)).toBe(Errors.INVALID_TXN_STATE)
    expect(await commitOffset(identity, TV2.commit, { generationId: 3, memberId: 'who' })).toBe(
      Errors.ILLEGAL_GENERATION,
    )
  })
})
