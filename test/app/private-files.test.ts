import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { openToOthers } from '../support/open-to-others.ts'
import { TopicClient } from '../support/topic-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-private-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('what an application and the embedded broker write belongs to its owner alone', async () => {
  const words = topic('words', { key: string, value: string })
  const counts = topology('word-counts', (builder) => {
    builder.stream(words).groupByKey().count({ store: 'counts' })
  })
  const broker = await startBroker({ dataDirectory: join(folder, 'data') })
  const { bootstrapServers } = broker
  const client = new TopicClient(bootstrapServers)
  await client.create(words)
  await client.write(words, [{ key: 'a', value: 'b' }])
  const application = await start(counts, { bootstrapServers, stateDirectory: join(folder, 'state') })
  await client.readUntil(
    topic('word-counts-counts-changelog', { key: string, value: string }),
    (records) => records.length > 0,
  )
  const openWhileItRuns = openToOthers(folder)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).join('\n')
  await application.close()
  await client[Symbol.asyncDispose]()
  await broker.close()
  for (const each of ['data.mdb', 'lock.mdb', 'process-id', 'journal.jsonl', 'words-0', '-held'])
    expect(names).toContain(each)
  expect(openWhileItRuns).toEqual([])
  expect(openToOthers(folder)).toEqual([])
})
