import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Decode } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import type { BrokerCore } from '../../src/broker/core.ts'
import { createBrokerCore, memoryStorage } from '../../src/broker/index.ts'
import { isControl, readBatchHeader } from '../../src/broker/log/record-batch.ts'
import { addPartitionsToTxnSchema } from '../../src/broker/protocol/apis/add-partitions-to-txn.ts'
import { endTxnSchema } from '../../src/broker/protocol/apis/end-txn.ts'
import { fetchSchema } from '../../src/broker/protocol/apis/fetch.ts'
import { initProducerIdSchema } from '../../src/broker/protocol/apis/init-producer-id.ts'
import { produceSchema } from '../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../src/broker/protocol/errors.ts'
import { batchOf } from './support/batch.ts'
import { WireClient } from './support/wire-client.ts'

const TIMEOUT_MS = 10_000

/** A broker that crashes and comes back on the same storage. */
class Crashing {
  readonly clock = new ManualClock(1_000_000)
  readonly #storage = memoryStorage()
  core: BrokerCore
  client: WireClient

  constructor() {
    this.core = this.#start()
    this.client = new WireClient(this.core)
  }

  #start(): BrokerCore {
    return createBrokerCore({
      clock: this.clock,
      storage: this.#storage,
      topics: [{ name: 'out' }],
      onInternalError: (error) => expect.unreachable(String(error)),
    })
  }

  restart(): void {
    this.core.close()
    this.core = this.#start()
    this.client = new WireClient(this.core)
  }
}

/** A producer that writes one value at a time; what it knows to be committed it has written down. */
class Writer {
  readonly #broker: Crashing
  readonly #transactionalId: string
  readonly #tv2: boolean
  #identity: { producerId: number; producerEpoch: number } | undefined
  #sequence = 0
  #count = 0
  #pending: string[] = []
  #isOpen = false
  readonly committed: string[] = []

  constructor(broker: Crashing, transactionalId: string, tv2: boolean) {
    this.#broker = broker
    this.#transactionalId = transactionalId
    this.#tv2 = tv2
  }

  async send(): Promise<void> {
    this.#identity ??= await this.#initialise()
    if (!this.#isOpen && !this.#tv2 && !(await this.#adds())) return this.forget()
    const value = `${this.#transactionalId}-${this.#count++}`
    const records = batchOf([value], { ...this.#identity, baseSequence: this.#sequence, transactional: true })
    const sending = this.#broker.client.call(produceSchema, this.#tv2 ? 12 : 11, {
      transactionalId: this.#transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'out', partitionData: [{ index: 0, records }] }],
    })
    this.#broker.clock.advance(0)
    const { responses } = await sending
    if (responses[0]?.partitionResponses[0]?.errorCode !== Errors.NONE) return this.forget()
    this.#isOpen = true
    this.#sequence++
    this.#pending.push(value)
  }

  async end(committed: boolean): Promise<void> {
    if (!this.#isOpen || this.#identity === undefined) return
    const ended = await this.#broker.client.call(endTxnSchema, this.#tv2 ? 5 : 4, {
      transactionalId: this.#transactionalId,
      ...this.#identity,
      committed,
    })
    if (ended.errorCode !== Errors.NONE) return this.forget()
    if (committed) this.committed.push(...this.#pending)
    if (this.#tv2) {
      this.#identity = { producerId: ended.producerId, producerEpoch: ended.producerEpoch }
      this.#sequence = 0
    }
    this.#pending = []
    this.#isOpen = false
  }

  /** The client dies, or finds itself fenced: what it had open is lost. */
  forget(): void {
    this.#identity = undefined
    this.#sequence = 0
    this.#pending = []
    this.#isOpen = false
  }

  async #initialise(): Promise<{ producerId: number; producerEpoch: number }> {
    for (;;) {
      const { errorCode, producerId, producerEpoch } = await this.#broker.client.call(
        initProducerIdSchema,
        4,
        {
          transactionalId: this.#transactionalId,
          transactionTimeoutMs: TIMEOUT_MS,
        },
      )
      if (errorCode === Errors.NONE) return { producerId, producerEpoch }
      if (errorCode !== Errors.CONCURRENT_TRANSACTIONS) throw new Error(`InitProducerId: ${errorCode}`)
      this.#broker.clock.advance(0)
    }
  }

  async #adds(): Promise<boolean> {
    for (;;) {
      const response = await this.#broker.client.call(addPartitionsToTxnSchema, 3, {
        v3AndBelowTransactionalId: this.#transactionalId,
        v3AndBelowProducerId: this.#identity?.producerId ?? -1,
        v3AndBelowProducerEpoch: this.#identity?.producerEpoch ?? -1,
        v3AndBelowTopics: [{ name: 'out', partitions: [0] }],
      })
      const error = response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
      if (error !== Errors.CONCURRENT_TRANSACTIONS) return error === Errors.NONE
      this.#broker.clock.advance(0)
    }
  }
}

/** Reads as a consumer of committed data does: what the list of aborted transactions names is left out. */
const readCommitted = async (client: WireClient): Promise<string[]> => {
  const { responses } = await client.call(fetchSchema, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: 1,
    topics: [{ topic: 'out', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000_000 }] }],
  })
  const partition = responses[0]?.partitions[0]
  const records = partition?.records ?? new Uint8Array()
  // Kafka lists them in the order in which they ended.
  const toCome = [...(partition?.abortedTransactions ?? [])].sort(
    (left, right) => left.firstOffset - right.firstOffset,
  )
  const aborting = new Set<number>()
  const values: string[] = []
  for (
    let at = 0, header = readBatchHeader(records);
    header !== undefined;
    header = readBatchHeader(records, at)
  ) {
    const { baseOffset, producerId, sizeInBytes } = header
    while (toCome[0] !== undefined && toCome[0].firstOffset <= baseOffset)
      aborting.add(toCome.shift()?.producerId ?? -1)
    const text = utf8Decode(records, at + 61, at + sizeInBytes)
    if (isControl(header)) aborting.delete(producerId)
    else if (!aborting.has(producerId)) values.push(/writer-\d-\d+/.exec(text)?.[0] ?? '')
    at += sizeInBytes
  }
  return values
}

const step = fc.record({
  what: fc.constantFrom('send', 'send', 'send', 'commit', 'abort', 'die', 'wait', 'crash'),
  who: fc.nat({ max: 2 }),
  waitMs: fc.integer({ min: 0, max: 25_000 }),
})

describe('readers of committed data', () => {
  it.each([
    ['TV1', false],
    ['TV2', true],
  ])('see what was committed under %s, all of it and nothing else', async (_, tv2) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const broker = new Crashing()
        const writers = [0, 1, 2].map((index) => new Writer(broker, `writer-${index}`, tv2))
        for (const { what, who, waitMs } of steps) {
          const writer = writers[who] as Writer
          if (what === 'send') await writer.send()
          else if (what === 'commit') await writer.end(true)
          else if (what === 'abort') await writer.end(false)
          else if (what === 'die') writer.forget()
          else if (what === 'wait') broker.clock.advance(waitMs)
          else broker.restart()
        }
        broker.clock.advance(3 * TIMEOUT_MS)
        const log = broker.core.broker.topics.partition('out', 0)
        expect(log?.lastStableOffset).toBe(log?.logEndOffset)
        const read = await readCommitted(broker.client)
        for (const [index, writer] of writers.entries())
          expect(read.filter((value) => value.startsWith(`writer-${index}`))).toEqual(writer.committed)
        broker.core.close()
      }),
      { numRuns: 150 },
    )
  })
})
