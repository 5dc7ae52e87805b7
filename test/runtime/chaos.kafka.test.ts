import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedKafka } from '../support/kafka/started-kafka.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { latestByKey, TopicClient } from '../support/topic-client.ts'
import { counts, events } from './programs/counting.ts'

/**
 * Processes of one group are killed at random instants under load and start again. Under exactly-once each count of each
 * key is told once, in order, and the last is right; under at-least-once nothing is missing. `CHAOS_KILLS` says how
 * often: a few in the tests, many in `npm run chaos`.
 */
const kills = Number(process.env['CHAOS_KILLS'] ?? 5)
const processCount = 3
const keyCount = 50

describe.each(['exactly_once', 'at_least_once'] as const)('%s under SIGKILLs', (guarantee) => {
  let kafka: StartedKafka
  let client: TopicClient
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
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

  const runSlot = (slot: number): RunningProcess => {
    const settings = {
      processingGuarantee: guarantee,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 300,
      commitIntervalMs: 50,
      groupInstanceId: `slot-${slot}`,
    }
    return runProcess(process.execPath, [
      ...['bin/millrace.js', 'run', 'test/runtime/programs/counting.ts', '--bootstrap-server', kafka.brokers],
      ...['--state-directory', join(folder, `slot-${slot}`)],
      ...Object.entries(settings).flatMap(([name, value]) => ['--setting', `${name}=${value}`]),
    ])
  }

  it(
    'every event is counted',
    async () => {
      for (let slot = 0; slot < processCount; slot++) processes.push(runSlot(slot))
      let written = 0
      const write = async (count: number): Promise<void> => {
        const batch = Array.from({ length: count }, (_, index) => {
          const number = written + index
          return { key: `e${number}`, value: `v${number % keyCount}` }
        })
        written += count
        await client.write(events, batch)
      }
      for (let kill = 0; kill < kills; kill++) {
        for (let burst = 0; burst < 20; burst++) {
          await write(100)
          await new Promise((resolve) => setTimeout(resolve, 20 + ((kill * 37 + burst * 13) % 90)))
        }
        const slot = kill % processCount
        processes[slot]?.kill('SIGKILL')
        await processes[slot]?.waitForExit()
        processes[slot] = runSlot(slot)
      }
      await write(500)
      const total = written
      // Where events are counted again, the sum is reached too early: each key has to get there by itself.
      const told = await client.readUntil(
        counts,
        (records) => {
          const latest = [...latestByKey(records).values()]
          return latest.length === keyCount && latest.every((count) => count >= total / keyCount)
        },
        120_000,
      )
      const byKey = Map.groupBy(told, ({ key }) => key)
      expect(byKey.size).toBe(keyCount)
      if (guarantee === 'exactly_once')
        for (const [key, records] of byKey)
          expect(
            records.map(({ value }) => value),
            `the counts of ${key}`,
          ).toEqual(Array.from({ length: total / keyCount }, (_, index) => index + 1))
    },
    300_000 + kills * 30_000,
  )
})
