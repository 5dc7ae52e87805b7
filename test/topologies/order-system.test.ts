import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from 'millrace/broker'
import { startBroker } from 'millrace/broker'
import { orderSystemSuite } from './order-system.suite.ts'

describe('the order system on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  orderSystemSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})
