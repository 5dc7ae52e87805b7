import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { querySuite } from './query.suite.ts'

describe('queries of processes on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  querySuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})
