import type { Api } from '../apis.ts'
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  describeTransactionsApi,
  endTxnV4Api,
  endTxnV5Api,
  initProducerIdApi,
  txnOffsetCommitV4Api,
  txnOffsetCommitV5Api,
} from '../apis.ts'
import type { Cluster } from '../cluster.ts'
import type { GroupGeneration, OffsetToCommit } from '../group/offsets.ts'
import { callCoordinator, toCommit } from '../group/offsets.ts'
import { checkAnswered } from '../malformed-response.ts'
import type { ProducerIdentity } from '../produce/producer-session.ts'
import { fencedFault } from '../produce/producer-session.ts'
import { errorName, isStaleMetadata, passingFault, protocolFault } from '../protocol-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { byTopic, partitionName } from '../topic-partition.ts'

export interface TransactionRequestsOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
}

export interface TransactionState extends ProducerIdentity {
  /** `Empty`, `Ongoing`, `CompleteCommit` or `CompleteAbort`. */
  readonly state: string
}

/** The requests about one transactional id. Each is made again where its answer is lost: all of them may come twice. */
export class TransactionRequests {
  readonly #cluster: Cluster
  readonly #transactionalId: string
  readonly #timeoutMs: number

  constructor({ cluster, transactionalId, transactionTimeoutMs }: TransactionRequestsOptions) {
    this.#cluster = cluster
    this.#transactionalId = transactionalId
    this.#timeoutMs = transactionTimeoutMs
  }

  /** The next epoch of this identity; of whichever identity has the id where that names none (-1). */
  async initProducerId({ producerId, producerEpoch }: ProducerIdentity): Promise<ProducerIdentity> {
    const doing = `start the transactional id ${this.#transactionalId}`
    const args = [this.#transactionalId, this.#timeoutMs, BigInt(producerId), producerEpoch] as const
    return this.#ask(initProducerIdApi, args, (response) => {
      // Who names no epoch has none to be fenced by: another producer went on while its transaction was being aborted.
      if (producerId < 0 && fencingErrors.has(errorName(response.errorCode)))
        throw passingFault(response.errorCode, doing)
      this.#check(response.errorCode, doing)
      return identityIn(response)
    })
  }

  async addPartitions(
    { producerId, producerEpoch }: ProducerIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const transaction = {
      transactionalId: this.#transactionalId,
      producerId: BigInt(producerId),
      producerEpoch,
      verifyOnly: false,
      topics: Array.from(byTopic(partitions), ([name, group]) => ({
        name,
        partitions: group.map(({ partition }) => partition),
      })),
    }
    await this.#ask(addPartitionsToTxnApi, [[transaction]], ({ resultsByTransaction }) => {
      const answered = new Set<string>()
      for (const { topicResults } of resultsByTransaction)
        for (const { name, resultsByPartition } of topicResults)
          for (const { partitionIndex: partition, partitionErrorCode } of resultsByPartition) {
            answered.add(partitionName(name, partition))
            if (errorName(partitionErrorCode) !== 'OPERATION_NOT_ATTEMPTED')
              this.#check(partitionErrorCode, 'add a partition to a transaction', { topic: name, partition })
          }
      checkAnswered('AddPartitionsToTxn', partitions, answered)
    })
  }

  async addGroup({ producerId, producerEpoch }: ProducerIdentity, groupId: string): Promise<void> {
    const args = [this.#transactionalId, BigInt(producerId), producerEpoch, groupId] as const
    await this.#ask(addOffsetsToTxnApi, args, ({ errorCode }) =>
      this.#check(errorCode, `add the offsets of group ${groupId} to a transaction`),
    )
  }

  /** With `addsGroup` the broker adds the group to the transaction by itself. */
  async commitOffsets(
    { producerId, producerEpoch }: ProducerIdentity,
    groupId: string,
    { generationId, memberId, groupInstanceId }: GroupGeneration,
    offsets: readonly OffsetToCommit[],
    addsGroup: boolean,
  ): Promise<void> {
    const topics = toCommit(offsets)
    const api = addsGroup ? txnOffsetCommitV5Api : txnOffsetCommitV4Api
    await callCoordinator(this.#cluster, 'group', groupId, async (coordinator) => {
      const response = await this.#cluster.callBroker(
        coordinator,
        'control',
        api,
        this.#transactionalId,
        groupId,
        BigInt(producerId),
        producerEpoch,
        generationId,
        memberId,
        groupInstanceId,
        topics,
      )
      const answered = new Set<string>()
      for (const { name, partitions } of response.topics)
        for (const { partitionIndex: partition, errorCode } of partitions) {
          this.#check(errorCode, `commit offsets of group ${groupId}`, { topic: name, partition })
          answered.add(partitionName(name, partition))
        }
      checkAnswered('TxnOffsetCommit', offsets, answered)
    })
  }

  /** Ends a transaction; the epoch stays. */
  async end({ producerId, producerEpoch }: ProducerIdentity, committed: boolean): Promise<void> {
    const args = [this.#transactionalId, BigInt(producerId), producerEpoch, committed] as const
    await this.#ask(endTxnV4Api, args, ({ errorCode }) => this.#check(errorCode, doingOf(committed)))
  }

  /** Ends a transaction, and answers the identity of the next one. */
  async endAndRaise(
    { producerId, producerEpoch }: ProducerIdentity,
    committed: boolean,
  ): Promise<ProducerIdentity> {
    const args = [this.#transactionalId, BigInt(producerId), producerEpoch, committed] as const
    return this.#ask(endTxnV5Api, args, (response) => {
      this.#check(response.errorCode, doingOf(committed))
      return identityIn(response)
    })
  }

  /** What the coordinator knows of the id, once no markers are being written any more; undefined for a new one. */
  async settledState(): Promise<TransactionState | undefined> {
    return this.#ask(
      describeTransactionsApi,
      [[this.#transactionalId]],
      ({ transactionStates: [described] }) => {
        if (described === undefined || errorName(described.errorCode) === 'TRANSACTIONAL_ID_NOT_FOUND')
          return undefined
        this.#check(described.errorCode, `describe the transactional id ${this.#transactionalId}`)
        const { transactionState: state } = described
        if (state.startsWith('Prepare')) throw passingFault(concurrentTransactions, 'end a transaction')
        return { state, ...identityIn(described) }
      },
    )
  }

  /** Asks the coordinator of the id, again where `read` says that the answer may pass. */
  #ask<Arguments extends readonly unknown[], Response, T>(
    api: Api<Arguments, Response>,
    args: Readonly<Arguments>,
    read: (response: Response) => T,
  ): Promise<T> {
    return callCoordinator(this.#cluster, 'transaction', this.#transactionalId, async (coordinator) =>
      read(await this.#cluster.callBroker(coordinator, 'control', api, ...args)),
    )
  }

  #check(errorCode: number, doing: string, place?: TopicPartition): void {
    if (errorCode === 0) return
    if (fencingErrors.has(errorName(errorCode))) throw fencedFault(this.#transactionalId, errorCode)
    // Each of these requests may come twice. A coordinator may fail at one in the moment in which a newer producer takes
    // its id over (seen at the end of a transaction, with Apache Kafka 4.3.1), and says so when it is asked again.
    const isPassing = isStaleMetadata(errorCode) || errorName(errorCode) === 'UNKNOWN_SERVER_ERROR'
    throw isPassing ? passingFault(errorCode, doing, place) : protocolFault(errorCode, doing, place)
  }
}

/** The error of a replaced producer; one whose transaction has timed out gets the same. */
const fencingErrors = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
])

const concurrentTransactions = 51

const doingOf = (committed: boolean): string => `${committed ? 'commit' : 'abort'} a transaction`

const identityIn = ({
  producerId,
  producerEpoch,
}: {
  readonly producerId: bigint
  readonly producerEpoch: number
}): ProducerIdentity => ({ producerId: Number(producerId), producerEpoch })
