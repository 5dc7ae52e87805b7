import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { resetSuite } from './reset.suite.ts'

describe('a reset on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  resetSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}${++count}`,
  )
})
