import { addOffsetsToTxnSchema } from '../../../src/broker/protocol/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxnSchema } from '../../../src/broker/protocol/apis/add-partitions-to-txn.ts'
import { describeProducersSchema } from '../../../src/broker/protocol/apis/describe-producers.ts'
import { describeTransactionsSchema } from '../../../src/broker/protocol/apis/describe-transactions.ts'
import { endTxnSchema } from '../../../src/broker/protocol/apis/end-txn.ts'
import { initProducerIdSchema } from '../../../src/broker/protocol/apis/init-producer-id.ts'
import { listOffsetsSchema } from '../../../src/broker/protocol/apis/list-offsets.ts'
import { offsetFetchSchema } from '../../../src/broker/protocol/apis/offset-fetch.ts'
import { txnOffsetCommitSchema } from '../../../src/broker/protocol/apis/txn-offset-commit.ts'
import { nameOf, NOT_YET, type Identity, type Outcome, type World } from './world.ts'

const init = async (
  world: World,
  transactionalId: string | null,
  changes: { transactionTimeoutMs?: number; producerId?: number; producerEpoch?: number } = {},
  version = 4,
): Promise<string> => {
  const response = await world.client.call(initProducerIdSchema, version, {
    transactionalId,
    transactionTimeoutMs: 60_000,
    ...changes,
  })
  return nameOf(response.errorCode)
}

const end = async (
  world: World,
  transactionalId: string,
  identity: Identity,
  committed: boolean,
  version = 4,
) => {
  const response = await world.client.call(endTxnSchema, version, { transactionalId, ...identity, committed })
  return nameOf(response.errorCode)
}

/**
 * Ends a transaction under TV2 and answers by how much the epoch rises. Markers may stand in the partitions before the
 * coordinator has noted that they do: it is asked until it has.
 */
const endAndRaise = async (
  world: World,
  transactionalId: string,
  identity: Identity,
  committed: boolean,
): Promise<readonly [string, number]> => {
  let raisedBy = 0
  const answer = await world.retry(async () => {
    const response = await world.client.call(endTxnSchema, 5, { transactionalId, ...identity, committed })
    raisedBy = response.producerEpoch - identity.producerEpoch
    return nameOf(response.errorCode)
  })
  return [answer, raisedBy]
}

const send = (
  world: World,
  topic: string,
  transactionalId: string,
  identity: Identity,
  baseSequence: number,
  version = 11,
): Promise<string> =>
  world.send(topic, ['x'], { ...identity, baseSequence, transactional: true, transactionalId, version })

const stable = async (world: World, topic: string): Promise<number | undefined> => {
  const { topics } = await world.client.call(listOffsetsSchema, 9, {
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  return topics[0]?.partitions[0]?.offset
}

/** Waits until the last stable offset is where it should be, or gives what it is after a while. */
const stableAt = async (world: World, topic: string, offset: number): Promise<number | undefined> => {
  let last: number | undefined
  await world.retry(async () => {
    last = await stable(world, topic)
    return last === offset ? 'NONE' : NOT_YET
  })
  return last
}

const opened = async (
  world: World,
): Promise<{ topic: string; transactionalId: string; identity: Identity }> => {
  const topic = await world.topic()
  const transactionalId = await world.transactionalId()
  return { topic, transactionalId, identity: await world.transactional(transactionalId) }
}

/** An identity that a second EndTxn names, from the identity of the first. */
const LATER_IDENTITIES: Readonly<Record<string, (identity: Identity) => Identity>> = {
  same: (identity) => identity,
  next: (identity) => ({ ...identity, producerEpoch: identity.producerEpoch + 1 }),
  older: (identity) => ({ ...identity, producerEpoch: identity.producerEpoch - 1 }),
  stranger: (identity) => ({ ...identity, producerId: identity.producerId + 7777 }),
}

const REFUSED_IDENTITIES = {
  'older commit': 'PRODUCER_FENCED',
  'older abort': 'PRODUCER_FENCED',
  'stranger commit': 'INVALID_PRODUCER_ID_MAPPING',
  'stranger abort': 'INVALID_PRODUCER_ID_MAPPING',
}
const REPEATED = {
  commit: { 'same commit': 'NONE', 'same abort': 'INVALID_TXN_STATE' },
  abort: { 'same commit': 'INVALID_TXN_STATE', 'same abort': 'NONE' },
}
const FENCED_NEXT = { 'next commit': 'PRODUCER_FENCED', 'next abort': 'PRODUCER_FENCED' }
const EMPTY_NEXT = { 'next commit': 'INVALID_TXN_STATE', 'next abort': 'NONE' }
const AFTER_TV1 = {
  commit: { ...REPEATED.commit, ...FENCED_NEXT, ...REFUSED_IDENTITIES },
  abort: { ...REPEATED.abort, ...FENCED_NEXT, ...REFUSED_IDENTITIES },
}
const AFTER_TV2 = {
  commit: { ...REPEATED.commit, ...EMPTY_NEXT, ...REFUSED_IDENTITIES },
  abort: { ...REPEATED.abort, ...EMPTY_NEXT, ...REFUSED_IDENTITIES },
}

/** A transaction whose EndTxn has just been answered. */
const ended = async (
  world: World,
  version: number,
  committed: boolean,
): Promise<{ transactionalId: string; identity: Identity }> => {
  const { topic, transactionalId } = await opened(world)
  const identity = await world.transactional(transactionalId)
  if (version === 4) await world.add(transactionalId, identity, topic)
  await send(world, topic, transactionalId, identity, 0, version === 4 ? 11 : 12)
  await end(world, transactionalId, identity, committed, version)
  return { transactionalId, identity }
}

export const transactionOutcomes: readonly Outcome[] = [
  {
    title: 'a producer id is asked for sensibly',
    expected: {
      noName: 'INVALID_REQUEST',
      noTimeout: 'INVALID_TRANSACTION_TIMEOUT',
      longTimeout: 'INVALID_TRANSACTION_TIMEOUT',
      halfIdentity: 'INVALID_REQUEST',
      plain: 'NONE',
    },
    run: async (world) => {
      const transactionalId = await world.transactionalId()
      return {
        noName: await init(world, ''),
        noTimeout: await init(world, transactionalId, { transactionTimeoutMs: 0 }),
        longTimeout: await init(world, transactionalId, { transactionTimeoutMs: 10_000_000 }),
        halfIdentity: await init(world, transactionalId, { producerId: 5 }),
        plain: await init(world, null),
      }
    },
  },
  {
    title: 'a committed transaction becomes visible, and its id is free for the next',
    expected: ['NONE', 'NONE', 0, 'NONE', 2, 'NONE'],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      return [
        await world.add(transactionalId, identity, topic),
        await send(world, topic, transactionalId, identity, 0),
        await stable(world, topic),
        await end(world, transactionalId, identity, true),
        await stableAt(world, topic, 2),
        await world.add(transactionalId, identity, topic),
      ]
    },
  },
  {
    title: 'aborted transactions are named to readers of committed data',
    expected: [[0, 2], [2], null],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      for (const round of [0, 1]) {
        await world.add(transactionalId, identity, topic)
        await send(world, topic, transactionalId, identity, round)
        await end(world, transactionalId, identity, false)
        await stableAt(world, topic, 2 * round + 2)
      }
      const aborted = async (offset: number, isolation: number): Promise<unknown> =>
        (await world.fetched(topic, offset, isolation))?.abortedTransactions?.map(
          ({ firstOffset }) => firstOffset,
        ) ?? null
      return [await aborted(0, 1), await aborted(2, 1), await aborted(0, 0)]
    },
  },
  {
    title: 'a partition that was not added is refused, in the words of the version',
    expected: ['TRANSACTION_ABORTABLE', 'INVALID_TXN_STATE', 'NONE', 'INVALID_PRODUCER_ID_MAPPING'],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      return [
        await send(world, topic, transactionalId, identity, 0),
        await send(world, topic, transactionalId, identity, 0, 9),
        await send(world, topic, transactionalId, identity, 0, 12),
        await send(world, await world.topic(), await world.transactionalId(), identity, 0),
      ]
    },
  },
  {
    title: 'partitions are added all or none, by their owner',
    expected: {
      unknown: ['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'],
      stranger: 'INVALID_PRODUCER_ID_MAPPING',
      nobody: 'INVALID_PRODUCER_ID_MAPPING',
      newer: 'PRODUCER_FENCED',
      noName: 'INVALID_REQUEST',
      added: 'NONE',
      again: 'NONE',
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      const { producerId, producerEpoch } = identity
      const response = await world.client.call(addPartitionsToTxnSchema, 3, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: topic, partitions: [0, 8] }],
      })
      return {
        unknown: response.resultsByTopicV3AndBelow[0]?.resultsByPartition
          .toSorted((left, right) => left.partitionIndex - right.partitionIndex)
          .map(({ partitionErrorCode }) => nameOf(partitionErrorCode)),
        stranger: await world.addOnce(
          transactionalId,
          { producerId: producerId + 5000, producerEpoch },
          topic,
        ),
        nobody: await world.addOnce(await world.transactionalId(), identity, topic),
        newer: await world.addOnce(transactionalId, { producerId, producerEpoch: producerEpoch + 1 }, topic),
        noName: await world.addOnce('', identity, topic),
        added: await world.addOnce(transactionalId, identity, topic),
        again: await world.addOnce(transactionalId, identity, topic),
      }
    },
  },
  {
    title: 'a producer that was replaced is fenced everywhere',
    expected: {
      produce: 'INVALID_PRODUCER_EPOCH',
      produceTv2: 'INVALID_PRODUCER_EPOCH',
      add: 'PRODUCER_FENCED',
      addOffsets: 'PRODUCER_FENCED',
      end: 'PRODUCER_FENCED',
      endV1: 'INVALID_PRODUCER_EPOCH',
      endTv2: 'PRODUCER_FENCED',
      offsets: 'INVALID_PRODUCER_EPOCH',
      init: 'PRODUCER_FENCED',
      initV3: 'INVALID_PRODUCER_EPOCH',
      stable: 2,
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      await send(world, topic, transactionalId, identity, 0)
      await world.transactional(transactionalId)
      const addOffsets = await world.client.call(addOffsetsToTxnSchema, 3, {
        transactionalId,
        ...identity,
        groupId: await world.group(),
      })
      return {
        produce: await send(world, topic, transactionalId, identity, 1),
        produceTv2: await send(world, topic, transactionalId, identity, 1, 12),
        add: await world.addOnce(transactionalId, identity, topic),
        addOffsets: nameOf(addOffsets.errorCode),
        end: await end(world, transactionalId, identity, true),
        endV1: await end(world, transactionalId, identity, true, 1),
        endTv2: await end(world, transactionalId, identity, true, 5),
        offsets: await commitOffset(world, transactionalId, identity, await world.group(), topic),
        init: await init(world, transactionalId, identity),
        initV3: await init(world, transactionalId, identity, 3),
        stable: await stableAt(world, topic, 2),
      }
    },
  },
  {
    title: 'a transaction ends once, in one way',
    expected: {
      empty: 'INVALID_TXN_STATE',
      committed: 'NONE',
      again: 'NONE',
      otherwise: 'INVALID_TXN_STATE',
      stranger: 'INVALID_PRODUCER_ID_MAPPING',
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      const empty = await end(world, transactionalId, identity, true)
      await world.add(transactionalId, identity, topic)
      const committed = await end(world, transactionalId, identity, true)
      const { producerEpoch } = identity
      return {
        empty,
        committed,
        again: await world.retry(() => end(world, transactionalId, identity, true)),
        otherwise: await end(world, transactionalId, identity, false),
        stranger: await end(
          world,
          transactionalId,
          { producerId: identity.producerId + 5000, producerEpoch },
          true,
        ),
      }
    },
  },
  {
    title: 'under TV2 every end raises the epoch, and an end said again is answered again',
    expected: {
      sent: 'NONE',
      committed: ['NONE', 1],
      again: ['NONE', 1],
      otherwise: 'INVALID_TXN_STATE',
      nothing: 'INVALID_TXN_STATE',
      abortNothing: ['NONE', 1],
      next: 'NONE',
      firstSequence: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      const sent = await send(world, topic, transactionalId, identity, 0, 12)
      const committed = await endAndRaise(world, transactionalId, identity, true)
      await stableAt(world, topic, 2)
      const again = await endAndRaise(world, transactionalId, identity, true)
      const otherwise = await end(world, transactionalId, identity, false, 5)
      const raised = { ...identity, producerEpoch: identity.producerEpoch + 1 }
      const nothing = await end(world, transactionalId, raised, true, 5)
      const abortNothing = await endAndRaise(world, transactionalId, raised, false)
      const third = { ...identity, producerEpoch: identity.producerEpoch + 2 }
      const next = await world.retry(() => send(world, topic, transactionalId, third, 0, 12))
      const firstSequence = await send(world, topic, transactionalId, third, 5, 12)
      return { sent, committed, again, otherwise, nothing, abortNothing, next, firstSequence }
    },
  },
  ...[4, 5].flatMap((version) =>
    [true, false].map((committed): Outcome => ({
      title: `an end right behind EndTxn ${version} (${committed ? 'commit' : 'abort'}) waits for its markers`,
      expected:
        version === 4 ? AFTER_TV1[committed ? 'commit' : 'abort'] : AFTER_TV2[committed ? 'commit' : 'abort'],
      run: async (world) => {
        const answers: Record<string, string> = {}
        for (const [name, change] of Object.entries(LATER_IDENTITIES)) {
          for (const outcome of ['commit', 'abort'] as const) {
            const { transactionalId, identity } = await ended(world, version, committed)
            answers[`${name} ${outcome}`] = await world.retry(() =>
              end(world, transactionalId, change(identity), outcome === 'commit', version),
            )
          }
        }
        return answers
      },
    })),
  ),
  {
    title: 'an identity that is named is raised, and raising it again changes nothing',
    expected: ['NONE', 1, 'NONE', 1, 'PRODUCER_FENCED'],
    run: async (world) => {
      const { transactionalId, identity } = await opened(world)
      const raise = async (): Promise<[string, number]> => {
        const response = await world.client.call(initProducerIdSchema, 4, {
          transactionalId,
          transactionTimeoutMs: 60_000,
          ...identity,
        })
        return [nameOf(response.errorCode), response.producerEpoch - identity.producerEpoch]
      }
      const first = await raise()
      const second = await raise()
      const future = { ...identity, producerEpoch: identity.producerEpoch + 9 }
      return [...first, ...second, await init(world, transactionalId, future)]
    },
  },
  {
    title: 'a transaction that took too long is aborted by the broker',
    expected: { tv1: 'PRODUCER_FENCED', tv2: 'INVALID_TXN_STATE', back: 'NONE' },
    run: async (world) => {
      const timedOut = async (version: number): Promise<{ transactionalId: string; identity: Identity }> => {
        const topic = await world.topic()
        const transactionalId = await world.transactionalId()
        const { producerId, producerEpoch } = await world.client.call(initProducerIdSchema, 4, {
          transactionalId,
          transactionTimeoutMs: 100,
        })
        const identity = { producerId, producerEpoch }
        if (version < 12) await world.add(transactionalId, identity, topic)
        await send(world, topic, transactionalId, identity, 0, version)
        for (let attempt = 0; attempt < 100 && (await stable(world, topic)) !== 2; attempt++)
          await new Promise((resolve) => setTimeout(resolve, 150))
        return { transactionalId, identity }
      }
      const [tv1, tv2] = [await timedOut(11), await timedOut(12)]
      return {
        tv1: await end(world, tv1.transactionalId, tv1.identity, true),
        tv2: await end(world, tv2.transactionalId, tv2.identity, true, 5),
        back: await init(world, tv1.transactionalId),
      }
    },
  },
  {
    title: 'offsets in a transaction count when it commits',
    expected: {
      notAdded: 'TRANSACTION_ABORTABLE',
      notAddedV3: 'INVALID_TXN_STATE',
      added: 'NONE',
      sent: 'NONE',
      pending: [-1, 'NONE'],
      unstable: 'UNSTABLE_OFFSET_COMMIT',
      committed: [7, 'NONE'],
      stranger: 'ILLEGAL_GENERATION',
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      const groupId = await world.group()
      await world.add(transactionalId, identity, topic)
      const notAdded = await commitOffset(world, transactionalId, identity, groupId, topic)
      const notAddedV3 = await commitOffset(world, transactionalId, identity, groupId, topic, 3)
      const added = await world.client.call(addOffsetsToTxnSchema, 3, {
        transactionalId,
        ...identity,
        groupId,
      })
      const sent = await commitOffset(world, transactionalId, identity, groupId, topic)
      const pending = await fetchOffset(world, groupId, topic, false)
      const [, unstable] = await fetchOffset(world, groupId, topic, true)
      await end(world, transactionalId, identity, true)
      let committed: unknown
      await world.retry(async () => {
        committed = await fetchOffset(world, groupId, topic, true)
        return (committed as unknown[])[1] === 'UNSTABLE_OFFSET_COMMIT' ? NOT_YET : 'NONE'
      })
      const other = await world.group()
      const member = { generationId: 3, memberId: 'nobody' }
      const stranger = await world.retry(() =>
        commitOffset(world, transactionalId, identity, other, topic, 5, member),
      )
      return {
        notAdded,
        notAddedV3,
        added: nameOf(added.errorCode),
        sent,
        pending,
        unstable,
        committed,
        stranger,
      }
    },
  },
  {
    title: 'transactions describe themselves',
    expected: ['Ongoing', 'TRANSACTIONAL_ID_NOT_FOUND'],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      const { transactionStates } = await world.client.call(describeTransactionsSchema, 0, {
        transactionalIds: [transactionalId, world.name('nobody')],
      })
      return [transactionStates[0]?.transactionState, nameOf(transactionStates[1]?.errorCode)]
    },
  },
  {
    title: 'a new producer aborts what the old one left open, and is asked to wait',
    expected: ['CONCURRENT_TRANSACTIONS', 2],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      const first = await init(world, transactionalId)
      const next = await world.transactional(transactionalId)
      return [first, next.producerEpoch - identity.producerEpoch]
    },
  },
  {
    title: 'a producer does not write outside of its open transaction',
    expected: {
      plain: 'INVALID_TXN_STATE',
      nameless: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      inside: 'NONE',
    },
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      await send(world, topic, transactionalId, identity, 0)
      return {
        plain: await world.send(topic, ['x'], { ...identity, baseSequence: 1 }),
        nameless: await world.send(topic, ['x'], { ...identity, baseSequence: 1, transactional: true }),
        inside: await send(world, topic, transactionalId, identity, 1),
      }
    },
  },
  {
    title: 'sequences go on over transactions of one epoch, and over an abort',
    expected: ['NONE', 'NONE', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'NONE'],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      const first = await send(world, topic, transactionalId, identity, 0)
      await end(world, transactionalId, identity, false)
      await stableAt(world, topic, 2)
      const added = await world.add(transactionalId, identity, topic)
      return [
        first,
        added,
        await send(world, topic, transactionalId, identity, 0 + 5),
        await send(world, topic, transactionalId, identity, 1),
      ]
    },
  },
  {
    title: 'partitions describe their producers',
    expected: ['NONE', [[0, 3, 0]], 'UNKNOWN_TOPIC_OR_PARTITION'],
    run: async (world) => {
      const { topic, transactionalId, identity } = await opened(world)
      await world.add(transactionalId, identity, topic)
      await send(world, topic, transactionalId, identity, 3)
      const ask = async (name: string) => {
        const { topics } = await world.client.call(describeProducersSchema, 0, {
          topics: [{ name, partitionIndexes: [0] }],
        })
        return topics[0]?.partitions[0]
      }
      const found = await ask(topic)
      return [
        nameOf(found?.errorCode),
        found?.activeProducers.map((producer) => [
          producer.producerEpoch,
          producer.lastSequence,
          producer.currentTxnStartOffset,
        ]),
        nameOf((await ask(world.name('missing')))?.errorCode),
      ]
    },
  },
]

const commitOffset = async (
  world: World,
  transactionalId: string,
  identity: Identity,
  groupId: string,
  topic: string,
  version = 4,
  member: { generationId?: number; memberId?: string } = {},
): Promise<string> => {
  const { topics } = await world.client.call(txnOffsetCommitSchema, version, {
    transactionalId,
    groupId,
    ...identity,
    ...member,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }],
  })
  return nameOf(topics[0]?.partitions[0]?.errorCode)
}

const fetchOffset = async (world: World, groupId: string, topic: string, requireStable: boolean) => {
  const { groups } = await world.client.call(offsetFetchSchema, 8, {
    requireStable,
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
  })
  const found = groups[0]?.topics[0]?.partitions[0]
  return [found?.committedOffset, nameOf(found?.errorCode)]
}
