import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../../support/kafka/kafka-brokers.ts'
import { membersSuite } from './members.suite.ts'

describe('queries of several members on Apache Kafka', () => {
  membersSuite(kafkaBrokers, uniqueName)
})
