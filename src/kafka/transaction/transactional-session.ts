import { Fault } from '../../base/fault.ts'
import type { Api } from '../apis.ts'
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnV4Api,
  endTxnV5Api,
  initProducerIdApi,
  txnOffsetCommitV4Api,
  txnOffsetCommitV5Api,
} from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import type { CommitFence, GroupGeneration, OffsetToCommit } from '../group/offsets.ts'
import { callCoordinator, toCommit } from '../group/offsets.ts'
import type { ProduceRequest, ProducedPartition } from '../produce/produce-codec.ts'
import { produceV11Api, produceV12Api } from '../produce/produce-codec.ts'
import type { ProducerIdentity, ProducerSession } from '../produce/producer-session.ts'
import { fencedFault } from '../produce/producer-session.ts'
import { errorName, isStaleMetadata, passingFault, protocolFault } from '../protocol-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic, partitionName } from '../topic-partition.ts'
import { SettlingPause } from './settling-pause.ts'

/** The offsets that a transaction commits with its records, and who vouches for them. */
export interface TransactionOffsets {
  readonly groupId: string
  /** A generation as it is, or the membership itself, which knows the next one when a rebalance comes in between. */
  readonly generation: GroupGeneration | CommitFence
  readonly offsets: readonly OffsetToCommit[]
}

/**
 * The requests of one transactional id, in both versions of the protocol. The cluster's feature `transaction.version`
 * decides: from 2 on (TV2) the broker adds partitions and offsets by itself and every end of a transaction answers the
 * epoch of the next one; before that (TV1) they are added by requests and the epoch stays.
 */
export class TransactionalSession implements ProducerSession {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  readonly #added = new Set<string>()
  readonly #pause: SettlingPause
  /** When the first request of this transaction left. */
  #begunMs: number | undefined
  #isFirstAnswered = false
  #isInUse = false
  #identity: ProducerIdentity | undefined
  #isTv2 = false
  #started = false

  constructor(cluster: Cluster, transactionalId: string, timeoutMs: number) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
    this.#pause = new SettlingPause(cluster.clock)
  }

  get produceApi(): Api<[ProduceRequest], readonly ProducedPartition[]> {
    return this.#isTv2 ? produceV12Api : produceV11Api
  }

  /** True where the broker may know of a transaction that must be ended. */
  get isStarted(): boolean {
    return this.#started
  }

  /**
   * True where the broker had this transaction open a moment ago, as something was stored in it, and can't have timed it
   * out yet. Two clocks need not agree: half of the timeout counts.
   */
  get wasOpen(): boolean {
    const begunMs = this.#begunMs ?? Number.NEGATIVE_INFINITY
    return this.#isInUse && this.#cluster.clock.now() - begunMs < this.#timeoutMs / 2
  }

  /** True where the end of a transaction brings a new epoch. */
  get isTv2(): boolean {
    return this.#isTv2
  }

  /** Takes the transactional id over: an older producer is fenced, and what it left open is ended. */
  async initialize(): Promise<void> {
    this.#isTv2 = ((await this.#cluster.features()).get('transaction.version') ?? 0) >= 2
    await this.#initProducerId({ producerId: -1, producerEpoch: -1 })
  }

  identity(): Promise<ProducerIdentity> {
    return this.#identity === undefined
      ? Promise.reject(notInitialized(this.transactionalId))
      : Promise.resolve(this.#identity)
  }

  /** Takes a new epoch of the same producer id; refused (`PRODUCER_FENCED`) where a newer producer has it. */
  async renew(): Promise<void> {
    await this.#initProducerId(await this.identity())
  }

  async beforeProduce(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#begin()
    if (this.#isTv2) return
    const missing = partitions.filter((each) => !this.#added.has(nameOf(each)))
    if (missing.length === 0) return
    this.#started = true
    await this.#addPartitions(missing)
    for (const each of missing) this.#added.add(nameOf(each))
  }

  onProduce(): void {
    this.#started = true
  }

  onProduced(): void {
    if (this.#isFirstAnswered || this.#begunMs === undefined) return
    this.#pause.answered(this.#cluster.clock.now() - this.#begunMs)
    this.#isFirstAnswered = true
  }

  onStored(): void {
    this.#isInUse = true
  }

  /** Adds consumed offsets: they become visible with the records, when the transaction is committed. */
  async addOffsets({ groupId, generation, offsets }: TransactionOffsets): Promise<void> {
    if (offsets.length === 0) return
    await this.#begin()
    const { producerId, producerEpoch } = await this.identity()
    this.#started = true
    if (!this.#isTv2) await this.#addOffsetsToTransaction(groupId)
    const commit = (under: GroupGeneration): Promise<void> =>
      this.#commitOffsets(groupId, under, offsets, { producerId, producerEpoch })
    await ('commit' in generation ? generation.commit(commit) : commit(generation))
    this.#isInUse = true
  }

  async #commitOffsets(
    groupId: string,
    { generationId, memberId, groupInstanceId }: GroupGeneration,
    offsets: readonly OffsetToCommit[],
    { producerId, producerEpoch }: ProducerIdentity,
  ): Promise<void> {
    const topics = toCommit(offsets)
    const api = this.#isTv2 ? txnOffsetCommitV5Api : txnOffsetCommitV4Api
    await callCoordinator(this.#cluster, 'group', groupId, async (coordinator) => {
      const response = await this.#cluster.callBroker(
        coordinator,
        'control',
        api,
        this.transactionalId,
        groupId,
        BigInt(producerId),
        producerEpoch,
        generationId,
        memberId,
        groupInstanceId,
        topics,
      )
      for (const { name, partitions } of response.topics)
        for (const { partitionIndex: partition, errorCode } of partitions)
          this.#check(errorCode, `commit offsets of group ${groupId}`, { topic: name, partition })
    })
  }

  /** Ends the transaction. A lost answer is asked for again: the coordinator knows what it has decided. */
  async end(committed: boolean): Promise<void> {
    const { producerId, producerEpoch } = await this.identity()
    const args = [this.transactionalId, BigInt(producerId), producerEpoch, committed] as const
    const doing = `${committed ? 'commit' : 'abort'} a transaction`
    await this.#callCoordinator(async (coordinator) => {
      if (this.#isTv2) {
        const response = await this.#cluster.callBroker(coordinator, 'control', endTxnV5Api, ...args)
        this.#check(response.errorCode, doing)
        this.#identity = { producerId: Number(response.producerId), producerEpoch: response.producerEpoch }
        return
      }
      const response = await this.#cluster.callBroker(coordinator, 'control', endTxnV4Api, ...args)
      this.#check(response.errorCode, doing)
    })
    this.#forget()
    this.#pause.begin()
  }

  async #initProducerId({ producerId, producerEpoch }: ProducerIdentity): Promise<void> {
    await this.#callCoordinator(async (coordinator) => {
      const response = await this.#cluster.callBroker(
        coordinator,
        'control',
        initProducerIdApi,
        this.transactionalId,
        this.#timeoutMs,
        BigInt(producerId),
        producerEpoch,
      )
      const doing = `start the transactional id ${this.transactionalId}`
      // Who names no epoch has none to be fenced by: another producer went on while its transaction was being aborted.
      if (producerId < 0 && fencingErrors.has(errorName(response.errorCode)))
        throw passingFault(response.errorCode, doing)
      this.#check(response.errorCode, doing)
      this.#identity = { producerId: Number(response.producerId), producerEpoch: response.producerEpoch }
    })
    this.#forget()
  }

  /** Before the first request of a transaction, the broker is given the time to write the markers of the last one. */
  async #begin(): Promise<void> {
    if (this.#started) return
    await this.#pause.over()
    this.#begunMs = this.#cluster.clock.now()
    this.#isFirstAnswered = false
  }

  #forget(): void {
    this.#started = false
    this.#isInUse = false
    this.#begunMs = undefined
    this.#added.clear()
  }

  async #addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const { producerId, producerEpoch } = await this.identity()
    const { transactionalId } = this
    const topics = Array.from(byTopic(partitions), ([name, group]) => ({
      name,
      partitions: group.map(({ partition }) => partition),
    }))
    const transaction = {
      transactionalId,
      producerId: BigInt(producerId),
      producerEpoch,
      verifyOnly: false,
      topics,
    }
    await this.#callCoordinator(async (coordinator) => {
      const response = await this.#cluster.callBroker(coordinator, 'control', addPartitionsToTxnApi, [
        transaction,
      ])
      for (const { topicResults } of response.resultsByTransaction)
        for (const { name, resultsByPartition } of topicResults)
          for (const { partitionIndex: partition, partitionErrorCode } of resultsByPartition)
            if (errorName(partitionErrorCode) !== 'OPERATION_NOT_ATTEMPTED')
              this.#check(partitionErrorCode, 'add a partition to a transaction', { topic: name, partition })
    })
  }

  async #addOffsetsToTransaction(groupId: string): Promise<void> {
    const { producerId, producerEpoch } = await this.identity()
    await this.#callCoordinator(async (coordinator) => {
      const response = await this.#cluster.callBroker(
        coordinator,
        'control',
        addOffsetsToTxnApi,
        this.transactionalId,
        BigInt(producerId),
        producerEpoch,
        groupId,
      )
      this.#check(response.errorCode, `add the offsets of group ${groupId} to a transaction`)
    })
  }

  #callCoordinator<T>(call: Parameters<typeof callCoordinator<T>>[3]): Promise<T> {
    return callCoordinator(this.#cluster, 'transaction', this.transactionalId, call)
  }

  #check(errorCode: number, doing: string, place?: TopicPartition): void {
    if (errorCode === 0) return
    if (fencingErrors.has(errorName(errorCode))) throw fencedFault(this.transactionalId, errorCode)
    // Each of these requests may come twice. A coordinator may fail at one in the moment in which a newer producer takes
    // its id over (seen at the end of a transaction, with Apache Kafka 4.3.1), and says so when it is asked again.
    const isPassing = isStaleMetadata(errorCode) || errorName(errorCode) === 'UNKNOWN_SERVER_ERROR'
    throw isPassing ? passingFault(errorCode, doing, place) : protocolFault(errorCode, doing, place)
  }
}

/** What a replaced producer is told; one whose transaction has timed out is told the same. */
const fencingErrors = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
])

const nameOf = ({ topic, partition }: TopicPartition): string => partitionName(topic, partition)

const notInitialized = (transactionalId: string): Fault =>
  new Fault({
    code: 'TRANSACTIONS_NOT_INITIALIZED',
    actor: 'runtime',
    message: `the producer ${transactionalId} was used before it was initialized`,
    remedy: 'await initialize() first',
  })
