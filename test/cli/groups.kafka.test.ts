import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { groupsSuite } from './groups.suite.ts'

describe('millrace groups on Apache Kafka', () => {
  groupsSuite(kafkaBrokers, uniqueName)
})
