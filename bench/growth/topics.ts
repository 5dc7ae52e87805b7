import { kafkaSettingsOf } from '../../src/app/kafka-settings-of.ts'
import { parseSettings } from '../../src/app/settings.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { listOffsets } from '../../src/kafka/list-offsets.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import { orderAt, paymentAt } from '../peers/workloads.ts'
import type { GrowthCase } from './cases.ts'
import { orderSpacingMs } from './cases.ts'

/** The topics of one case: inputs are shared by cases that read the same, and kept for the next time. */
export const growthTopicsOf = (
  { work, records, keys, partitions }: GrowthCase,
  applicationId: string,
): {
  readonly orders: string
  readonly payments: string
  readonly customers: string
  readonly output: string
} => {
  const input = `bench-growth-${work}-${records}-${keys}-${partitions}`
  return { orders: input, payments: `${input}-payments`, customers: '', output: `${applicationId}-output` }
}

interface Message {
  readonly key: string
  readonly value: unknown
  readonly timestamp: number
}

/** Makes and fills the topics of growth runs by Millrace's own producer: ten million records are a matter of seconds. */
export class GrowthTopics implements AsyncDisposable {
  readonly #transport: TcpTransport
  readonly #cluster: Cluster
  readonly #admin: Admin

  constructor(brokers: string) {
    this.#transport = new TcpTransport(
      kafkaSettingsOf(parseSettings({ bootstrapServers: brokers }), 'bench-growth'),
    )
    this.#cluster = new Cluster({ transport: this.#transport, clock: systemClock, retryTimeoutMs: 30_000 })
    this.#admin = new Admin(this.#cluster)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close()
  }

  async prepare(each: GrowthCase, applicationId: string): Promise<void> {
    const { orders, payments, output } = growthTopicsOf(each, applicationId)
    await this.#create(output, each.partitions)
    await this.#ensure(orders, each, each.records, (index) => orderOf(each, index))
    if (each.work === 'join')
      await this.#ensure(payments, each, Math.floor(each.records / 2), (index) => paymentOf(each, index))
  }

  /** Takes away what a run has made. */
  async clean(applicationId: string): Promise<void> {
    const names = await this.#admin.listTopics()
    await this.#admin.deleteTopics(names.filter((name) => name.startsWith(`${applicationId}-`)))
  }

  async #ensure(
    topic: string,
    { partitions }: GrowthCase,
    records: number,
    messageAt: (index: number) => Message,
  ): Promise<void> {
    if ((await this.#admin.listTopics()).includes(topic)) {
      if ((await this.#recordsIn(topic, partitions)) === records) return
      await this.#admin.deleteTopics([topic])
    }
    await this.#create(topic, partitions)
    const producer = new Producer({ cluster: this.#cluster, name: 'growth' })
    await producer.prepare([topic])
    for (let index = 0; index < records; index++) {
      const { key, value, timestamp } = messageAt(index)
      producer.send(topic, undefined, utf8Encode(key), utf8Encode(JSON.stringify(value)), timestamp)
      if (producer.isFull) await producer.drained()
    }
    await producer.flush()
    producer.close()
  }

  async #recordsIn(topic: string, partitions: number): Promise<number> {
    const places = Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      at: 'latest' as const,
    }))
    let records = 0
    for (const { offset } of (await listOffsets(this.#cluster, places)).values()) records += offset
    return records
  }

  async #create(topic: string, partitions: number): Promise<void> {
    await this.#admin.createTopics([
      { topic, partitions, replicationFactor: 1, configs: { 'retention.ms': '-1' } },
    ])
  }
}

const firstTimestamp = 1_767_225_600_000

const keyOf = ({ keys }: GrowthCase, index: number): string => `cust-${String(index % keys).padStart(8, '0')}`

const orderOf = (each: GrowthCase, index: number): Message => ({
  key: keyOf(each, index),
  value: orderAt(index),
  timestamp: firstTimestamp + index * (each.work === 'join' ? orderSpacingMs : 1),
})

const paymentOf = (each: GrowthCase, index: number): Message => ({
  key: keyOf(each, index * 2),
  value: paymentAt(index),
  timestamp: firstTimestamp + index * 2 * orderSpacingMs + 200,
})
