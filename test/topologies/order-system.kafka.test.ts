import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { orderSystemSuite } from './order-system.suite.ts'

describe('the order system on Apache Kafka', () => {
  orderSystemSuite(kafkaBrokers, uniqueName)
})
