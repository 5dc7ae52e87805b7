import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { largeRecordsSuite } from './large-records.suite.ts'

describe('large records on Apache Kafka', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-large-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  largeRecordsSuite(kafkaBrokers, folder, uniqueName)
})
