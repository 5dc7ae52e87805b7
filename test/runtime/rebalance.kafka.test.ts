import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { rebalanceSuite } from './rebalance.suite.ts'

describe('a rebalance on Apache Kafka', () => {
  rebalanceSuite(kafkaBrokers, uniqueName)
})
