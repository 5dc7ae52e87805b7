import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { hours, seconds } from '../../src/base/duration.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'

const guarantees = ['at_least_once', 'exactly_once'] as const

describe.each(guarantees)('under %s, a step of the machine’s clock', (processingGuarantee) => {
  let broker: RunningBroker
  let client: TopicClient
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'))
  const machineNow = Date.now.bind(Date)
  let offsetMs = 0
  const step = (byMs: number): void => void (offsetMs += byMs)

  beforeAll(async () => {
    Date.now = () => machineNow() + offsetMs
    broker = await startBroker()
    client = new TopicClient(broker.bootstrapServers)
  })
  afterEach(() => (offsetMs = 0))
  afterAll(async () => {
    Date.now = machineNow
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const counting = async (name: string) => {
    const words = topic(`${name}-words`, { value: string })
    const counts = topic(`${name}-counts`, { value: long })
    await client.create(words, counts)
    const punctuations = { count: 0 }
    const program = topology(name, (builder) => {
      const read = builder.stream(words)
      read
        .groupByKey({ name: `${name}-by-word` })
        .count({ store: `${name}-store` })
        .toStream()
        .to(counts)
      read.processValues((context) => {
        context.schedule(20, 'wallClock', () => void punctuations.count++)
        return { process: () => undefined }
      })
    })
    const [warnings, states]: [string[], string[]] = [[], []]
    const application = await start(
      program,
      {
        bootstrapServers: broker.bootstrapServers,
        stateDirectory: join(folder, name, processingGuarantee),
        processingGuarantee,
        commitIntervalMs: 20,
      },
      {
        logger: false,
        onWarning: (warning) => void warnings.push(warning),
        onState: (state) => void states.push(state),
      },
    )
    await application.waitFor('running')
    states.length = 0
    let written = 0
    /** A record is written, counted and committed, and wall-clock punctuation goes on. */
    const progress = async (): Promise<void> => {
      const before = punctuations.count
      await client.write(words, [{ key: 'k', value: 'w' }])
      written++
      await client.readUntil(counts, (records) => records.at(-1)?.value === written, 10_000)
      await vi.waitFor(() => expect(punctuations.count).toBeGreaterThan(before), { timeout: 10_000 })
    }
    return { application, warnings, states, progress }
  }

  it.each([
    ['30 s forward', seconds(30)],
    ['30 s back', -seconds(30)],
    ['1 h forward', hours(1)],
    ['1 h back', -hours(1)],
  ])('of %s stops nothing, costs no membership, and close() returns', async (what, byMs) => {
    const { application, warnings, states, progress } = await counting(
      `${processingGuarantee}-${what.replaceAll(' ', '-')}`,
    )
    await progress()
    step(byMs)
    await progress()
    await progress()
    step(-byMs)
    await progress()
    step(byMs)
    await application.close()
    expect(states.filter((state) => state !== 'closing' && state !== 'closed')).toEqual([])
    expect(warnings).toEqual([])
  })
})
