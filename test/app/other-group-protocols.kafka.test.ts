import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { groupOverview } from '../../src/app/group-overview.ts'
import { resetGroup } from '../../src/app/reset.ts'
import { replay, string, topic, topology } from '../../src/index.ts'
import { joinByJava } from '../kafka/java-client/record-lines.ts'
import { kafkaBrokers, uniqueName } from '../support/kafka/kafka-brokers.ts'
import { TopicClient } from '../support/topic-client.ts'

describe.each(['consumer', 'streams'] as const)('a live group of the %s protocol', (protocol) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-protocols-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is neither reset nor replayed into, though it has committed nothing', async () => {
    await using client = new TopicClient(kafkaBrokers())
    const words = topic(uniqueName('words'), { value: string })
    const group = uniqueName(protocol)
    await client.create(words)
    await using _member = await joinByJava(kafkaBrokers(), protocol, group, words.name)
    expect(await groupOverview(client.admin, group)).toMatchObject({ state: 'Stable', members: [] })
    const settings = { bootstrapServers: kafkaBrokers(), stateDirectory: folder }
    await expect(resetGroup(group, settings, { execute: true })).rejects.toMatchObject({
      code: 'APPLICATION_RUNNING',
      message: expect.stringContaining(`its group, of type ${protocol}, is in state Stable`) as string,
    })
    const program = topology(uniqueName('reading'), (builder) => {
      builder.stream(words).to(topic(uniqueName('out'), { value: string }))
    })
    await expect(replay(program, settings, { replayId: group })).rejects.toMatchObject({
      code: 'REPLAY_ID_TAKEN',
      message: expect.stringContaining(`of type ${protocol}`) as string,
    })
  })
})
