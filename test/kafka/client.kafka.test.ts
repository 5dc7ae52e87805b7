import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { clientSuite } from './client.suite.ts'

describe('the client on Apache Kafka', () => {
  clientSuite(kafkaBrokers, uniqueName)
})
