import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { lostOffsetsSuite } from './lost-offsets.suite.ts'

describe('lost offsets of inputs on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  lostOffsetsSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})
