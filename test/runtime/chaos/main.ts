import { parseArgs } from 'node:util'
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
 *
 *     npm run chaos -- [--kills 50] [--seed 7] [--guarantee exactly_once] [--rate 1000] [--rounds 3]
 *
 * `--kills 0` leaves the crashes out, `--rounds 0` the measurement.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
    guarantee: { type: 'string', default: 'exactly_once,at_least_once' },
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

type Guarantee = ChaosRunOptions['guarantee']

const crash = async (guarantee: Guarantee, seed: number, kills: number): Promise<boolean> => {
  say(`\n=== crashes under ${guarantee}, seed ${seed}`)
  await using kafka = await startKafka({ via: 'jars', exclusive: true, properties: chaosBroker })
  await using run = await ChaosRun.start(kafka, {
    guarantee,
    seed,
    ratePerSecond: Number(values.rate),
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
    ...{ ratePerSecond: Number(values.rate), tell: say },
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

const guaranteeOf = (text: string): Guarantee => {
  if (text === 'exactly_once' || text === 'at_least_once') return text
  throw new Error(`--guarantee is exactly_once or at_least_once, not ${text}`)
}

const [seed, kills, rounds] = [Number(values.seed), Number(values.kills), Number(values.rounds)]
for (const guarantee of values.guarantee.split(',').map(guaranteeOf)) {
  if (kills > 0 && !(await crash(guarantee, seed, kills))) process.exitCode = 1
  if (rounds > 0 && !(await measure(guarantee, seed, rounds))) process.exitCode = 1
}
