import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { clientSuite } from './client.suite.ts'

describe.each([0, 2] as const)(
  'the client on the embedded broker at transaction.version %i',
  (transactionVersion) => {
    let broker: RunningBroker
    let names = 0
    beforeAll(async () => {
      broker = await startBroker({ settings: { transactionVersion } })
    })
    afterAll(() => broker.close())
    clientSuite(
      () => broker.bootstrapServers,
      (prefix) => `${prefix}-${++names}`,
    )
  },
)
