import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { largeRecordsSuite } from './large-records.suite.ts'

describe('large records on the embedded broker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-large-'))
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })
  largeRecordsSuite(() => broker.bootstrapServers, folder)
})
