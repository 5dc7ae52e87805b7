import { addPartitionsToTxnSchema } from '../../../src/broker/protocol/apis/add-partitions-to-txn.ts'
import { createTopicsSchema } from '../../../src/broker/protocol/apis/create-topics.ts'
import { fetchSchema } from '../../../src/broker/protocol/apis/fetch.ts'
import { findCoordinatorSchema } from '../../../src/broker/protocol/apis/find-coordinator.ts'
import { heartbeatSchema } from '../../../src/broker/protocol/apis/heartbeat.ts'
import { initProducerIdSchema } from '../../../src/broker/protocol/apis/init-producer-id.ts'
import { listOffsetsSchema } from '../../../src/broker/protocol/apis/list-offsets.ts'
import { produceSchema } from '../../../src/broker/protocol/apis/produce.ts'
import { Errors } from '../../../src/broker/protocol/errors.ts'
import { batchOf, type BatchOptions } from '../support/batch.ts'
import { TcpClient } from '../support/tcp-client.ts'

/** One thing that a broker is asked, and what Apache Kafka answers: a list of them is the broker's specification. */
export interface Outcome {
  readonly title: string
  readonly expected: unknown
  readonly run: (world: World) => Promise<unknown>
}

export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

const names = new Map<number, string>(Object.entries(Errors).map(([name, code]) => [code, name]))
/** What a test says to be asked again. */
export const NOT_YET = 'not yet'
const RETRIABLE = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  NOT_YET,
])

/** The name of an error code; the number itself where this broker never gives it. */
export const nameOf = (errorCode: number | undefined): string =>
  errorCode === undefined ? 'nothing' : (names.get(errorCode) ?? String(errorCode))

/** A broker under test, seen as a client sees it: over TCP, with names that no other application uses. */
export class World {
  readonly client: TcpClient
  readonly #bootstrapServers: string
  readonly #clients: TcpClient[] = []

  private constructor(bootstrapServers: string, client: TcpClient) {
    this.#bootstrapServers = bootstrapServers
    this.client = client
  }

  static async open(bootstrapServers: string): Promise<World> {
    return new World(bootstrapServers, await TcpClient.open(bootstrapServers))
  }

  /** A connection of its own, for requests that wait. */
  async another(): Promise<TcpClient> {
    const client = await TcpClient.open(this.#bootstrapServers)
    this.#clients.push(client)
    return client
  }

  close(): void {
    for (const client of [this.client, ...this.#clients]) client.close()
  }

  name(prefix: string): string {
    return `${prefix}-${crypto.randomUUID().slice(0, 13)}`
  }

  /** Creates a topic and waits until the broker leads it. */
  async topic(configs: Readonly<Record<string, string>> = {}, numPartitions = 1): Promise<string> {
    const name = this.name('topic')
    await this.client.call(createTopicsSchema, 7, {
      topics: [
        {
          name,
          numPartitions,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
        },
      ],
      validateOnly: false,
    })
    // Metadata may speak of a leader before it leads: it does once it answers for its partitions.
    await this.retry(async () => {
      const { topics } = await this.client.call(listOffsetsSchema, 7, {
        replicaId: -1,
        topics: [
          {
            name,
            partitions: Array.from({ length: numPartitions }, (_, partitionIndex) => ({
              partitionIndex,
              timestamp: -1,
            })),
          },
        ],
      })
      return topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) === true ? 'NONE' : NOT_YET
    })
    return name
  }

  /** Asks again while the answer is that the broker is not ready yet. */
  async retry(ask: () => Promise<string>): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const answer = await ask()
      if (!RETRIABLE.has(answer) || attempt === 300) return answer
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** A coordinator that is found may still be loading its part of the offsets topic: it is asked until it knows. */
  async group(): Promise<string> {
    const name = this.name('group')
    await this.#awaitCoordinator(name, 0)
    await this.retry(async () => {
      const stranger = { groupId: name, generationId: 0, memberId: 'nobody', groupInstanceId: null }
      return nameOf((await this.client.call(heartbeatSchema, 4, stranger)).errorCode)
    })
    return name
  }

  async transactionalId(): Promise<string> {
    const name = this.name('transaction')
    await this.#awaitCoordinator(name, 1)
    return name
  }

  async #awaitCoordinator(key: string, keyType: number): Promise<void> {
    await this.retry(async () => {
      const { coordinators } = await this.client.call(findCoordinatorSchema, 4, {
        keyType,
        coordinatorKeys: [key],
      })
      return nameOf(coordinators[0]?.errorCode)
    })
  }

  async produce(topic: string, records: Uint8Array | null, options: ProduceOptions = {}): Promise<string> {
    return nameOf((await this.produced(topic, records, options))?.errorCode)
  }

  async produced(topic: string, records: Uint8Array | null, options: ProduceOptions = {}) {
    const { responses } = await this.client.call(produceSchema, options.version ?? 11, {
      transactionalId: options.transactionalId ?? null,
      acks: options.acks ?? -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: options.partition ?? 0, records }] }],
    })
    return responses[0]?.partitionResponses[0]
  }

  /** Sends one batch with timestamps of now. */
  send(
    topic: string,
    values: readonly string[],
    options: BatchOptions & ProduceOptions = {},
  ): Promise<string> {
    return this.produce(
      topic,
      batchOf(values, { timestamps: values.map(() => Date.now()), ...options }),
      options,
    )
  }

  async fetched(topic: string, fetchOffset: number, isolationLevel = 0, currentLeaderEpoch = -1) {
    const { responses } = await this.client.call(fetchSchema, 11, {
      maxWaitMs: 500,
      minBytes: 0,
      isolationLevel,
      topics: [
        {
          topic,
          partitions: [{ partition: 0, fetchOffset, currentLeaderEpoch, partitionMaxBytes: 1 << 20 }],
        },
      ],
    })
    return responses[0]?.partitions[0]
  }

  async idempotent(): Promise<Identity> {
    return this.#initialised(null)
  }

  async transactional(transactionalId: string): Promise<Identity> {
    return this.#initialised(transactionalId)
  }

  async #initialised(transactionalId: string | null): Promise<Identity> {
    let identity = { producerId: -1, producerEpoch: -1 }
    await this.retry(async () => {
      const response = await this.client.call(initProducerIdSchema, 4, {
        transactionalId,
        transactionTimeoutMs: 60_000,
      })
      identity = { producerId: response.producerId, producerEpoch: response.producerEpoch }
      return nameOf(response.errorCode)
    })
    return identity
  }

  /** AddPartitionsToTxn of partition 0, asked once. */
  async addOnce(transactionalId: string, identity: Identity, topic: string, partition = 0): Promise<string> {
    const response = await this.client.call(addPartitionsToTxnSchema, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    })
    return nameOf(response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode)
  }

  add(transactionalId: string, identity: Identity, topic: string): Promise<string> {
    return this.retry(() => this.addOnce(transactionalId, identity, topic))
  }
}

export interface ProduceOptions {
  readonly version?: number
  readonly acks?: number
  readonly partition?: number
  readonly transactionalId?: string
}
