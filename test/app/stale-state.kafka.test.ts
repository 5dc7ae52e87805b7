import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Application } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import type { ReadOnlyKeyValueStore, ValueAndTimestamp } from '../../src/state/store.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import { TopicClient } from '../support/topic-client.ts'

/** A log cleaner that runs all the time, and drops deletions at once. */
const eagerCleaner = { 'log.cleaner.backoff.ms': '500', 'log.cleaner.min.cleanable.ratio': '0.001' }
const eagerlyCompacted = {
  'delete.retention.ms': '0',
  'segment.ms': '100',
  'min.cleanable.dirty.ratio': '0.001',
}

const rowsOf = (application: Application): readonly string[] =>
  Array.from(
    (
      application.store('rows', 0) as unknown as ReadOnlyKeyValueStore<string, ValueAndTimestamp<string>>
    ).all(),
    ([key]) => key,
  )

it('rows that were deleted elsewhere stay deleted when an older disk comes back', async () => {
  await using kafka = await startKafka({ exclusive: true, properties: eagerCleaner })
  await using client = new TopicClient(kafka.brokers)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-deleted-'))
  const words = topic('words', { value: string })
  const program = topology('deleted', (builder) => void builder.table(words, { store: 'rows' }))
  await client.create(words)
  const run = async (disk: string): Promise<Application> => {
    const application = await start(program, {
      bootstrapServers: kafka.brokers,
      stateDirectory: join(folder, disk),
    })
    await application.waitFor('running')
    return application
  }
  const put = async (
    application: Application,
    key: string,
    value: string | null,
    rows: string,
  ): Promise<void> => {
    await client.write(words, [{ key, value }])
    await expect.poll(() => rowsOf(application).join(), { interval: 10 }).toBe(rows)
  }

  const first = await run('old')
  await put(first, 'a', '1', 'a')
  await put(first, 'b', '1', 'a,b')
  await first.close()
  await client.admin.alterConfigs('deleted-rows-changelog', eagerlyCompacted)

  const second = await run('new')
  await put(second, 'a', null, 'b')
  const isCompacted = async (): Promise<boolean> => {
    await client.write(words, [{ key: 'b', value: '2' }])
    const changelog = await client.readAll(topic('deleted-rows-changelog', { value: string }))
    return changelog.every(({ key }) => key !== 'a')
  }
  await expect.poll(isCompacted, { timeout: 60_000, interval: 500 }).toBe(true)
  await second.close()

  const again = await run('old')
  expect(rowsOf(again)).toEqual(['b'])
  await again.close()
  rmSync(folder, { recursive: true })
}, 120_000)
