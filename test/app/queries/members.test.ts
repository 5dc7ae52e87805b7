import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import { membersSuite } from './members.suite.ts'

describe('queries of several members on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  membersSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})
