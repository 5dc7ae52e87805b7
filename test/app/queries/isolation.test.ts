import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import type { Application } from '../../../src/index.ts'
import { long, start, string, topic, topology } from '../../../src/index.ts'
import { problemOf } from '../../../src/app/queries/problem.ts'
import { mostWaitingReads } from '../../../src/runtime/store-reads.ts'
import { TopicClient } from '../../support/topic-client.ts'

describe('a query under exactly once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-isolation-'))
  const words = topic('words', { value: string })
  const counts = topic('counts', { value: long })
  /** What a test holds the commit with: it waits for all asynchronous work. */
  let gate = Promise.withResolvers<void>()
  const program = topology('held', (builder) => {
    builder
      .stream(words)
      .groupByKey()
      .count({ store: 'seen' })
      .toStream()
      .mapValuesAsync(
        async (count) => {
          if ((count ?? 0) > 1) await gate.promise
          return count ?? 0
        },
        { value: long },
      )
      .to(counts)
  })
  let broker: RunningBroker
  let client: TopicClient
  let application: Application

  beforeAll(async () => {
    broker = await startBroker()
    client = new TopicClient(broker.bootstrapServers)
    await client.create(words, counts)
    application = await start(program, {
      bootstrapServers: broker.bootstrapServers,
      stateDirectory: folder,
      processingGuarantee: 'exactly_once',
      transactionTimeoutMs: 60_000,
    })
    await application.waitFor('running')
  })
  afterAll(async () => {
    gate.resolve()
    await application.close()
    await client[Symbol.asyncDispose]()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('sees only what is committed, unless it says otherwise', async () => {
    gate = Promise.withResolvers()
    const { queries } = application
    const usual = queries.tableStore<string, number>('seen')
    const hasty = queries.tableStore<string, number>('seen', { isolation: 'read_uncommitted' })
    const short = queries.tableStore<string, number>('seen', { timeoutMs: 50 })
    await client.write(words, [{ key: 'a', value: '' }])
    await vi.waitFor(async () => expect((await usual.get('a'))?.value).toBe(1), { timeout: 10_000 })

    await client.write(words, [{ key: 'a', value: '' }])
    await vi.waitFor(async () => expect((await hasty.get('a'))?.value).toBe(2), { timeout: 10_000 })
    await expect(short.get('a')).rejects.toThrow(expect.objectContaining({ code: 'STORE_NOT_READY' }))
    const waiting = usual.get('a')
    gate.resolve()
    expect((await waiting)?.value).toBe(2)
    const committed = await client.readUntil(counts, (records) => records.length >= 2)
    expect(committed.map(({ value }) => value)).toEqual([1, 2])
  })
  it('is refused at once, over HTTP with 503, where too many reads wait for the commit', async () => {
    gate = Promise.withResolvers()
    const { queries } = application
    const usual = queries.tableStore<string, number>('seen')
    const hasty = queries.tableStore<string, number>('seen', { isolation: 'read_uncommitted' })
    await client.write(
      words,
      ['', ''].map((value) => ({ key: 'b', value })),
    )
    await vi.waitFor(async () => expect((await hasty.get('b'))?.value).toBe(2), { timeout: 10_000 })
    const waiting = Array.from({ length: mostWaitingReads }, () => usual.get('b'))
    const refused: unknown = await usual.get('b').catch((error: unknown) => error)
    expect(problemOf(refused)).toMatchObject({
      status: 503,
      problem: { code: 'QUERIES_OVERLOADED', retryable: true },
    })
    gate.resolve()
    const values = new Set((await Promise.all(waiting)).map((row) => row?.value))
    expect(values).toEqual(new Set([2]))
  })
})
