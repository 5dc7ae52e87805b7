import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { observeSuite } from './observe.suite.ts'

describe('topics as observables on Apache Kafka', () => {
  observeSuite(kafkaBrokers, uniqueName)
})
