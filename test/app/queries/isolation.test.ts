import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningBroker } from '../../../src/broker/index.ts'
import { startBroker } from '../../../src/broker/index.ts'
import type { Application } from '../../../src/index.ts'
import { long, start, string, topic, topology } from '../../../src/index.ts'
import { CommittedReads } from '../../../src/runtime/committed-reads.ts'
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
})

describe('committed reads', () => {
  it('wait for the commit and read within it, so that nothing comes in between', async () => {
    let state = 'clean'
    const reads = new CommittedReads(() => state === 'clean')
    const seen: string[] = []
    const read = (): number => seen.push(state)
    await reads.run(read)
    state = 'dirty'
    const late = reads.run(read)
    expect(seen).toEqual(['clean'])
    state = 'clean'
    reads.release()
    state = 'dirty again'
    await late
    expect(seen).toEqual(['clean', 'clean'])
  })

  it('a read that fails is told to whoever asked, and to nobody else', async () => {
    let isClean = false
    const reads = new CommittedReads(() => isClean)
    const bad = reads.run(() => {
      throw new Error('no such row')
    })
    const good = reads.run(() => 'here')
    isClean = true
    reads.release()
    await expect(bad).rejects.toThrow('no such row')
    expect(await good).toBe('here')
  })
})
