import type { TrialResult } from '../trial.ts'
import { messageOf } from '../../../src/base/fault.ts'
import { trialsIn } from './find-trials.ts'
import { dirname } from 'node:path'

/** What the runner passes to the process of a trial. */
export interface TrialTask {
  readonly file: string
  readonly name: string
  readonly brokers: string
  readonly directory: string
}

/** The process of one trial. It sends the result to the runner, and ends with it if the runner is killed. */
const { file, name, brokers, directory } = JSON.parse(process.argv[2] as string) as TrialTask
const aborted = new AbortController()
const abort = (): void => aborted.abort(new Error('interrupted'))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort)
process.once('disconnect', () => {
  abort()
  setTimeout(() => process.exit(1), graceMs).unref()
})
const graceMs = 5_000

const run = async (): Promise<TrialResult> => {
  const trial = (await trialsIn(dirname(file))).find((each) => each.name === name)
  if (trial === undefined) throw new Error(`${file} has no trial ${name}`)
  return trial.run({
    brokers,
    directory,
    log: (line) => void process.stderr.write(`  ${line}\n`),
    signal: aborted.signal,
  })
}

const result = await run().catch((error: unknown): TrialResult => {
  process.stderr.write(`  ${error instanceof Error ? error.stack : String(error)}\n`)
  return { passed: false, measured: messageOf(error) }
})
process.send?.(result, () => process.exit(0))
