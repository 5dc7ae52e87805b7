import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'
import { outcomes } from './outcomes/all.ts'
import { World } from './outcomes/world.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await startBroker({
    settings: { transactionAbortTimedOutTransactionCleanupIntervalMs: 100 },
    onInternalError: (error) => {
      throw error
    },
  })
})

afterAll(() => broker.close())

describe('the embedded broker answers as Apache Kafka does', () => {
  it.for(outcomes)('$title', async ({ run, expected }) => {
    const world = await World.open(broker.bootstrapServers)
    try {
      expect(await run(world)).toEqual(expected)
    } finally {
      world.close()
    }
  })
})
