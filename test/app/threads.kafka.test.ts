import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { threadsSuite } from './threads.suite.ts'

describe('worker threads on Apache Kafka', () => {
  threadsSuite(kafkaBrokers, uniqueName)
})
