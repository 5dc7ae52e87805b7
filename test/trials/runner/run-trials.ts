import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '../../../src/broker/index.ts'
import { startKafka } from '../../support/kafka/start-kafka.ts'
import type { StartedKafka } from '../../support/kafka/started-kafka.ts'
import { onProcessEnd } from '../../support/on-process-end.ts'
import type { TrialResult } from '../trial.ts'
import type { FoundTrial } from './find-trials.ts'
import type { TrialTask } from './trial-process.ts'

/** A trial that was run. */
export interface TrialOutcome extends TrialResult {
  readonly trial: FoundTrial
  readonly durationMs: number
}

export interface RunTrialsOptions {
  /** A Kafka that runs already; without it, the first trial that needs one starts it. */
  readonly brokers?: string | undefined
  readonly log: (line: string) => void
  /** Ends the running trial and starts no other. */
  readonly signal: AbortSignal
}

/** Runs trials one after the other, each in a process of its own, and returns what they measured. */
export const runTrials = async (
  trials: readonly FoundTrial[],
  options: RunTrialsOptions,
): Promise<readonly TrialOutcome[]> => {
  await using kafka = new SharedKafka(options)
  const outcomes: TrialOutcome[] = []
  for (const [index, trial] of trials.entries()) {
    if (options.signal.aborted) break
    options.log(`[${index + 1}/${trials.length}] ${trial.name}: ${trial.finding}`)
    const startedMs = performance.now()
    const result = await withBroker(trial, kafka, (brokers) => runTrial(trial, brokers, options.signal))
    const durationMs = performance.now() - startedMs
    outcomes.push({ trial, ...result, durationMs })
    options.log(`  ${resultWord(result)} in ${(durationMs / 1_000).toFixed(1)} s: ${result.measured}`)
  }
  return outcomes
}

export const resultWord = ({ passed }: TrialResult): string => (passed ? 'passed' : 'FAILED')

/** The time an aborted trial has to end what it started. */
const graceMs = 20_000
const defaultTimeoutMs = 300_000

class SharedKafka implements AsyncDisposable {
  readonly #options: RunTrialsOptions
  #started: StartedKafka | undefined

  constructor(options: RunTrialsOptions) {
    this.#options = options
  }

  async brokers(): Promise<string> {
    if (this.#options.brokers !== undefined) return this.#options.brokers
    this.#started ??= await startKafka({ tell: this.#options.log })
    return this.#started.brokers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started?.close()
  }
}

const withBroker = async (
  { needs }: FoundTrial,
  kafka: SharedKafka,
  run: (brokers: string) => Promise<TrialResult>,
): Promise<TrialResult> => {
  switch (needs) {
    case 'own':
      return run('')
    case 'kafka':
      return run(await kafka.brokers())
    case 'embedded': {
      const broker = await startBroker()
      try {
        return await run(broker.bootstrapServers)
      } finally {
        await broker.close()
      }
    }
  }
}

const runTrial = async (trial: FoundTrial, brokers: string, signal: AbortSignal): Promise<TrialResult> => {
  const directory = await mkdtemp(join(tmpdir(), `millrace-trial-${trial.name}-`))
  const child = startProcess({ file: trial.file, name: trial.name, brokers, directory })
  const { timeoutMs = defaultTimeoutMs } = trial
  const timeout = AbortSignal.timeout(timeoutMs)
  const stopped = AbortSignal.any([signal, timeout])
  const stop = (): void => endInTime(child)
  stopped.addEventListener('abort', stop, { once: true })
  try {
    const result = await resultOf(child)
    return timeout.aborted
      ? { passed: false, measured: `not done after ${timeoutMs / 1_000} s (${result.measured})` }
      : result
  } finally {
    stopped.removeEventListener('abort', stop)
    killGroup(child)
    await rm(directory, { recursive: true, force: true })
  }
}

/** A process group of its own, so that one signal ends also what the trial has started. */
const startProcess = (task: TrialTask): ChildProcess => {
  const program = join(import.meta.dirname, 'trial-process.ts')
  return fork(program, [JSON.stringify(task)], {
    detached: true,
    execArgv: ['--expose-gc', '--max-semi-space-size=32'],
    stdio: ['ignore', 2, 2, 'ipc'],
  })
}

const endInTime = (child: ChildProcess): void => {
  child.kill('SIGTERM')
  const timer = setTimeout(() => killGroup(child), graceMs)
  child.once('exit', () => clearTimeout(timer))
}

const resultOf = (child: ChildProcess): Promise<TrialResult> => {
  const forget = onProcessEnd(() => killGroup(child))
  return new Promise((resolve) => {
    let result: TrialResult | undefined
    child.once('message', (message) => (result = message as TrialResult))
    child.once('exit', (code, signal) => {
      forget()
      resolve(result ?? { passed: false, measured: `the process of the trial ended (${code ?? signal})` })
    })
  })
}

const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of the group have ended.
  }
}
