import { createRequire } from 'node:module'
import { Kafka, logLevel, type EachBatchPayload, type Message, type Producer } from 'kafkajs'
import { measurement, measureQuiet, type Measurement } from './measure.ts'
import { peerOptions, type PeerOptions, type PeerResult } from './peer-options.ts'
import { isQuiet, isStateless, keptFrom, topicsOf, workloads, type Order } from './workloads.ts'

/**
 * What a Node team writes without a stream processor: a kafkajs consumer, a function, a producer. The stateless
 * workloads only, since the others need a store that a restart does not lose, which is what such a loop does not have.
 * Exactly-once is a transaction for each batch that was fetched.
 */
const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }

const main = async (options: PeerOptions): Promise<void> => {
  if (!isStateless(options.workload))
    throw new Error(
      `a kafkajs loop has no durable state, so it does ${workloads.filter(isStateless).join(', ')}, and not ${options.workload}`,
    )
  const client = new Kafka({ brokers: options.brokers.split(','), logLevel: logLevel.ERROR })
  const measured = measurement(options.records)
  const peer = { name: 'kafkajs', version }
  let result: PeerResult | undefined
  await processAll(client, options, measured, async () => {
    if (isQuiet(options.workload)) result = await measureQuiet(peer)
  })
  result ??= measured.end(peer)
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** Resolves when all records are processed and `afterwards` is over. */
const processAll = async (
  client: Kafka,
  options: PeerOptions,
  measured: Measurement,
  afterwards: () => Promise<void>,
): Promise<void> => {
  const exactlyOnce = options.guarantee === 'exactly-once'
  const { orders, output } = topicsOf(options.workload, options.records, options.applicationId)
  const consumer = client.consumer({ groupId: options.applicationId, readUncommitted: !exactlyOnce })
  const producer = client.producer(
    exactlyOnce ? { transactionalId: options.applicationId, idempotent: true, maxInFlightRequests: 1 } : {},
  )
  await Promise.all([consumer.connect(), producer.connect()])
  await consumer.subscribe({ topic: orders, fromBeginning: true })
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  const work = exactlyOnce ? transactionally : atLeastOnce
  let seen = 0
  await consumer.run({
    autoCommit: !exactlyOnce,
    autoCommitInterval: options.commitIntervalMs,
    eachBatchAutoResolve: true,
    eachBatch: async (payload) => {
      measured.processed(seen)
      await work(payload, producer, output, options.applicationId).catch(reject)
      seen += payload.batch.messages.length
      if (seen >= (isQuiet(options.workload) ? 1 : options.records)) resolve()
    },
  })
  await done
  await afterwards()
  await consumer.disconnect()
  await producer.disconnect()
}

type Work = (payload: EachBatchPayload, producer: Producer, output: string, groupId: string) => Promise<void>

const atLeastOnce: Work = async ({ batch }, producer, output) => {
  await producer.send({ topic: output, messages: priced(batch.messages) })
}

/** What may pass is tried again from the beginning, as the last transaction may still be settling. */
const transactionally: Work = async (payload, producer, output, groupId) => {
  for (let attempt = 1; ; attempt++)
    try {
      return await inTransaction(payload, producer, output, groupId)
    } catch (error) {
      if (!mayPass(error) || attempt === transactionAttempts) throw error
    }
}

const transactionAttempts = 10

const mayPass = (error: unknown): boolean =>
  error instanceof Error && 'retriable' in error && error.retriable === true

const inTransaction: Work = async ({ batch }, producer, output, consumerGroupId) => {
  const transaction = await producer.transaction()
  try {
    await transaction.send({ topic: output, messages: priced(batch.messages) })
    const next = (BigInt(batch.lastOffset()) + 1n).toString()
    const topics = [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset: next }] }]
    await transaction.sendOffsets({ consumerGroupId, topics })
    await transaction.commit()
  } catch (error) {
    await transaction.abort()
    throw error
  }
}

const priced = (messages: EachBatchPayload['batch']['messages']): Message[] => {
  const results: Message[] = []
  for (const { key, value, timestamp } of messages) {
    const order = JSON.parse(String(value)) as Order
    if (order.amount < keptFrom) continue
    results.push({
      key,
      value: JSON.stringify({ ...order, total: order.amount * order.quantity }),
      timestamp,
    })
  }
  return results
}

await main(peerOptions())
