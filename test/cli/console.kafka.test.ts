import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { consoleSuite } from './console.suite.ts'

describe('millrace on Apache Kafka', () => {
  consoleSuite(kafkaBrokers, uniqueName)
})
