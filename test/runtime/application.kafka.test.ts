import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { applicationSuite } from './application.suite.ts'

describe('an application on Apache Kafka', () => {
  applicationSuite(kafkaBrokers, uniqueName)
})
