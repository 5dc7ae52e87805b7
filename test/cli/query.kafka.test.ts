import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { querySuite } from './query.suite.ts'

describe('queries of processes on Apache Kafka', () => {
  querySuite(kafkaBrokers, uniqueName, { kills: true })
})
