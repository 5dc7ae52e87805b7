import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { RunningBroker, BrokerOptions } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { TopicClient } from './topic-client.ts'

/** An embedded broker with a client of it, and a folder for state. */
export interface LocalBroker {
  readonly broker: RunningBroker
  readonly client: TopicClient
  readonly folder: string
}

/** One for the tests of a `describe`: there from the next `beforeAll` on, and gone after the last test. */
export const useLocalBroker = (options?: BrokerOptions): LocalBroker => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  let broker: RunningBroker
  let client: TopicClient
  beforeAll(async () => {
    broker = await startBroker(options)
    client = new TopicClient(broker.bootstrapServers)
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    get broker() {
      return broker
    },
    get client() {
      return client
    },
  }
}
