import { describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { topicsSuite } from './topics.suite.ts'

describe('topics that change under an application on Apache Kafka', () => {
  topicsSuite(kafkaBrokers, uniqueName)
})
