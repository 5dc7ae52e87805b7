import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { Application, StartOptions } from '../../src/index.ts'
import { start, startThreads, string, topic } from '../../src/index.ts'
import { captured } from '../support/captured-output.ts'
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

  /** Its group knows where it begins, so that a record that is taken up again is not behind its beginning. */
  const begun = async (running: Application): Promise<void> => {
    await running.waitFor('running')
    await expect
      .poll(async () => (await client.admin.groupOffsets(`upper-${count}`)).size, { interval: 50 })
      .toBe(2)
  }

  describe('without a logger', () => {
    const bad = { key: 'k', value: 'bad' }
    const skipped = (name: string): RegExp =>
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\S+Z WARN ${name} \\[0_\\d\\]: a record was left out: .*\\n$`)

    it.each([
      ['where nothing listens', {}],
      ['beside onWarning', { onWarning: () => {} }],
    ])('a skipped record is one line on standard error: %s', async (_what, options) => {
      using output = captured()
      const running = await application(options, { processingFailure: 'skip' })
      await running.waitFor('running')
      await client.write(records, [bad])
      await expect.poll(() => output.stderr).toMatch(/\n$/)
      await running.close()
      expect(output.stderr).toMatch(skipped(`upper-${count}`))
    })

    it('a skipped record is no line where the logger is false', async () => {
      using output = captured()
      const warnings: string[] = []
      const onWarning = (message: string): void => void warnings.push(message)
      const running = await application({ logger: false, onWarning }, { processingFailure: 'skip' })
      await running.waitFor('running')
      await client.write(records, [bad])
      await expect.poll(() => warnings).toHaveLength(1)
      await running.close()
      expect(output.stderr).toBe('')
    })

    it('threads write the same line', async () => {
      using output = captured()
      const settings = {
        bootstrapServers: broker.bootstrapServers,
        stateDirectory: folder,
        applicationId: `upper-${++count}`,
        autoOffsetReset: 'latest' as const,
        processingFailure: 'skip' as const,
      }
      const module = new URL('programs/unwatched.ts', import.meta.url).href
      const running = await startThreads({ module }, settings, { threads: 2 })
      await running.waitFor('running')
      await client.write(records, [bad])
      await expect.poll(() => output.stderr).toMatch(/\n$/)
      await running.close()
      expect(output.stderr).toMatch(skipped(`upper-${count}`))
    })
  })

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

    it('gets retries of a record as warnings, with its place', async () => {
      const settings = { processingFailure: 'skip', processingRetryAttempts: 2, processingRetryBackoffMs: 0 }
      const running = await application({ logger }, settings)
      await begun(running)
      await client.write(records, [{ key: 'k', value: 'bad' }])
      const warned = () => events.filter(({ level }) => level === 'warn')
      await expect.poll(warned).toHaveLength(3)
      await running.close()
      const place = { application: `upper-${count}`, task: expect.any(String), topic: 'records' }
      expect(warned().map(({ message }) => message.slice(0, 35))).toEqual([
        'a record is tried again (retry 1): ',
        'a record is tried again (retry 2): ',
        expect.stringMatching(/^a record was left out: /),
      ])
      for (const { fields } of warned()) expect(fields).toMatchObject(place)
      expect(warned()[0]?.fields).toMatchObject({ code: 'RECORD_RETRIED' })
    })

    it('gets an aborted transaction as a warning, with the code', async () => {
      const running = await application({ logger }, { processingGuarantee: 'exactly_once' })
      await begun(running)
      let isAborted = false
      const restore = broker.core.onRequest('TxnOffsetCommit', () => {
        if (isAborted) return undefined
        isAborted = true
        return { kind: 'error', error: 'TRANSACTION_ABORTABLE' }
      })
      await client.write(records, [{ key: 'k', value: 'good' }])
      await expect.poll(() => running.metrics.processedRecords).toBeGreaterThan(1)
      restore()
      await running.close()
      expect(events.filter(({ level }) => level === 'warn')).toEqual([
        {
          level: 'warn',
          fields: expect.objectContaining({
            application: `upper-${count}`,
            code: 'TRANSACTION_ABORTABLE',
          }),
          message: expect.stringContaining('abort'),
        },
      ])
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
