import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { freePort } from '../support/free-port.ts'
import { applicationSuite } from './application.suite.ts'

describe('an application on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  applicationSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})

describe('an application without a broker', () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-lonely-'))
  afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }))

  it('names the address that nobody answers at', async () => {
    const port = await freePort()
    const input = topic('input', { value: string })
    const program = topology('lonely', (builder) => builder.stream(input).forEach(() => {}))
    await expect(
      start(program, { bootstrapServers: `127.0.0.1:${port}`, requestTimeoutMs: 500, stateDirectory }),
    ).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}`))
  })

  it('refuses a setting that does not exist, suggesting the nearest', async () => {
    const program = topology('misspelt', () => {})
    await expect(
      start(program, { bootstrapServers: 'localhost:1', commitIntervallMs: 5 } as never),
    ).rejects.toThrow("there is no setting 'commitIntervallMs'; did you mean 'commitIntervalMs'?")
  })
})
