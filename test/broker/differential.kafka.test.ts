import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'
import { kafkaBrokers } from '../support/kafka/kafka-brokers.ts'
import { outcomes } from './outcomes/all.ts'
import { World, type Outcome } from './outcomes/world.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await startBroker({ settings: { transactionAbortTimedOutTransactionCleanupIntervalMs: 100 } })
})

afterAll(() => broker.close())

const ask = async (bootstrapServers: string, { run }: Outcome): Promise<unknown> => {
  const world = await World.open(bootstrapServers)
  try {
    return await run(world)
  } finally {
    world.close()
  }
}

describe('Apache Kafka and the embedded broker give the same answers', () => {
  it.for(outcomes)('$title', async (outcome) => {
    const real = await ask(kafkaBrokers(), outcome)
    expect(real).toEqual(outcome.expected)
    expect(await ask(broker.bootstrapServers, outcome)).toEqual(real)
  })
})
