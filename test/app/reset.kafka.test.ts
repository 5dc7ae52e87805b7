import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { resetSuite } from './reset.suite.ts'

describe('a reset on Apache Kafka', () => {
  resetSuite(kafkaBrokers, uniqueName)
})
