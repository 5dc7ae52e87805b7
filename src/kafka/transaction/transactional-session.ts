import { Fault } from '../../base/fault.ts'
import type { Api } from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import type { CommitFence, GroupGeneration, OffsetToCommit } from '../group/offsets.ts'
import type { ProduceRequest, ProducedPartition } from '../produce/produce-codec.ts'
import { produceV11Api, produceV12Api } from '../produce/produce-codec.ts'
import type { ProducerIdentity, ProducerSession } from '../produce/producer-session.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { nameOfPartition } from '../topic-partition.ts'
import type { OpenTransaction } from './left-open.ts'
import { openTransactionsOf } from './left-open.ts'
import { SettlingPause } from './settling-pause.ts'
import { TransactionRequests } from './transaction-requests.ts'

/** The offsets that a transaction commits with its records, and who vouches for them. */
export interface TransactionOffsets {
  readonly groupId: string
  /** A generation as it is, or the membership itself, which knows the next one when a rebalance comes in between. */
  readonly generation: GroupGeneration | CommitFence
  readonly offsets: readonly OffsetToCommit[]
}

export interface TransactionalSessionOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  /** The group whose offsets are committed, as far as it is known before the first commit. */
  readonly groupId?: string | undefined
  /** Called for an end that had to be repeated, as the broker had left it out in some partitions. */
  readonly onLeftOpen?: ((fault: Fault) => void) | undefined
}

/**
 * What one transactional id is doing, in both versions of the protocol. The cluster's feature `transaction.version`
 * decides: from 2 on (TV2) the broker adds partitions and offsets by itself and every end of a transaction answers the
 * epoch of the next one; before that (TV1) they are added by requests and the epoch stays.
 *
 * An end that its coordinator has decided is seen through in every partition (left-open.ts): at the beginning, and whenever
 * the broker may have gone since.
 */
export class TransactionalSession implements ProducerSession {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #timeoutMs: number
  readonly #groupId: string | undefined
  readonly #onLeftOpen: (fault: Fault) => void
  readonly #requests: TransactionRequests
  readonly #added = new Set<string>()
  /** All partitions that may be written to, by name. */
  readonly #known = new Map<string, TopicPartition>()
  readonly #pause: SettlingPause
  /** When the first request of this transaction left. */
  #begunMs: number | undefined
  #isFirstAnswered = false
  #isInUse = false
  #identity: ProducerIdentity | undefined
  #isTv2 = false
  #started = false
  /** How many connections had been lost when the last end was last seen through. */
  #seenLosses = 0
  /** How the last transaction was ended (true for a commit), until the next one begins. */
  #lastEnd: boolean | undefined
  /** The decision of an older end (true for a commit) that has yet to be brought to where it is missing. */
  #owedEnd: boolean | undefined
  /** Not before this time, as some leader could not be asked. */
  #owedFromMs = 0
  /** An older transaction was found open in a partition: nothing can be sent before `renew`. */
  #isLeftOpen = false

  constructor({
    cluster,
    transactionalId,
    transactionTimeoutMs,
    groupId,
    onLeftOpen,
  }: TransactionalSessionOptions) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#timeoutMs = transactionTimeoutMs
    this.#groupId = groupId
    this.#onLeftOpen = onLeftOpen ?? (() => undefined)
    this.#requests = new TransactionRequests({ cluster, transactionalId, transactionTimeoutMs })
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
    return this.#isInUse && this.#cluster.clock.monotonicMs() - begunMs < this.#timeoutMs / 2
  }

  /** True where the end of a transaction brings a new epoch. */
  get isTv2(): boolean {
    return this.#isTv2
  }

  /** True where the last end may be missing in some partitions: brokers may have gone since it was seen through. */
  get isUnsettled(): boolean {
    return (
      this.#isLeftOpen ||
      this.#cluster.transport.lostConnections !== this.#seenLosses ||
      (this.#owedEnd !== undefined && this.#cluster.clock.monotonicMs() >= this.#owedFromMs)
    )
  }

  /** Takes the transactional id over: an older producer is fenced, and what it left open is ended. */
  async initialize(): Promise<void> {
    this.#isTv2 = ((await this.#cluster.features()).get('transaction.version') ?? 0) >= 2
    await this.#takeOver({ producerId: -1, producerEpoch: -1 })
  }

  identity(): Promise<ProducerIdentity> {
    return this.#identity === undefined
      ? Promise.reject(notInitialized(this.transactionalId))
      : Promise.resolve(this.#identity)
  }

  /** Takes a new epoch of the same producer id; refused (`PRODUCER_FENCED`) where a newer producer has it. */
  async renew(): Promise<void> {
    const identity = await this.identity()
    if (this.isUnsettled) return this.#takeOver(identity)
    await this.#initProducerId(identity)
    // The broker has gone meanwhile, and the new epoch has made it forget how the last transaction ended.
    if (this.isUnsettled && this.#lastEnd !== undefined) this.#owe(this.#lastEnd)
  }

  /**
   * True where the coordinator has aborted a transaction of this very producer, and no other producer has taken its id over since. A
   * coordinator that has been restarted does not know any more that it may go on under the next epoch.
   */
  async wasTimedOut(): Promise<boolean> {
    const { producerId, producerEpoch } = await this.identity()
    const last = await this.#requests.settledState()
    return (
      last?.state === 'CompleteAbort' &&
      last.producerId === producerId &&
      last.producerEpoch === producerEpoch + 1
    )
  }

  async onPrepared(partitions: readonly TopicPartition[]): Promise<void> {
    const added = partitions.filter((each) => !this.#known.has(nameOfPartition(each)))
    for (const each of added) this.#known.set(nameOfPartition(each), each)
    if (this.#identity !== undefined && added.length > 0) await this.#lookFor(added)
  }

  async beforeProduce(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#begin()
    if (this.#isTv2) return
    const missing = partitions.filter((each) => !this.#added.has(nameOfPartition(each)))
    if (missing.length === 0) return
    this.#started = true
    await this.#requests.addPartitions(await this.identity(), missing)
    for (const each of missing) this.#added.add(nameOfPartition(each))
  }

  onProduce(): void {
    this.#started = true
  }

  onProduced(): void {
    if (this.#isFirstAnswered || this.#begunMs === undefined) return
    this.#pause.answered(this.#cluster.clock.monotonicMs() - this.#begunMs)
    this.#isFirstAnswered = true
  }

  onStored(): void {
    this.#isInUse = true
  }

  /** Adds consumed offsets: they become visible with the records, when the transaction is committed. */
  async addOffsets({ groupId, generation, offsets }: TransactionOffsets): Promise<void> {
    if (offsets.length === 0) return
    await this.#begin()
    const identity = await this.identity()
    this.#started = true
    if (!this.#isTv2) await this.#requests.addGroup(identity, groupId)
    const commit = (under: GroupGeneration): Promise<void> =>
      this.#requests.commitOffsets(identity, groupId, under, offsets, this.#isTv2)
    await ('commit' in generation ? generation.commit(commit) : commit(generation))
    this.#isInUse = true
  }

  /** Ends the transaction. A lost answer is asked for again: the coordinator knows what it has decided. */
  async end(committed: boolean): Promise<void> {
    const identity = await this.identity()
    if (this.#isTv2) this.#identity = await this.#requests.endAndRaise(identity, committed)
    else await this.#requests.end(identity, committed)
    this.#forget()
    this.#lastEnd = committed
    this.#pause.begin()
    if (!this.isUnsettled) return
    // What is being ended just now is open for a moment.
    await this.#requests.settledState()
    await this.#endAgain(this.#owedEnd ?? committed)
  }

  /** Sees the last end through; only while nothing is being sent. Rejects at once where no broker can be asked. */
  async settle(): Promise<void> {
    if (this.#started || !this.isUnsettled) return
    await this.#cluster.reach()
    await this.#settleLast()
  }

  async #takeOver(identity: ProducerIdentity): Promise<void> {
    // How the last transaction ended is known until the next epoch is given out.
    const last = await this.#requests.settledState()
    await this.#initProducerId(identity)
    this.#isLeftOpen = false
    if (last === undefined) this.#noteLook()
    else await this.#endAgain(this.#owedEnd ?? last.state === 'CompleteCommit')
  }

  /**
   * The broker may have gone when it had decided how the last transaction ends, and not yet written it to the partitions. Once
   * something of this transaction is in, it has: it takes nothing before.
   */
  async #settleLast(): Promise<void> {
    if (this.#owedEnd !== undefined && !this.#started) return this.#endAgain(this.#owedEnd)
    const { state = 'Empty' } = (await this.#requests.settledState()) ?? {}
    if (state === 'Ongoing') return
    if (state === 'Empty') return this.#noteLook()
    const isCommitted = state === 'CompleteCommit'
    if (!this.#started) return this.#endAgain(isCommitted)
    this.#noteLook()
    // Offsets that are pending can't be asked for: the end of this transaction settles them.
    this.#owe(isCommitted)
    await this.#lookFor([...this.#known.values()])
  }

  /** An end can't be repeated in the middle of a transaction: where one is missing, that has to restart. */
  async #lookFor(partitions: readonly TopicPartition[]): Promise<void> {
    const { producerId, producerEpoch } = await this.identity()
    const { open } = await openTransactionsOf(this.#cluster, producerId, partitions)
    // Where every transaction has an epoch of its own, those of this one are no older ones.
    const lastEpoch = this.#isTv2 ? producerEpoch - 1 : producerEpoch
    this.#isLeftOpen ||= open.some((each) => each.producerEpoch <= lastEpoch)
  }

  /**
   * Brings the markers of the last end to where they are missing, by a transaction that holds nothing. Only while nothing
   * else is sent.
   */
  async #endAgain(committed: boolean): Promise<void> {
    this.#owe(committed)
    this.#noteLook()
    const identity = await this.identity()
    const partitions = [...this.#known.values()]
    const { open, isComplete } = await openTransactionsOf(this.#cluster, identity.producerId, partitions)
    if (open.length > 0) await this.#requests.addPartitions(identity, open)
    if (this.#groupId !== undefined) await this.#requests.addGroup(identity, this.#groupId)
    if (open.length > 0 || this.#groupId !== undefined) {
      await this.#requests.end(identity, committed)
      await this.#initProducerId(identity)
    }
    if (isComplete) this.#owedEnd = undefined
    else this.#owedFromMs = this.#cluster.clock.monotonicMs() + lookAgainAfterMs
    if (open.length > 0) this.#onLeftOpen(endedAgain(this.transactionalId, open, committed))
  }

  #owe(committed: boolean): void {
    this.#owedEnd = committed
    this.#owedFromMs = 0
  }

  #noteLook(): void {
    this.#seenLosses = this.#cluster.transport.lostConnections
  }

  async #initProducerId(identity: ProducerIdentity): Promise<void> {
    this.#identity = await this.#requests.initProducerId(identity)
    this.#forget()
  }

  async #begin(): Promise<void> {
    if (!this.#isInUse && this.isUnsettled) await this.#settleLast()
    if (this.#isLeftOpen) throw mustRestart(this.transactionalId)
    if (this.#started) return
    // The broker is given the time to write the markers of the last one.
    await this.#pause.over()
    this.#begunMs = this.#cluster.clock.monotonicMs()
    this.#isFirstAnswered = false
    this.#lastEnd = undefined
  }

  #forget(): void {
    this.#started = false
    this.#isInUse = false
    this.#begunMs = undefined
    this.#added.clear()
  }
}

const lookAgainAfterMs = 10_000

const notInitialized = (transactionalId: string): Fault =>
  new Fault({
    code: 'TRANSACTIONS_NOT_INITIALIZED',
    actor: 'runtime',
    message: `the producer ${transactionalId} was used before it was initialized`,
    remedy: 'await initialize() first',
  })

const endedAgain = (transactionalId: string, open: readonly OpenTransaction[], committed: boolean): Fault =>
  new Fault({
    code: 'TRANSACTION_LEFT_OPEN',
    actor: 'retry',
    message: `the broker had ${committed ? 'committed' : 'aborted'} a transaction of ${transactionalId}, but left it open in ${open.map(nameOfPartition).join(', ')}; it is ended there too now`,
  })

/** A runtime restarts by itself. */
const mustRestart = (transactionalId: string): Fault =>
  new Fault({
    code: 'TRANSACTION_ABORTABLE',
    actor: 'runtime',
    message: `the broker has left an older transaction of ${transactionalId} open in a partition that is to be written to`,
    remedy: 'initialize the producer again, and process the records since the last commit again',
  })
