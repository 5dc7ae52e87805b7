import { Kafka, logLevel, type Admin, type Message, type Producer } from 'kafkajs'
import { long } from '../src/topic/serdes.ts'
import {
  countStore,
  customerAt,
  customerId,
  customers,
  customerTimestamp,
  isPaced,
  orderAt,
  orderTimestamp,
  paymentAt,
  paymentTimestamp,
  topicsOf,
  type Workload,
} from './peers/workloads.ts'

/** How the broker keeps the batches of an input. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

/** The topics of the runs, made and taken away by the runner, so that what is measured is the run alone. */
export class BenchTopics implements AsyncDisposable {
  readonly #admin: Admin
  readonly #client: Kafka
  #producer: Producer
  #codec: Codec = 'none'

  constructor(brokers: string) {
    this.#client = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR })
    this.#admin = this.#client.admin()
    this.#producer = this.#client.producer()
  }

  async connect(): Promise<void> {
    await this.#admin.connect()
    await this.#producer.connect()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect()
    await this.#admin.disconnect()
  }

  /** Fills what a workload reads, where it is missing, and makes what a run writes. */
  async prepare(workload: Workload, records: number, applicationId: string): Promise<void> {
    const { orders, payments, customers: table, output } = topicsOf(workload, records, applicationId)
    await this.#create(output)
    if (workload === 'W6') {
      await this.#create(`${applicationId}-${countStore}-changelog`, true)
      await this.#fill(`${applicationId}-${countStore}-changelog`, records, change)
      await this.#create(orders)
      await this.append(orders, order(0))
      return
    }
    if (isPaced(workload)) {
      await this.#create(orders)
      if (workload !== 'W7') await this.append(orders, order(0))
      return
    }
    await this.#ensure(orders, records, order)
    if (workload === 'W4') await this.#ensure(table, customers, customer)
    if (workload === 'W5') await this.#ensure(payments, Math.floor(records / 2), payment)
  }

  /** Makes the inputs of all runs from now on anew, compressed like that. */
  async compressInputs(codec: Codec): Promise<void> {
    this.#codec = codec
    // kafkajs fails at the list of a cluster without topics.
    await this.#create(`bench-codec-${codec}-${crypto.randomUUID().slice(0, 8)}`)
    const inputs = (await this.#admin.listTopics()).filter((name) =>
      /^bench-(orders|payments|customers|codec)(-|$)/.test(name),
    )
    await this.#admin.deleteTopics({ topics: inputs })
    await this.#forget()
  }

  /** Takes away what a run has made; returns how many records it wrote, markers of transactions included. */
  async clean(applicationId: string): Promise<number> {
    const written = await this.#endOffset(`${applicationId}-output`)
    const own = (await this.#admin.listTopics()).filter((name) => name.startsWith(`${applicationId}-`))
    await this.#admin.deleteTopics({ topics: own })
    await this.#forget()
    // Kafka Streams leaves no group on close, so its members may still be there.
    await this.#admin.deleteGroups([applicationId]).catch(() => {})
    return written
  }

  /** A producer of kafkajs asks for every topic that it has ever written to, and fails where one is gone. */
  async #forget(): Promise<void> {
    await this.#producer.disconnect()
    this.#producer = this.#client.producer()
    await this.#producer.connect()
  }

  async append(topic: string, ...messages: Message[]): Promise<void> {
    await this.#producer.send({ topic, acks: -1, messages })
  }

  async #ensure(topic: string, count: number, messageAt: (index: number) => Message): Promise<void> {
    if ((await this.#endOffset(topic)) === count) return
    if ((await this.#admin.listTopics()).includes(topic)) await this.#admin.deleteTopics({ topics: [topic] })
    await this.#create(topic)
    await this.#fill(topic, count, messageAt)
  }

  async #fill(topic: string, count: number, messageAt: (index: number) => Message): Promise<void> {
    for (let from = 0; from < count; from += messagesPerRequest) {
      const length = Math.min(messagesPerRequest, count - from)
      await this.append(topic, ...Array.from({ length }, (_, index) => messageAt(from + index)))
    }
  }

  /** The end of a topic with one partition; 0 where there is none. */
  async #endOffset(topic: string): Promise<number> {
    if (!(await this.#admin.listTopics()).includes(topic)) return 0
    const [partition] = await this.#admin.fetchTopicOffsets(topic)
    return Number(partition?.high ?? 0)
  }

  /** Creates a topic of one partition. Orders of a fixed day would be too old for the broker's usual retention. */
  async #create(topic: string, compacted = false): Promise<void> {
    const compression = this.#codec === 'none' ? 'uncompressed' : this.#codec
    const configEntries = [
      compacted ? { name: 'cleanup.policy', value: 'compact' } : { name: 'retention.ms', value: '-1' },
      ...(topic.startsWith('bench-') && !topic.endsWith('-output')
        ? [{ name: 'compression.type', value: compression }]
        : []),
    ]
    await this.#admin.createTopics({
      topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
      waitForLeaders: true,
    })
  }
}

const messagesPerRequest = 5000

export const order = (index: number): Message => ({
  key: customerId(index),
  value: JSON.stringify(orderAt(index)),
  timestamp: String(orderTimestamp(index)),
})

const payment = (index: number): Message => ({
  key: customerId(index * 2),
  value: JSON.stringify(paymentAt(index)),
  timestamp: String(paymentTimestamp(index)),
})

const customer = (index: number): Message => ({
  key: customerId(index),
  value: JSON.stringify(customerAt(index)),
  timestamp: String(customerTimestamp),
})

/** The count of W3 after an order. */
const change = (index: number): Message => ({
  key: customerId(index),
  value: Buffer.from(long.serialize(1 + Math.floor(index / customers))),
  timestamp: String(orderTimestamp(index)),
})
