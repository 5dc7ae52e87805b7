import { tableOf } from '../../bench/table.ts'
import { brokersOption, npmCommand, someOption } from '../support/command-options.ts'
import { trialsIn } from './runner/find-trials.ts'
import { resultWord, runTrials } from './runner/run-trials.ts'

/**
 * `npm run trials`: the long tests under slow, broken and hostile conditions. Progress goes to standard error, the table
 * of results to standard output.
 */
interface TrialsOptions {
  readonly only: readonly string[]
  readonly list?: boolean
  readonly brokers?: string
}

const trials = await trialsIn(import.meta.dirname)
const values = npmCommand('trials')
  .description(
    'Tries to stop, hang or corrupt applications in ways that take minutes or a broker of their own. ' +
      'Ends with 1 where a bound does not hold.',
  )
  .addOption(
    someOption(
      '--only <names>',
      'the trials to run',
      trials.map(({ name }) => name),
    ),
  )
  .option('--list', 'print the trials with their bounds, and run none')
  .addOption(brokersOption())
  .addHelpText(
    'after',
    '\nCrashes of processes and brokers: npm run chaos. Leaks over minutes of load: npm run soak.',
  )
  .parse()
  .opts<TrialsOptions>()

const chosen = trials.filter(({ name }) => values.only.includes(name))
const print = (head: readonly string[], rows: readonly (readonly string[])[]): void =>
  void process.stdout.write(`${tableOf(head, rows, 'text')}\n`)

const main = async (): Promise<void> => {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const outcomes = await runTrials(chosen, {
    brokers: values.brokers,
    log: (line) => void process.stderr.write(`${line}\n`),
    signal: interrupted.signal,
  })
  print(
    ['trial', 'bound', 'measured', 'result'],
    outcomes.map(({ trial, ...result }) => [
      trial.name,
      trial.bound,
      result.measured.replaceAll(/\s+/g, ' '),
      resultWord(result),
    ]),
  )
  if (interrupted.signal.aborted) process.exitCode = 130
  else if (!outcomes.every(({ passed }) => passed)) process.exitCode = 1
}

if (values.list === true)
  print(
    ['trial', 'finding', 'bound', 'needs'],
    chosen.map(({ name, finding, bound, needs }) => [name, finding, bound, needs]),
  )
else await main()
