import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFault } from '../../../src/base/fault.ts'
import type { InjectedFault } from '../../../src/broker/index.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { Fetcher } from '../../../src/kafka/fetcher.ts'
import { fetchOffsets, noGeneration } from '../../../src/kafka/group/offsets.ts'
import { Producer } from '../../../src/kafka/producer.ts'
import { TransactionalProducer } from '../../../src/kafka/transaction/transactional-producer.ts'
import type { CoreWorld } from '../support/core-world.ts'
import { coreWorld } from '../support/core-world.ts'
import { CoreTransport } from '../support/core-transport.ts'
import { rowsOf, valuesOf } from '../support/rows.ts'

/**
 * A copier from one topic to another, killed and started again while requests are dropped, answers lost, errors injected
 * and transactions left open: what a reader of committed data sees is each record once, in order.
 */
const groupId = 'copier'
const recordCount = 60

const apis = [
  'Fetch',
  'Produce',
  'AddPartitionsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
  'InitProducerId',
  'OffsetFetch',
]

/** The broker dies and comes back as Apache Kafka 4.3.1 does alone: what it has decided, it tells no partition. */
const forgets = { kind: 'forgets' } as const

const faultArbitrary = fc.constantFrom<InjectedFault | typeof forgets | undefined>(
  undefined,
  undefined,
  undefined,
  { kind: 'drop' },
  { kind: 'loseResponse' },
  { kind: 'delay', delayMs: 400 },
  { kind: 'error', error: 'NOT_ENOUGH_REPLICAS' },
  { kind: 'error', error: 'COORDINATOR_NOT_AVAILABLE' },
  { kind: 'error', error: 'TRANSACTION_ABORTABLE' },
  forgets,
)

/** What aborts a transaction is answered only where one may be open. */
const mayGet = (api: string, fault: InjectedFault | typeof forgets | undefined): boolean =>
  fault?.kind !== 'error' ||
  fault.error !== 'TRANSACTION_ABORTABLE' ||
  /^(Produce|TxnOffsetCommit)$/.test(api)

const forget = (world: CoreWorld, transport: CoreTransport): InjectedFault => {
  for (const transaction of world.core.broker.transactions.transactions.values())
    if (transaction.state.startsWith('Prepare')) {
      transaction.partitions = new Map()
      transaction.groups = new Set()
    }
  transport.loseAll()
  return { kind: 'drop' }
}

/** After that many commits the process dies, by the number of the life. */
const livesArbitrary = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 })

/** The broker goes after it has aborted a transaction, while the producer takes its next epoch. */
const goneWhileTheEpochIsTaken: [[string, InjectedFault | typeof forgets | undefined][], number[]] = [
  [
    ['InitProducerId', undefined],
    ['TxnOffsetCommit', { kind: 'error', error: 'TRANSACTION_ABORTABLE' }],
    ['InitProducerId', forgets],
  ],
  [],
]

const fill = async (world: CoreWorld): Promise<void> => {
  const producer = new Producer({ cluster: world.cluster, name: 'filler' })
  await world.run(producer.prepare(['in']))
  for (let index = 0; index < recordCount; index++) {
    producer.send('in', 0, null, Buffer.from(`${index}`), index + 1)
    if (index % 3 === 2) await world.run(producer.flush())
  }
  producer.close()
}

/** One life of the copier: until all is copied, or it dies in the middle of what follows `commits` commits. */
const live = async (
  world: CoreWorld,
  transport: CoreTransport,
  commits: number,
): Promise<'done' | 'died'> => {
  const cluster = new Cluster({ transport, clock: world.clock })
  const tx = new TransactionalProducer({ cluster, groupId, transactionalId: 'copier-0', lingerMs: 5 })
  const fetcher = new Fetcher({ cluster, isolation: 'read_committed', partitionMaxBytes: 1, maxWaitMs: 50 })
  try {
    await tx.producer.prepare(['out'])
    await tx.initialize()
    let position = await resume(cluster, fetcher)
    for (let done = 0; position < recordCount;) {
      for (const batch of await fetcher.poll(100)) {
        for (const { value } of rowsOf(batch)) tx.producer.send('out', 0, null, Buffer.from(value ?? ''), 1)
        position = batch.nextOffset
      }
      if (done++ >= commits) return 'died'
      const offsets = [{ topic: 'in', partition: 0, offset: position }]
      try {
        await tx.commit({ groupId, generation: noGeneration, offsets })
      } catch (error) {
        if (isFault(error, 'TRANSACTION_OUTCOME_UNKNOWN')) await tx.initialize()
        else await tx.abort()
        position = await resume(cluster, fetcher)
      }
    }
    return 'done'
  } finally {
    tx.close()
    fetcher.close()
    await transport.close()
  }
}

const resume = async (cluster: Cluster, fetcher: Fetcher): Promise<number> => {
  const committed = await fetchOffsets(cluster, groupId, {
    requireStable: true,
    partitions: [{ topic: 'in', partition: 0 }],
  })
  const offset = committed.get('in-0')?.offset ?? 0
  fetcher.assign([{ topic: 'in', partition: 0, offset }])
  return offset
}

describe.each([0, 2] as const)(
  'a copier under transactions at transaction.version %i',
  (transactionVersion) => {
    it('copies each record once and in order, whatever dies on the way', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom(...apis), faultArbitrary), { maxLength: 60 }),
          livesArbitrary,
          async (faults, lives) => {
            const world = coreWorld({
              topics: [{ name: 'in' }, { name: 'out' }],
              settings: { transactionVersion, transactionMarkerDelayMs: 10 },
            })
            await fill(world)
            let transport = new CoreTransport(world.core)
            const begin = (commits: number): Promise<'done' | 'died'> => {
              transport = new CoreTransport(world.core)
              return world.run(live(world, transport, commits))
            }
            for (const api of apis) {
              const rest = faults.flatMap(([name, fault]) =>
                name === api && mayGet(api, fault) ? [fault] : [],
              )
              world.core.onRequest(api, () => {
                const fault = rest.shift()
                return fault?.kind === 'forgets' ? forget(world, transport) : fault
              })
            }
            for (const commits of lives) await begin(commits)
            expect(await begin(Number.POSITIVE_INFINITY)).toBe('done')
            const expected = Array.from({ length: recordCount }, (_, index) => `${index}`)
            expect(valuesOf(await world.readAll('out'))).toEqual(expected)
          },
        ),
        { numRuns: 100, examples: [goneWhileTheEpochIsTaken] },
      )
    })
  },
)
