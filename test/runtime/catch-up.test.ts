import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Topic } from '../../src/index.ts'
import {
  connect,
  long,
  refuses,
  saga,
  sagaTopology,
  start,
  string,
  succeeds,
  topic,
  topology,
  tumbling,
} from '../../src/index.ts'
import type { Clock } from '../../src/base/clock.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { startBroker } from '../../src/broker/index.ts'
import { CatchUp } from '../../src/runtime/catch-up.ts'
import type { RunningTask } from '../../src/runtime/running-task.ts'
import { TopicClient } from '../support/topic-client.ts'

/** One input of one task, with what the fetcher and the queue know of it. */
const world = (timeoutMs = 1_000) => {
  const clock = new ManualClock(0)
  const warnings: string[] = []
  const fields: unknown[] = []
  const input = {
    end: undefined as number | undefined,
    endRequest: 0,
    nextOffset: 0,
    size: 0,
    lag: 1,
    silentMs: 0,
  }
  const fetcher = {
    requests: 0,
    endOffsetSince: (_topic: string, _partition: number, request: number) =>
      input.endRequest < request ? undefined : input.end,
    lag: () => input.lag,
    silentMs: () => input.silentMs,
  }
  const running = {
    inputs: [{ topic: 'orders', partition: 0 }],
    task: { id: '0_0', queue: () => input },
  } as unknown as RunningTask
  const onWarning = (text: string, about: unknown): void => {
    warnings.push(text)
    fields.push(about)
  }
  const catchUp = new CatchUp({ fetcher, clock, timeoutMs, silenceMs: 1_500, onWarning })
  /** A fetch response that says where the input ends. */
  const answer = (end: number): void => {
    input.endRequest = ++fetcher.requests
    input.end = end
  }
  return { clock, warnings, fields, input, running, catchUp, answer }
}

describe('wall-clock work of a task', () => {
  it('waits after a start until the input is read to the end it had', () => {
    const { input, running, catchUp, answer } = world()
    expect(catchUp.isDone(running)).toBe(false)
    answer(10)
    input.nextOffset = 9
    expect(catchUp.isDone(running)).toBe(false)
    // What arrives meanwhile does not hold the clock up.
    answer(1_000)
    input.nextOffset = 10
    expect(catchUp.isDone(running)).toBe(true)
    answer(2_000)
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('waits again after a pause, for what has arrived in it', () => {
    const { input, running, catchUp, answer } = world()
    answer(0)
    expect(catchUp.isDone(running)).toBe(true)
    catchUp.resumed([running])
    // The answer is of a request from before.
    expect(catchUp.isDone(running)).toBe(false)
    answer(5)
    expect(catchUp.isDone(running)).toBe(false)
    input.nextOffset = 5
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('waits after a stall, for the ends that the inputs have then', () => {
    const { input, running, catchUp, answer } = world()
    answer(5)
    input.nextOffset = 5
    expect(catchUp.isDone(running)).toBe(true)
    catchUp.stalled([running], 100)
    answer(50)
    expect(catchUp.isDone(running)).toBe(false)
    input.nextOffset = 50
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('that waits already takes new ends after a stall, as records may have come in it', () => {
    const { input, running, catchUp, answer } = world()
    answer(5)
    expect(catchUp.isDone(running)).toBe(false)
    catchUp.stalled([running], 100)
    input.nextOffset = 5
    expect(catchUp.isDone(running)).toBe(false)
    answer(50)
    expect(catchUp.isDone(running)).toBe(false)
    input.nextOffset = 50
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('is not held up by many short stalls for longer than the timeout', () => {
    const { clock, running, catchUp, answer } = world(1_000)
    let waits = 0
    for (; !catchUp.isDone(running); waits++) {
      clock.advance(90)
      catchUp.stalled([running], 90)
      answer(10)
    }
    expect(waits).toBe(12)
  })

  it('gets its whole timeout again after a stall that took much of it', () => {
    const { clock, warnings, running, catchUp, answer } = world(1_000)
    answer(5)
    expect(catchUp.isDone(running)).toBe(false)
    clock.advance(5_000)
    catchUp.stalled([running], 5_000)
    answer(5)
    expect(catchUp.isDone(running)).toBe(false)
    clock.advance(999)
    expect(catchUp.isDone(running)).toBe(false)
    expect(warnings).toEqual([])
    clock.advance(1)
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('waits while the broker does not answer, however long, and then until its inputs are read', () => {
    const { clock, warnings, input, running, catchUp, answer } = world(1_000)
    answer(5)
    input.nextOffset = 5
    expect(catchUp.isDone(running)).toBe(true)
    input.silentMs = 1_501
    expect(catchUp.isDone(running)).toBe(false)
    clock.advance(60_000)
    expect(catchUp.isDone(running)).toBe(false)
    input.silentMs = 0
    answer(9)
    expect(catchUp.isDone(running)).toBe(false)
    input.nextOffset = 9
    expect(catchUp.isDone(running)).toBe(true)
    expect(warnings).toEqual([])
  })

  it('waits for a broker that does not answer at the start', () => {
    const { clock, input, running, catchUp } = world(1_000)
    expect(catchUp.isDone(running)).toBe(false)
    input.silentMs = 1_501
    clock.advance(2_000)
    expect(catchUp.isDone(running)).toBe(false)
  })

  it('runs where an offset was reset beyond records that are gone', () => {
    const { input, running, catchUp, answer } = world()
    answer(100)
    input.nextOffset = 5
    expect(catchUp.isDone(running)).toBe(false)
    input.lag = 0
    expect(catchUp.isDone(running)).toBe(true)
  })

  it('runs after the timeout, with a warning that names what is behind', () => {
    const { clock, warnings, fields, input, running, catchUp, answer } = world(1_000)
    answer(10)
    input.nextOffset = 4
    expect(catchUp.isDone(running)).toBe(false)
    clock.advance(1_000)
    expect(catchUp.isDone(running)).toBe(true)
    expect(warnings).toEqual([
      expect.stringMatching(
        /timers of task 0_0 run although .*orders-0 at 4 of 10.*wallClockCatchUpTimeoutMs/,
      ),
    ])
    const inputs = [{ topic: 'orders', partition: 0, offset: 4, endOffset: 10 }]
    expect(fields).toEqual([{ code: 'TIMERS_AHEAD', task: '0_0', inputs }])
  })
})

describe('an application that was away', { timeout: 20_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-catch-up-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const Id = z.object({ id: z.string() })
  const t = (name: string) => topic(name, { value: Id })

  it('completes sagas whose replies came in time, though it reads them after their deadline', async () => {
    const broker = await startBroker()
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    // The first run must end within this time, on a slow machine too.
    const timeoutMs = 3_000
    const all = ['requested', 'reserve', 'reserved', 'refused', 'release', 'released'].map(t)
    await client.createTopics(all)
    const order = sagaTopology(
      saga('order', {
        startedBy: t('requested'),
        timeout: timeoutMs,
        steps: (step) => ({
          reserve: step({
            command: { to: t('reserve'), value: ({ start: begun }) => begun },
            replies: { ok: succeeds(t('reserved')), no: refuses(t('refused')) },
            undo: {
              to: t('release'),
              value: ({ start: begun }) => begun,
              replies: { ok: succeeds(t('released')) },
            },
          }),
        }),
      }),
    )
    const run = async () => {
      const application = await start(
        order,
        { bootstrapServers: broker.bootstrapServers, stateDirectory: folder, maxPollRecords: 50 },
        { logger: false },
      )
      await application.waitFor('running')
      return application
    }
    const ids = Array.from({ length: 500 }, (_, n) => ({ key: `s${n}`, value: { id: `s${n}` } }))
    const first = await run()
    await client.write(t('requested'), ids)
    const begunMs = Date.now()
    await expect.poll(() => first.metrics.processedRecords).toBe(ids.length)
    await first.close()
    await client.write(t('reserved'), ids)
    await new Promise((resolve) => setTimeout(resolve, begunMs + timeoutMs - Date.now()))
    const second = await run()
    await expect.poll(() => second.metrics.processedRecords).toBe(ids.length)
    const states = new Set<string>()
    for await (const [, { status }] of second.queries
      .keyValueStore<string, { status: string }>('sagas')
      .all())
      states.add(status)
    expect([...states]).toEqual(['COMPLETED'])
    await second.close()
    await client.close()
    await broker.close()
  })

  it('runs no timer while its broker does not answer', async () => {
    const events = topic('silent-events', { value: string })
    const broker = await startBroker()
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    await client.createTopics([events])
    let timers = 0
    const ticking = topology('ticking', (builder) => {
      builder.stream(events).process((context) => {
        context.schedule(10, 'wallClock', () => void timers++)
        return { process: () => {} }
      })
    })
    const application = await start(
      ticking,
      { bootstrapServers: broker.bootstrapServers, stateDirectory: folder, fetchMaxWaitMs: 50 },
      { logger: false },
    )
    await application.waitFor('running')
    await expect.poll(() => timers).toBeGreaterThan(0)
    const restore = broker.core.onRequest('Fetch', () => ({ kind: 'error', error: 'NOT_LEADER_OR_FOLLOWER' }))
    let before = -1
    while (timers !== before) {
      before = timers
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    restore()
    await expect.poll(() => timers).toBeGreaterThan(before)
    await application.close()
    await client.close()
    await broker.close()
  })

  it('runs a punctuator after a pause only when what came in the pause is processed', async () => {
    const events = topic('events', { value: string })
    const broker = await startBroker()
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    await client.createTopics([events])
    const seen: string[] = []
    const watching = topology('watching', (builder) => {
      builder.stream(events).process((context) => {
        context.schedule(20, 'wallClock', () => void seen.push('timer'))
        return { process: ({ value }) => void seen.push(value) }
      })
    })
    const application = await start(
      watching,
      { bootstrapServers: broker.bootstrapServers, stateDirectory: folder, maxPollRecords: 10 },
      { logger: false },
    )
    await application.waitFor('running')
    await expect.poll(() => seen.length).toBeGreaterThan(0)
    application.pause()
    const values = Array.from({ length: 300 }, (_, n) => ({ key: 'k', value: `v${n}` }))
    await client.write(events, values)
    await new Promise((resolve) => setTimeout(resolve, 100))
    seen.length = 0
    application.resume()
    await expect.poll(() => seen.filter((each) => each !== 'timer').length).toBe(300)
    await expect.poll(() => seen.at(-1)).toBe('timer')
    expect(seen.indexOf('timer')).toBeGreaterThanOrEqual(300)
    await application.close()
    await client.close()
    await broker.close()
  })

  const counted = topic('counted', { value: long })
  /** Counts by windows that are emitted when they close. */
  const counting = (name: string, input: Topic<string, string>, size: number) =>
    topology(name, (builder) => {
      builder
        .stream(input)
        .groupByKey()
        .windowedBy(tumbling({ size }))
        .count({ store: 'counts', emit: 'onWindowClose' })
        .toStream()
        .map(({ key, value }) => ({ key: `${key.startMs}`, value }))
        .to(counted)
    })
  const closed = async (client: TopicClient): Promise<readonly (readonly [string, number | null])[]> =>
    (await client.readAll(counted)).map(({ key, value }) => [key, value])

  it('moves stream time of an idle task on after a start only when its backlog is processed', async () => {
    const broker = await startBroker()
    const client = new TopicClient(broker.bootstrapServers)
    const input = topic('large', { value: string })
    await client.create(input, counted)
    // A response has room for one record, so the task is idle before each, for longer than a window.
    const value = 'x'.repeat(700_000)
    for (let timestamp = 0; timestamp < 10; timestamp++)
      await client.write(input, [{ key: 'k', value, timestamp }])
    const restore = broker.core.onRequest('Fetch', ({ clientId }) =>
      clientId === 'test' ? undefined : { kind: 'delay', delayMs: 30 },
    )
    const application = await start(
      counting('after-start', input, 10),
      { bootstrapServers: broker.bootstrapServers, stateDirectory: folder, idleAdvanceMs: 1 },
      { logger: false },
    )
    await expect.poll(() => closed(client)).toEqual([['0', 10]])
    restore()
    await application.close()
    await client[Symbol.asyncDispose]()
    await broker.close()
  })

  it('moves stream time of an idle task on after a pause only when what came in the pause is processed', async () => {
    const broker = await startBroker()
    const client = new TopicClient(broker.bootstrapServers)
    const input = topic('paused', { value: string })
    await client.create(input, counted)
    let laterMs = 0
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonicMs: () => systemClock.monotonicMs() + laterMs,
      setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs),
    }
    const idleAdvanceMs = 30_000
    const application = await start(
      counting('after-pause', input, idleAdvanceMs),
      {
        bootstrapServers: broker.bootstrapServers,
        stateDirectory: folder,
        idleAdvanceMs,
        sessionTimeoutMs: 10 * idleAdvanceMs,
        requestTimeoutMs: 10 * idleAdvanceMs,
        rebalanceTimeoutMs: 10 * idleAdvanceMs,
      },
      { logger: false, clock },
    )
    await application.waitFor('running')
    const write = (count: number): Promise<void> =>
      client.write(
        input,
        Array.from({ length: count }, () => ({ key: 'k', value: 'v', timestamp: 1 })),
      )
    await write(1)
    await expect.poll(() => application.metrics.processedRecords).toBe(1)
    application.pause()
    laterMs = idleAdvanceMs + 1
    await write(100)
    application.resume()
    await expect.poll(() => application.metrics.processedRecords).toBe(101)
    laterMs *= 2
    await expect.poll(() => closed(client)).toEqual([['0', 101]])
    await application.close()
    await client[Symbol.asyncDispose]()
    await broker.close()
  })
})
