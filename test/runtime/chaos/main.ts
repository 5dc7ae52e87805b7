import { wholeNumber } from '../../../src/cli/options.ts'
import { npmCommand, someOption } from '../../support/command-options.ts'
import { startKafka } from '../../support/kafka/start-kafka.ts'
import type { ChaosRunOptions } from './chaos-run.ts'
import { chaosBroker, ChaosRun, sessionTimeoutMs } from './chaos-run.ts'
import { planOf } from './plan.ts'
import { comeAndGo, rebalanceLines } from './rebalances.ts'
import { reportOf } from './report.ts'

/**
 * `npm run chaos`: the long form of the crash tests, on a broker of its own from the jars. It tells each thing that it
 * does, what came of it, and ends with 1 where anything is wrong. The same seed plans the same run. At the end it
 * measures what a process costs the others that comes or goes in good order, with the default settings.
 */
interface ChaosOptions {
  readonly kills: number
  readonly rounds: number
  readonly seed?: number
  readonly repeat: number
  readonly guarantee: readonly Guarantee[]
  readonly rate: number
}

type Guarantee = ChaosRunOptions['guarantee']
const guarantees = ['exactly_once', 'at_least_once'] as const

const values = npmCommand('chaos')
  .description(
    'Kills, stops and closes processes of a group at random instants, and kills its broker. ' +
      'Ends with 1 where a record is lost or counted twice.',
  )
  .option('--kills <number>', 'SIGKILLs under each guarantee; 0 leaves the crashes out', wholeNumber(0), 50)
  .option('--rounds <number>', 'times that a process comes and goes in good order', wholeNumber(0), 3)
  .option('--seed <number>', 'plans the same run again (default: a random one)', wholeNumber(0))
  .option(
    '--repeat <number>',
    'that many runs, each with another seed, until one goes wrong',
    wholeNumber(1),
    1,
  )
  .addOption(someOption('--guarantee <names>', 'under which guarantee', guarantees))
  .option('--rate <number>', 'records per second that are written meanwhile', wholeNumber(1), 1_000)
  .parse()
  .opts<ChaosOptions>()

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const crash = async (guarantee: Guarantee, seed: number, kills: number): Promise<boolean> => {
  say(`\n=== crashes under ${guarantee}, seed ${seed}`)
  await using kafka = await startKafka({ via: 'jars', exclusive: true, properties: chaosBroker })
  await using run = await ChaosRun.start(kafka, {
    guarantee,
    seed,
    ratePerSecond: values.rate,
    tell: say,
  })
  const few = Math.ceil(kills / 10)
  await run.disturb(
    planOf(seed, run.members.length, {
      kills,
      leaves: few,
      stopsMs: Array.from({ length: few }, (_, index) => sessionTimeoutMs * (index % 2 === 0 ? 0.5 : 1.5)),
      brokerKills: few,
      brokerRestarts: Math.ceil(few / 2),
    }),
  )
  const problems = await run.finish(300_000)
  say(reportOf(run))
  return tellProblems(run, problems)
}

const measure = async (guarantee: Guarantee, seed: number, rounds: number): Promise<boolean> => {
  say(`\n=== processes that come and go under ${guarantee}, default settings`)
  await using kafka = await startKafka({ via: 'jars', exclusive: true })
  await using run = await ChaosRun.start(kafka, {
    ...{ guarantee, seed, members: 2, staticMembers: 0, settings: {} },
    ...{ ratePerSecond: values.rate, tell: say },
  })
  await comeAndGo(run, rounds)
  const problems = await run.finish()
  for (const line of rebalanceLines(run)) say(line)
  return tellProblems(run, problems)
}

const tellProblems = (run: ChaosRun, problems: readonly string[]): boolean => {
  if (problems.length > 0) say(run.story())
  for (const problem of problems) say(`WRONG: ${problem}`)
  say(problems.length === 0 ? 'nothing is wrong' : `${problems.length} problems`)
  return problems.length === 0
}

/** True where nothing is wrong under any guarantee. */
const runOnce = async (seed: number): Promise<boolean> => {
  let isRight = true
  for (const guarantee of values.guarantee) {
    if (values.kills > 0) isRight = (await crash(guarantee, seed, values.kills)) && isRight
    if (values.rounds > 0) isRight = (await measure(guarantee, seed, values.rounds)) && isRight
  }
  return isRight
}

const firstSeed = values.seed ?? crypto.getRandomValues(new Uint32Array(1)).reduce((seed) => seed)
for (let run = 0; run < values.repeat; run++)
  if (!(await runOnce(firstSeed + run))) {
    process.exitCode = 1
    break
  }
