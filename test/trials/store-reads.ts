import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Application } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { median } from '../../bench/median.ts'
import { pause } from '../runtime/chaos/chaos-run.ts'
import { freePort } from '../support/free-port.ts'
import { TopicClient } from '../support/topic-client.ts'
import type { Trial, TrialContext, TrialResult } from './trial.ts'

/** Pages over HTTP of a table on disk, whose rows are cached too, while its application counts. */
const rowCount = 300_000
const pagesAtOnce = 40
const longestPagingMs = 3_000
const longestBlockMs = 200
const longestPrefixMs = 1

const words = topic('trial-read-words', { value: string })
const program = topology('trial-reads', (builder) => {
  builder.stream(words).groupByKey().count({ store: 'counts' })
})

const run = async (
  guarantee: 'exactly_once' | 'at_least_once',
  { brokers, directory, log, signal }: TrialContext,
): Promise<TrialResult> => {
  const port = await freePort()
  const states: string[] = []
  await using client = new TopicClient(brokers)
  await client.create(words)
  await writeWords(client, rowCount)
  log(`wrote ${rowCount} words`)
  const application = await start(
    program,
    {
      bootstrapServers: brokers,
      applicationId: `trial-reads-${guarantee.replaceAll('_', '-')}`,
      stateDirectory: directory,
      processingGuarantee: guarantee,
      autoOffsetReset: 'earliest',
      queryListen: `127.0.0.1:${port}`,
    },
    { logger: false, onState: (state) => states.push(state) },
  )
  try {
    const entries = `http://127.0.0.1:${port}/stores/counts/entries`
    await untilCounted(application, signal)
    log('counted; reading the first page')
    const first = await timed(() => page(`${entries}?limit=10`))
    const paging = await timed(() => readAll(entries))
    const prefixMs = await medianPrefixMs(application)
    const before = states.length
    const burst = await underLoad(client, () =>
      timed(() => Promise.all(Array.from({ length: pagesAtOnce }, () => page(`${entries}?limit=10`)))),
    )
    const stayed = states.length === before && application.state === 'running'
    return {
      passed:
        paging.result === rowCount &&
        paging.tookMs < longestPagingMs &&
        prefixMs < longestPrefixMs &&
        burst.blockMs < longestBlockMs &&
        burst.result.every(({ rows }) => rows === 10) &&
        stayed,
      measured: [
        `first page ${ms(first.tookMs)} (blocked ${ms(first.blockMs)})`,
        `${paging.result} rows in ${ms(paging.tookMs)} (blocked ${ms(paging.blockMs)})`,
        `a prefix of 10 rows in ${prefixMs.toFixed(2)} ms`,
        `${pagesAtOnce} pages at once in ${ms(burst.tookMs)} (blocked ${ms(burst.blockMs)})`,
        stayed ? 'the member stayed' : `states ${states.slice(before).join(', ')}`,
      ].join('; '),
    }
  } finally {
    await application.close({ timeoutMs: 10_000 })
  }
}

export const trials: readonly Trial[] = (['exactly_once', 'at_least_once'] as const).map((guarantee) => ({
  name: `store-reads-${guarantee.replaceAll('_', '-')}`,
  finding: `${pagesAtOnce} pages at once of a table of ${rowCount} rows, ${guarantee}`,
  bound: `the member stays; no block over ${longestBlockMs} ms; all rows in pages of 1,000 under ${longestPagingMs} ms, a prefix of 10 rows under ${longestPrefixMs} ms`,
  needs: 'embedded',
  run: (context) => run(guarantee, context),
}))

/** In the process itself: a request takes longer than such a read. */
const medianPrefixMs = async (application: Application): Promise<number> => {
  const store = application.queries.tableStore<string, number>('counts', { scope: 'local' })
  const times: number[] = []
  for (let time = 0; time < 101; time++) {
    const prefix = `word-${String(time * 2_800 + 10_000)
      .slice(0, -1)
      .padStart(8, '0')}`
    const beganMs = performance.now()
    let rows = 0
    for await (const _ of store.prefix(prefix)) rows++
    times.push(performance.now() - beganMs)
    if (rows !== 10) throw new Error(`the prefix ${prefix} has ${rows} rows`)
  }
  return median(times)
}

const writeWords = async (client: TopicClient, count: number): Promise<void> => {
  for (let from = 0; from < count; from += 10_000)
    await client.write(
      words,
      Array.from({ length: Math.min(10_000, count - from) }, (_, index) => ({
        key: `word-${String(from + index).padStart(9, '0')}`,
        value: '',
      })),
    )
}

const untilCounted = async (application: Application, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted && application.metrics.processedRecords < rowCount) await pause(100)
  // The rows are committed, and written to the disk by then.
  await pause(3_000)
}

/** Runs `work` while records come in. */
const underLoad = async <T>(client: TopicClient, work: () => Promise<T>): Promise<T> => {
  let isOver = false
  const load = (async () => {
    while (!isOver) {
      await writeWords(client, 200)
      await pause(10)
    }
  })()
  try {
    await pause(500)
    return await work()
  } finally {
    isOver = true
    await load
  }
}

const page = async (url: string): Promise<{ readonly rows: number; readonly after: string | undefined }> => {
  const response = await fetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status}: ${text}`)
  // The text is not parsed: that would block the same thread.
  return {
    rows: text.split('"partition"').length - 1,
    after: /"after":"([^"]*)"/.exec(text.slice(-2_000))?.[1],
  }
}

const readAll = async (entries: string): Promise<number> => {
  let total = 0
  for (let after: string | undefined = ''; after !== undefined;) {
    const read = await page(`${entries}?limit=1000${after === '' ? '' : `&after=${after}`}`)
    total += read.rows
    after = read.after
  }
  return total
}

const timed = async <T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly tookMs: number; readonly blockMs: number }> => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const beganMs = performance.now()
  delay.enable()
  const result = await work()
  await pause(20)
  delay.disable()
  return { result, tookMs: performance.now() - beganMs - 20, blockMs: delay.max / 1e6 }
}

const ms = (duration: number): string => `${Math.round(duration)} ms`
