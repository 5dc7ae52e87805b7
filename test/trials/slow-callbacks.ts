import { performance } from 'node:perf_hooks'
import type { Application, Topology } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'
import type { Trial, TrialContext, TrialResult } from './trial.ts'

/**
 * Callbacks that take CPU, and hundreds of tasks at once: with default settings the application commits all along, stays in
 * its group, and its event loop is never blocked for longer than 200 ms and a record.
 */
interface SlowTrial {
  readonly name: string
  readonly finding: string
  readonly partitions: number
  readonly records: number
  readonly callbackMs: number
  /** Tasks have a store on disk each. */
  readonly isStateful: boolean
}

const longestBlockMs = 200
/** The last commit may be followed by records for this long. */
const longestWithoutCommitMs = 2_000

const cases: readonly SlowTrial[] = [
  {
    name: 'slow-callback',
    finding: 'a callback that takes 12 ms of CPU for each record, over one partition',
    ...{ partitions: 1, records: 3_000, callbackMs: 12, isStateful: false },
  },
  {
    name: 'slow-callback-48-partitions',
    finding: 'a callback that takes 0.4 ms of CPU for each record, over 48 partitions',
    ...{ partitions: 48, records: 60_000, callbackMs: 0.4, isStateful: false },
  },
  {
    name: 'thousand-tasks',
    finding: '1,000 tasks with state that are opened and closed at once',
    ...{ partitions: 1_000, records: 20_000, callbackMs: 0, isStateful: true },
  },
]

const busyMs = (durationMs: number): void => {
  for (const endMs = performance.now() + durationMs; performance.now() < endMs;);
}

const programOf = ({ name, partitions, callbackMs, isStateful }: SlowTrial): Topology =>
  topology(`trial-${name}`, (builder) => {
    const stream = builder.stream(inputOf(name, partitions)).peek(() => busyMs(callbackMs))
    if (isStateful) stream.groupByKey().count({ store: 'counts' })
    else stream.forEach(() => undefined)
  })

const inputOf = (name: string, partitions: number) => topic(`trial-${name}`, { value: string, partitions })

const run = async (each: SlowTrial, context: TrialContext): Promise<TrialResult> => {
  const { brokers, directory, log } = context
  const input = inputOf(each.name, each.partitions)
  const client = new TopicClient(brokers)
  await client.create(input)
  for (let written = 0; written < each.records; written += 1_000)
    await client.write(
      input,
      Array.from({ length: 1_000 }, (_, index) => ({ key: `k${written + index}`, value: 'x' })),
    )
  await client[Symbol.asyncDispose]()
  log(`wrote ${each.records} records`)
  const states: string[] = []
  const warnings: string[] = []
  const blocks = watchBlocks()
  const application = await start(
    programOf(each),
    { bootstrapServers: brokers, stateDirectory: directory },
    {
      onState: (state) => void states.push(state),
      onWarning: (message) => void warnings.push(message),
      logger: false,
    },
  )
  const { tookMs, longestMs } = await untilProcessed(application, each.records, context)
  const { processedRecords, commits } = application.metrics
  await application.close()
  const { cpuMs, wallMs } = blocks.end()
  const rounds = states.filter((state) => state === 'running').length
  const removed = warnings.filter((message) => message.includes('without this member')).length
  const passed =
    processedRecords === each.records &&
    removed === 0 &&
    longestMs < longestWithoutCommitMs &&
    cpuMs < longestBlockMs + each.callbackMs
  return {
    passed,
    measured: `${processedRecords} processed, ${commits} commits over ${Math.round(tookMs / 1_000)} s, at most ${longestMs} ms between two; worst block ${cpuMs} ms of CPU (${wallMs} ms with what else the machine did); running ${rounds} times, removed ${removed} times`,
  }
}

/** The longest the event loop was blocked, by the CPU time of this thread: other processes do not count. */
const watchBlocks = (): { end(): { readonly cpuMs: number; readonly wallMs: number } } => {
  let cpuMs = 0
  let wallMs = 0
  let before = { cpuMs: threadCpuMs(), wallMs: performance.now() }
  const timer = setInterval(() => {
    const now = { cpuMs: threadCpuMs(), wallMs: performance.now() }
    cpuMs = Math.max(cpuMs, now.cpuMs - before.cpuMs)
    wallMs = Math.max(wallMs, now.wallMs - before.wallMs)
    before = now
  }, 1)
  return {
    end: () => {
      clearInterval(timer)
      return { cpuMs: Math.round(cpuMs), wallMs: Math.round(wallMs) }
    },
  }
}

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** How long it took, and the longest time between two commits once the first records were processed. */
interface Progress {
  readonly tookMs: number
  readonly longestMs: number
}

const untilProcessed = async (
  application: Application,
  records: number,
  { log, signal }: TrialContext,
): Promise<Progress> => {
  const beganMs = performance.now()
  let longestMs = 0
  let loggedMs = beganMs
  for (let commits = 0, sinceMs = 0; application.metrics.processedRecords < records;) {
    if (signal.aborted || application.state === 'failed')
      throw new Error(`${application.metrics.processedRecords} of ${records} were processed`, {
        cause: application.failure,
      })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const nowMs = performance.now()
    if (application.metrics.processedRecords === 0 || application.metrics.commits > commits) {
      commits = application.metrics.commits
      sinceMs = nowMs
    }
    longestMs = Math.max(longestMs, nowMs - sinceMs)
    if (nowMs - loggedMs < 10_000) continue
    loggedMs = nowMs
    log(`${application.metrics.processedRecords} processed, ${commits} commits`)
  }
  return { tookMs: performance.now() - beganMs, longestMs: Math.round(longestMs) }
}

export const trials: readonly Trial[] = cases.map((each) => ({
  name: each.name,
  finding: each.finding,
  bound: `commits all along, the member stays, no block over ${longestBlockMs} ms and a record`,
  needs: 'kafka',
  run: (context) => run(each, context),
}))
