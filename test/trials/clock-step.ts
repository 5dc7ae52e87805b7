import { hours, seconds } from '../../src/base/duration.ts'
import type { Application } from '../../src/index.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'
import type { Trial, TrialContext, TrialResult } from './trial.ts'

/**
 * The machine's clock is set forward and back under an application with default settings, as by NTP or when a virtual
 * machine resumes. `Date.now` of this process is what steps; Node's timers and the broker go on.
 */
type Guarantee = 'exactly_once' | 'at_least_once'

const longestStandstillMs = seconds(3)
const longestCloseMs = seconds(10)
const watchMs = seconds(4)

/** Each step starts from the right time or leads back to it. */
const steps = [seconds(30), -seconds(30), -seconds(30), seconds(30), hours(1), -hours(1), -hours(1), hours(1)]

export const trials: readonly Trial[] = (['exactly_once', 'at_least_once'] as const).map((guarantee) => ({
  name: `clock-step-${guarantee.replaceAll('_', '-')}`,
  finding: `the machine’s clock is set by 30 s and by 1 h, forward and back, ${guarantee}`,
  bound: 'standstill under 3 s; no lost membership; every record counted; close() returns',
  needs: 'kafka',
  run: (context) => run(guarantee, context),
}))

const run = async (guarantee: Guarantee, { brokers, directory, log }: TrialContext): Promise<TrialResult> => {
  const machineNow = Date.now.bind(Date)
  let offsetMs = 0
  Date.now = () => machineNow() + offsetMs
  const words = topic(`clock-${guarantee}-words`, { value: string })
  const counts = topic(`clock-${guarantee}-counts`, { value: long })
  await using client = new TopicClient(brokers)
  await client.create(words, counts)
  const warnings: string[] = []
  const states: string[] = []
  const application = await start(
    topology(`clock-${guarantee}`, (builder) => {
      builder.stream(words).groupByKey().count({ store: 'words' }).toStream().to(counts)
    }),
    { bootstrapServers: brokers, stateDirectory: directory, processingGuarantee: guarantee },
    {
      logger: false,
      onWarning: (warning) => void warnings.push(warning),
      onState: (state) => void states.push(state),
    },
  )
  await application.waitFor('running')
  states.length = 0
  const load = new Load((value) => client.write(words, [{ key: 'k', value, timestamp: machineNow() }]))
  let standstillMs = 0
  for (const byMs of steps) {
    offsetMs += byMs
    const stoodMs = await longestWithoutCommit(application, watchMs)
    log(`clock ${byMs > 0 ? '+' : ''}${byMs / 1_000} s: longest time without a commit ${stoodMs} ms`)
    standstillMs = Math.max(standstillMs, stoodMs)
  }
  const written = await load.end()
  const records = await client.readUntil(counts, (all) => (all.at(-1)?.value ?? 0) >= written)
  const lost = states.filter((state) => state !== 'running')
  offsetMs -= hours(1)
  const closeBegunMs = performance.now()
  await application.close({ timeoutMs: longestCloseMs * 2 })
  const closeMs = Math.round(performance.now() - closeBegunMs)
  for (const warning of warnings) log(`WARN ${warning}`)
  const isCounted = records.at(-1)?.value === written
  return {
    passed: isCounted && standstillMs < longestStandstillMs && closeMs < longestCloseMs && lost.length === 0,
    measured: `${steps.length} steps, ${written} records; standstill ${standstillMs} ms; ${lost.length} changes of state; ${warnings.length} warnings; close ${closeMs} ms${isCounted ? '' : '; counts wrong'}`,
  }
}

/** Some fifty records a second. */
class Load {
  #written = 0
  #isOver = false
  readonly #ended: Promise<void>

  constructor(write: (value: string) => Promise<void>) {
    this.#ended = this.#run(write)
  }

  async end(): Promise<number> {
    this.#isOver = true
    await this.#ended
    return this.#written
  }

  async #run(write: (value: string) => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await write(`word ${this.#written}`)
      this.#written++
      await pause(20)
    }
  }
}

const longestWithoutCommit = async (application: Application, durationMs: number): Promise<number> => {
  const endMs = performance.now() + durationMs
  let [commits, sinceMs, longestMs] = [application.metrics.commits, performance.now(), 0]
  while (performance.now() < endMs) {
    await pause(10)
    longestMs = Math.max(longestMs, performance.now() - sinceMs)
    if (application.metrics.commits === commits) continue
    commits = application.metrics.commits
    sinceMs = performance.now()
  }
  return Math.round(longestMs)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
