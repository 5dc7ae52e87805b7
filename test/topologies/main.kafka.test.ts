import { describe } from 'vitest'
import { kafkaBrokers } from '../support/kafka/kafka-brokers.ts'
import { mainSuite } from './main.suite.ts'

describe('npm start on Apache Kafka', () => {
  mainSuite(() => ['--brokers', kafkaBrokers()])
})
