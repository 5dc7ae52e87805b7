import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import { keptFrom, orderAt, topicsOf } from './peers/workloads.ts'
import { order } from './topics.ts'

/** Percentiles of the time from sending an order to receiving its result, in milliseconds. */
export interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

const recordsPerSecond = 2000
/** Left out at the beginning, while code is compiled and connections are made. */
const warmUpSeconds = 4

/** So many records a run takes, the first one included. */
export const latencyRecords = (seconds: number): number => (warmUpSeconds + seconds) * recordsPerSecond

/**
 * Sends orders at a steady rate, once the first has come through, and times each until its result arrives. Sender and
 * receiver are the same for whoever is measured, so what they add is too.
 */
export class LatencyProbe {
  readonly #records: number
  readonly #topics: { readonly orders: string; readonly output: string }
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #sentMs: Float64Array
  readonly #latencies: number[] = []
  readonly #first: PromiseWithResolvers<void> = Promise.withResolvers<void>()

  constructor(brokers: string, applicationId: string, records: number) {
    const client = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR })
    this.#records = records
    this.#topics = topicsOf('W7', records, applicationId)
    this.#producer = client.producer({ allowAutoTopicCreation: false })
    this.#consumer = client.consumer({ groupId: `${applicationId}-probe`, maxWaitTimeInMs: 50 })
    this.#sentMs = new Float64Array(records)
  }

  /** Returns once everything is sent and `settled` has resolved, as the run does at its last record. */
  async run(settled: Promise<unknown>): Promise<Latency> {
    await Promise.all([this.#producer.connect(), this.#consumer.connect()])
    try {
      await this.#measure(settled)
    } finally {
      await this.#consumer.disconnect()
      await this.#producer.disconnect()
    }
    return this.#percentiles()
  }

  async #measure(settled: Promise<unknown>): Promise<void> {
    await this.#consumer.subscribe({ topic: this.#topics.output, fromBeginning: true })
    await this.#consumer.run({
      eachBatch: ({ batch }) => {
        const nowMs = performance.now()
        for (const { value } of batch.messages) this.#received(String(value), nowMs)
        return Promise.resolve()
      },
    })
    this.#send(firstKept, 1)
    await Promise.race([this.#first.promise, settled])
    await this.#pace()
    await settled
  }

  #send(from: number, count: number): void {
    const messages = Array.from({ length: count }, (_, index) => {
      this.#sentMs[from + index - firstKept] = performance.now()
      return order(from + index)
    })
    void this.#producer.send({ topic: this.#topics.orders, acks: 1, messages })
  }

  /** A few records every other millisecond; what the timer left out is caught up with. */
  async #pace(): Promise<void> {
    const startMs = performance.now()
    for (let sent = 1; sent < this.#records;) {
      const due = Math.min(this.#records, 1 + ((performance.now() - startMs) * recordsPerSecond) / 1000)
      const count = Math.floor(due) - sent
      if (count > 0) this.#send(firstKept + sent, count)
      sent += Math.max(0, count)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  #received(value: string, nowMs: number): void {
    const { orderId } = JSON.parse(value) as { orderId: string }
    const index = Number(orderId.slice('order-'.length)) - firstKept
    if (index === 0) this.#first.resolve()
    if (index >= warmUpSeconds * recordsPerSecond)
      this.#latencies.push(nowMs - (this.#sentMs[index] as number))
  }

  #percentiles(): Latency {
    const sorted = this.#latencies.toSorted((left, right) => left - right)
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
    return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
  }
}

/** The first order that the workload keeps. */
const firstKept = Array.from({ length: 1000 }, (_, index) => index).findIndex(
  (index) => orderAt(index).amount >= keptFrom,
)
