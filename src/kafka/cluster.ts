import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Api } from './apis.ts'
import { apiVersionsApi } from './api-versions-codec.ts'
import { callApi, findCoordinatorApi, metadataApi } from './apis.ts'
import { incompleteResponse } from './malformed-response.ts'
import { errorName, isRetriable, protocolFault } from './protocol-errors.ts'
import { retrying } from './retry.ts'
import type { BrokerAddress, Lane, Transport } from './transport.ts'
import { addressText } from './transport.ts'

/**
 * What is known of the cluster: its brokers, its topics with their ids and leaders, its coordinators and features.
 * It is asked for on first need, and again after `invalidate*`, which the caller that meets a leadership error calls.
 *
 * @example
 * const cluster = new Cluster({ transport: new TcpTransport({ brokers, clientId: 'shop' }), clock: systemClock })
 * const [orders] = await cluster.waitForTopics(['orders'], seconds(30))
 */
export interface PartitionMetadata {
  readonly partition: number
  /** -1 while there is none. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** A UUID, which Fetch names the topic by. */
  readonly id: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionMetadata[]
}

export interface BrokerMetadata extends BrokerAddress {
  readonly nodeId: number
  readonly rack: string | null
}

export type CoordinatorKind = 'group' | 'transaction'

export interface ClusterOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** How long a request to any broker or coordinator is tried again before its fault is thrown. */
  readonly retryTimeoutMs?: number
  /** Whether a broker may create a topic that is asked for, as its `auto.create.topics.enable` says. Defaults to false. */
  readonly allowAutoTopicCreation?: boolean
}

export class Cluster {
  readonly transport: Transport
  readonly clock: Clock
  readonly retryTimeoutMs: number
  readonly #allowAutoTopicCreation: boolean
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #namesById = new Map<string, string>()
  readonly #refreshing = new Map<string, Promise<TopicMetadata>>()
  readonly #coordinators = new Map<string, Promise<BrokerAddress>>()
  /** When each broker that was asked as any broker failed to answer last. */
  readonly #failedMs = new Map<string, number>()
  #brokers: ReadonlyMap<number, BrokerMetadata> = new Map()
  #controllerId = -1
  #clusterId: string | null = null
  #features: Promise<ReadonlyMap<string, number>> | undefined

  constructor({ transport, clock, retryTimeoutMs = 60_000, allowAutoTopicCreation = false }: ClusterOptions) {
    this.#allowAutoTopicCreation = allowAutoTopicCreation
    this.transport = transport
    this.clock = clock
    this.retryTimeoutMs = retryTimeoutMs
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  get brokers(): readonly BrokerMetadata[] {
    return [...this.#brokers.values()]
  }

  /** What is known of a topic without asking; undefined where nothing is. */
  known(topic: string): TopicMetadata | undefined {
    return this.#topics.get(topic)
  }

  nameOf(topicId: string): string | undefined {
    return this.#namesById.get(topicId)
  }

  /** A topic's metadata, asked for where it is not known; `TOPIC_MISSING` where there is no such topic. */
  async topic(name: string): Promise<TopicMetadata> {
    return this.#topics.get(name) ?? (await this.refresh(name))
  }

  /** Fetches the metadata of a topic again; a timeout of 0 makes one attempt. Concurrent callers share a request. */
  refresh(name: string, timeoutMs = this.retryTimeoutMs): Promise<TopicMetadata> {
    const shared = `${timeoutMs} ${name}`
    const running = this.#refreshing.get(shared)
    if (running !== undefined) return running
    const refreshed = this.#fetchTopics([name], timeoutMs)
      .then((topics) => topics.find((topic) => topic.name === name) as TopicMetadata)
      .finally(() => this.#refreshing.delete(shared))
    this.#refreshing.set(shared, refreshed)
    return refreshed
  }

  /** Forgets what is known of a topic, because a broker denied it. */
  invalidate(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    this.#topics.delete(name)
    this.#namesById.delete(topic.id)
  }

  /** Every topic of the cluster. */
  async allTopics(): Promise<readonly TopicMetadata[]> {
    return this.#fetchTopics(null)
  }

  /** Resolves once all these topics exist with a leader for every partition; `TOPIC_MISSING` after `timeoutMs`. */
  async waitForTopics(names: readonly string[], timeoutMs: number): Promise<readonly TopicMetadata[]> {
    return retrying({ clock: this.clock, timeoutMs }, async () => {
      try {
        return await Promise.all(names.map((name) => this.#withLeaders(name)))
      } catch (error) {
        throw error instanceof Fault && error.code === 'TOPIC_MISSING' && timeoutMs > 0
          ? asRetry(error)
          : error
      }
    }).catch((error: unknown) => {
      throw error instanceof Fault && error.cause instanceof Fault && error.cause.code === 'TOPIC_MISSING'
        ? error.cause
        : error
    })
  }

  /** The leader's address, or undefined where the metadata is unknown or the partition has no leader now. */
  leaderOf(topic: string, partition: number): BrokerMetadata | undefined {
    const leaderId = this.#topics.get(topic)?.partitions[partition]?.leaderId
    return leaderId === undefined ? undefined : this.#brokers.get(leaderId)
  }

  /** Sends to any broker that answers. */
  async callAny<Arguments extends readonly unknown[], Response>(
    api: Api<Arguments, Response>,
    ...args: Arguments
  ): Promise<Response> {
    let lastError: unknown
    for (const broker of this.#candidates()) {
      try {
        const response = await callApi(this.transport, broker, 'control', api, ...args)
        this.#failedMs.delete(addressText(broker))
        return response
      } catch (error) {
        if (!(error instanceof Fault) || error.actor !== 'retry') throw error
        this.#failedMs.set(addressText(broker), this.clock.monotonicMs())
        lastError = error
      }
    }
    throw lastError
  }

  async callController<Arguments extends readonly unknown[], Response>(
    api: Api<Arguments, Response>,
    ...args: Arguments
  ): Promise<Response> {
    const controller = this.#brokers.get(this.#controllerId)
    return controller === undefined
      ? this.callAny(api, ...args)
      : callApi(this.transport, controller, 'control', api, ...args)
  }

  async callBroker<Arguments extends readonly unknown[], Response>(
    broker: BrokerAddress,
    lane: Lane,
    api: Api<Arguments, Response>,
    ...args: Arguments
  ): Promise<Response> {
    return callApi(this.transport, broker, lane, api, ...args)
  }

  /** The coordinator of a group or of a transactional id, remembered until `invalidateCoordinator`. */
  coordinator(kind: CoordinatorKind, key: string): Promise<BrokerAddress> {
    const name = `${kind} ${key}`
    const known = this.#coordinators.get(name)
    if (known !== undefined) return known
    const found = this.#findCoordinator(kind, key)
    this.#coordinators.set(name, found)
    found.catch(() => this.#coordinators.delete(name))
    return found
  }

  invalidateCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }

  /** Resolves where any broker answers now. */
  async reach(): Promise<void> {
    await this.callAny(apiVersionsApi, 'millrace', '0')
  }

  /** The finalized features of the cluster with their levels, such as `transaction.version`. */
  features(): Promise<ReadonlyMap<string, number>> {
    if (this.#features !== undefined) return this.#features
    const asked = this.callAny(apiVersionsApi, 'millrace', '0').then(
      ({ finalizedFeatures }) =>
        new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
    )
    this.#features = asked
    asked.catch(() => (this.#features = undefined))
    return asked
  }

  async #findCoordinator(kind: CoordinatorKind, key: string): Promise<BrokerAddress> {
    return retrying({ clock: this.clock, timeoutMs: this.retryTimeoutMs }, async () => {
      const { coordinators } = await this.callAny(findCoordinatorApi, kind === 'group' ? 0 : 1, [key])
      const [found] = coordinators
      if (found === undefined || found.errorCode !== 0)
        throw protocolFault(
          found?.errorCode ?? 15,
          `name the coordinator of ${kind} ${key}`,
          {},
          found?.errorMessage,
        )
      return checkedAddress('FindCoordinator', found)
    })
  }

  async #withLeaders(name: string): Promise<TopicMetadata> {
    const topic = await this.refresh(name)
    const leaderless = topic.partitions.find(({ leaderId }) => leaderId < 0)
    if (leaderless === undefined) return topic
    throw protocolFault(5, 'serve a partition', { topic: name, partition: leaderless.partition })
  }

  async #fetchTopics(
    names: readonly string[] | null,
    timeoutMs = this.retryTimeoutMs,
  ): Promise<readonly TopicMetadata[]> {
    return retrying({ clock: this.clock, timeoutMs }, () => this.#fetchTopicsOnce(names))
  }

  async #fetchTopicsOnce(names: readonly string[] | null): Promise<readonly TopicMetadata[]> {
    const response = await this.callAny(
      metadataApi,
      names === null ? null : [...names],
      this.#allowAutoTopicCreation,
      false,
    )
    checkAnswer(response, names)
    this.#brokers = new Map(
      response.brokers.map((broker) => [broker.nodeId, { ...broker, rack: broker.rack ?? null }]),
    )
    this.#controllerId = response.controllerId
    this.#clusterId = response.clusterId ?? null
    return response.topics.map((topic) => {
      const name = topic.name ?? ''
      if (topic.errorCode !== 0) throw this.#topicFault(name, topic.errorCode)
      const metadata: TopicMetadata = {
        name,
        id: topic.topicId,
        isInternal: topic.isInternal,
        partitions: topic.partitions
          .map(partitionOf)
          .toSorted((left, right) => left.partition - right.partition),
      }
      this.#topics.set(name, metadata)
      this.#namesById.set(metadata.id, name)
      return metadata
    })
  }

  #topicFault(name: string, errorCode: number): Fault {
    if (errorName(errorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION')
      return protocolFault(errorCode, 'describe a topic', { topic: name })
    this.invalidate(name)
    return topicMissing(name)
  }

  /** The brokers that metadata named, then the bootstrap ones, each once; those that failed go last, the latest at the end. */
  #candidates(): readonly BrokerAddress[] {
    const known = new Map<string, BrokerAddress>()
    for (const broker of [...this.#brokers.values(), ...this.transport.bootstrap])
      known.set(addressText(broker), broker)
    const failedMs = (address: string): number => this.#failedMs.get(address) ?? -1
    return [...known]
      .toSorted(([left], [right]) => failedMs(left) - failedMs(right))
      .map(([, broker]) => broker)
  }
}

type LibraryMetadata = ReturnType<(typeof metadataApi)['decode']>

/** Nothing of an answer is taken over that names impossible brokers, or not all topics and partitions. */
const checkAnswer = ({ brokers, topics }: LibraryMetadata, asked: readonly string[] | null): void => {
  for (const broker of brokers) checkedAddress('Metadata', broker)
  const missing = asked?.find((name) => !topics.some((topic) => topic.name === name))
  if (missing !== undefined) throw incompleteResponse('Metadata', `topic ${missing}`)
  for (const { name, partitions } of topics) {
    const present = new Set(partitions.map(({ partitionIndex }) => partitionIndex))
    const absent = partitions.findIndex((_, partition) => !present.has(partition))
    if (absent >= 0) throw incompleteResponse('Metadata', `partition ${name}-${absent}`)
  }
}

const checkedAddress = (apiName: string, { host, port }: BrokerAddress): BrokerAddress => {
  if (host !== '' && port > 0 && port <= highestPort) return { host, port }
  throw incompleteResponse(apiName, `a broker address (${addressText({ host, port })})`)
}

const highestPort = 65_535

type LibraryPartition = ReturnType<(typeof metadataApi)['decode']>['topics'][number]['partitions'][number]

const partitionOf = (partition: LibraryPartition): PartitionMetadata => ({
  partition: partition.partitionIndex,
  leaderId: isRetriable(partition.errorCode) ? -1 : partition.leaderId,
  leaderEpoch: partition.leaderEpoch,
  replicas: partition.replicaNodes,
  inSyncReplicas: partition.isrNodes,
})

/** The fault of a topic that does not exist. */
export const topicMissing = (topic: string): Fault =>
  new Fault({
    code: 'TOPIC_MISSING',
    actor: 'author',
    message: `topic ${topic} does not exist`,
    remedy: `create it: millrace topics --create --topic ${topic}`,
    place: { topic },
  })

const asRetry = (fault: Fault): Fault =>
  new Fault({ code: fault.code, actor: 'retry', message: fault.message, cause: fault })
