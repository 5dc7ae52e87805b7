import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedKafka } from '../support/kafka/started-kafka.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import { counts, events } from './programs/counting.ts'

const keyCount = 5_000
const rounds = 6

describe('a process that is killed', () => {
  let kafka: StartedKafka
  let client: TopicClient
  const folder = mkdtempSync(join(tmpdir(), 'millrace-standby-'))
  const processes: RunningProcess[] = []
  beforeAll(async () => {
    kafka = await startKafka({ exclusive: true })
    client = new TopicClient(kafka.brokers)
    await client.create(events, counts)
  })
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()))
    await client[Symbol.asyncDispose]()
    await kafka.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (name: string): Promise<RunningProcess> => {
    const settings = {
      processingGuarantee: 'exactly_once',
      standbyReplicas: 1,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 300,
    }
    const running = runProcess(process.execPath, [
      ...['bin/millrace.js', 'run', 'test/runtime/programs/counting.ts', '--bootstrap-server', kafka.brokers],
      ...['--state-directory', join(folder, name)],
      ...Object.entries(settings).flatMap((setting) => ['--setting', setting.join('=')]),
    ])
    processes.push(running)
    await running.waitForLine(/: running$/, 60_000)
    return running
  }

  const write = (): Promise<void> =>
    client.write(
      events,
      Array.from({ length: keyCount }, (_, index) => ({ key: `e${index}`, value: `v${index}` })),
    )
  const toldCounts = (atLeast: number) =>
    client.readUntil(counts, (records) => records.length >= atLeast, 120_000)

  it('is followed by the copies of its state, which restore the tail alone, and counts stay exact', async () => {
    const doomed = await run('doomed')
    const survivor = await run('survivor')
    for (let round = 1; round < rounds; round++) {
      await write()
      await toldCounts(round * keyCount)
    }
    const before = survivor.lines.length
    const lastRound = write()
    doomed.kill('SIGKILL')
    await doomed.waitForExit()
    await lastRound
    const told = await toldCounts(rounds * keyCount)
    const byKey = Map.groupBy(told, ({ key }) => key)
    const expected = Array.from({ length: rounds }, (_, index) => index + 1)
    expect(byKey.size).toBe(keyCount)
    for (const [key, records] of byKey)
      expect(
        records.map(({ value }) => value),
        `the counts of ${key}`,
      ).toEqual(expected)
    const restored = survivor.lines
      .slice(before)
      .map((line) => Number(/: restored ([\d,]+) records/.exec(line)?.[1]?.replaceAll(',', '') ?? 0))
      .reduce((sum, each) => sum + each, 0)
    // Half of some 30,000 records belong to what it took over.
    expect(restored).toBeLessThan(keyCount)
    expect(survivor.lines.slice(before).some((line) => line.endsWith(': rebalancing'))).toBe(true)
  }, 240_000)
})
