import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { Application, StartOptions } from '../../src/index.ts'
import { start, string, topic } from '../../src/index.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import { upper } from './programs/unwatched.ts'

const records = topic('records', { value: string })
const results = topic('results', { value: string })

describe('the end of an application', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-done-'))
  let broker: RunningBroker
  let client: TopicClient
  let count = 0
  beforeAll(async () => {
    broker = await startBroker()
    client = new TopicClient(broker.bootstrapServers)
    await client.create({ ...records, partitions: 2 }, results)
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (mode: string): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const program = join(import.meta.dirname, 'programs/unwatched.ts')
    const running = runProcess(process.execPath, [program, mode, broker.bootstrapServers, folder], {
      env: { RESET: 'latest' },
    })
    await running.waitForLine('running')
    await client.write(records, [{ key: 'k', value: 'bad' }])
    return running.waitForExit()
  }

  const failure = /^\S+ ERROR (\S+) \[0_\d\]: the application has failed: a bad record \(topic records, .*\n$/

  it.each(['none', 'states', 'threads'])(
    'a failure that no caller handles is logged and sets the exit code: %s',
    async (mode) => {
      const { code, stderr } = await run(mode)
      expect(code).toBe(1)
      expect(failure.exec(stderr)?.[1], stderr).toBe(`upper-${mode}`)
    },
  )

  it('a record that fails while threads are starting is the reported cause', async () => {
    await client.write(records, [{ key: 'k', value: 'bad' }])
    const program = join(import.meta.dirname, 'programs/unwatched.ts')
    const running = runProcess(process.execPath, [program, 'threads', broker.bootstrapServers, `${folder}/2`])
    const { code, stderr } = await running.waitForExit()
    expect(code).toBe(1)
    expect(stderr).toContain('a bad record (topic records')
  })

  it('a silenced logger leaves the exit code', async () => {
    expect(await run('silenced')).toMatchObject({ code: 1, stderr: '' })
  })

  it('a handler on done gets the failure instead of the log', async () => {
    const { code, stdout, stderr } = await run('handled')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^running\nhandled: a bad record \(topic records/)
  })

  const application = (options: StartOptions, settings = {}): Promise<Application> =>
    start(
      upper,
      {
        bootstrapServers: broker.bootstrapServers,
        stateDirectory: folder,
        applicationId: `upper-${++count}`,
        autoOffsetReset: 'latest',
        ...settings,
      },
      options,
    )

  describe('and its logger', () => {
    const events: { level: string; fields: object; message: string }[] = []
    const log =
      (level: string) =>
      (fields: object, message: string): void =>
        void events.push({ level, fields, message })
    const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
    beforeEach(() => void events.splice(0))

    it('done resolves after close', async () => {
      const running = await application({ logger })
      await running.waitFor('running')
      await running.close()
      await expect(running.done).resolves.toBeUndefined()
      expect(events.map(({ level, message }) => `${level} ${message}`)).toEqual([
        'info rebalancing',
        'info running',
        'info closing',
        'info closed',
      ])
    })

    it('a logger of the author gets a failure that done reports too, with its code and place', async () => {
      const running = await application({ logger })
      const failed = expect(running.done).rejects.toThrow('a bad record')
      await running.waitFor('running')
      await client.write(records, [{ key: 'k', value: 'bad' }])
      await failed
      expect(events.at(-1)).toMatchObject({
        level: 'error',
        fields: {
          application: `upper-${count}`,
          topic: 'records',
          node: 'mapValues-0001',
          err: { name: 'Fault' },
        },
      })
      await expect(running.done).rejects.toBe(running.failure)
    })

    it('skipped records are logged up to a limit and then by their number, and onWarning gets each', async () => {
      const warnings: string[] = []
      const running = await application(
        { logger, onWarning: (message) => warnings.push(message) },
        { processingFailure: 'skip' },
      )
      await running.waitFor('running')
      await client.write(
        records,
        Array.from({ length: 20 }, () => ({ key: 'k', value: 'bad' })),
      )
      await expect.poll(() => warnings.length).toBe(20)
      await running.close()
      const logged = events.filter(({ level }) => level === 'warn')
      expect(logged).toHaveLength(6)
      expect(logged[0]).toMatchObject({ fields: { application: `upper-${count}`, task: expect.any(String) } })
      expect(logged.at(-1)?.message).toMatch(/^a record was left out: .* \(and 15 more of this kind\)$/)
    })
  })
})
