import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { lostOffsetsSuite } from './lost-offsets.suite.ts'

describe('lost offsets of inputs on Apache Kafka', () => {
  lostOffsetsSuite(kafkaBrokers, uniqueName)
})
