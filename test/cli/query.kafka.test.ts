import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { killedSuite, querySuite } from './query.suite.ts'

describe('queries of processes on Apache Kafka', () => {
  querySuite(kafkaBrokers, uniqueName)
  killedSuite(kafkaBrokers, uniqueName)
})
