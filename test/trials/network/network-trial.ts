import { ChaosRun, pause } from '../../runtime/chaos/chaos-run.ts'
import {
  problemsAtLeastOnce,
  problemsExactlyOnce,
  repeatedCopies,
  type Outcome,
} from '../../runtime/chaos/outcome.ts'
import { standstills } from '../../runtime/chaos/progress.ts'
import { outputsOf } from '../../runtime/chaos/report.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { freePort } from '../../support/free-port.ts'
import { startKafka } from '../../support/kafka/start-kafka.ts'
import type { StartedKafka } from '../../support/kafka/started-kafka.ts'
import type { Trial, TrialContext, TrialResult } from '../trial.ts'
import { committedOutcome } from './console-consumer.ts'
import type { NetworkFault } from './network-faults.ts'

/**
 * An application copies and counts events under default settings while the network between it and Kafka is bad. What it
 * wrote is verified by Kafka's own console consumer, which reads what is committed.
 */
export type Guarantee = 'exactly_once' | 'at_least_once'

export const networkTrial = (fault: NetworkFault, guarantee: Guarantee): Trial => ({
  name: `network-${fault.name}-${guarantee.replaceAll('_', '-')}`,
  finding: `${fault.finding}, ${guarantee}`,
  bound: `nothing lost${guarantee === 'exactly_once' ? ', nothing doubled, counts exact' : ''}; standstill under ${seconds(fault.longestStandstillMs)}`,
  needs: 'own',
  timeoutMs: 240_000,
  run: (context) => run(fault, guarantee, context),
})

const ratePerSecond = 300
/** Long enough for the first transactions, so that the fault meets an application under steady load. */
const beforeMs = 3_000
const afterMs = 5_000
const finishTimeoutMs = 60_000

const run = async (
  fault: NetworkFault,
  guarantee: Guarantee,
  context: TrialContext,
): Promise<TrialResult> => {
  const { log, signal } = context
  const direct = `127.0.0.1:${await freePort()}`
  await using proxy = await FaultProxy.start({ target: direct })
  await using kafka = await kafkaBehind(proxy, direct)
  await using chaos = await ChaosRun.start(kafka, {
    ...{ guarantee, seed: 1, members: 1, staticMembers: 0, ratePerSecond, tell: log },
    settings: { bootstrapServers: proxy.address },
  })
  const { promise: interrupted, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true })
  const problems = await Promise.race([interrupted, suffer(chaos, fault, proxy, kafka)])
  const { words } = chaos.outcome
  const outcome = { words, ...(await Promise.race([interrupted, committedOutcome(kafka.brokers)])) }
  return resultOf(chaos, fault, outcome, [...problems, ...problemsOf[guarantee](outcome)], log)
}

const problemsOf = { exactly_once: problemsExactlyOnce, at_least_once: problemsAtLeastOnce }

/** Kafka with a second listener, which names the proxy to its clients. Members use that one, everything else the first. */
const kafkaBehind = (proxy: FaultProxy, address: string): Promise<StartedKafka> =>
  startKafka({
    via: 'jars',
    exclusive: true,
    listeners: [{ name: 'PROXIED', protocol: 'PLAINTEXT', address, advertised: proxy.address }],
  })

const suffer = async (
  chaos: ChaosRun,
  fault: NetworkFault,
  proxy: FaultProxy,
  kafka: StartedKafka,
): Promise<readonly string[]> => {
  await pause(beforeMs)
  chaos.mark(fault.finding)
  await fault.happen(proxy, kafka)
  chaos.mark('the network is whole again')
  await pause(afterMs)
  return chaos.finish(finishTimeoutMs)
}

const resultOf = (
  chaos: ChaosRun,
  fault: NetworkFault,
  outcome: Outcome,
  problems: readonly string[],
  log: (line: string) => void,
): TrialResult => {
  const standstillMs = longestStandstillMs(chaos)
  const copied = new Set(outcome.copies.map(({ event }) => event)).size
  if (problems.length > 0) log(chaos.story(60))
  for (const problem of problems) log(`WRONG: ${problem}`)
  return {
    passed: problems.length === 0 && standstillMs <= fault.longestStandstillMs,
    measured: [
      `${outcome.words.length} events: ${outcome.words.length - copied} lost, ${repeatedCopies(outcome)} repeated`,
      problems.length === 0 ? 'counts right' : `${problems.length} problems (${problems[0]})`,
      `standstill ${seconds(standstillMs)}`,
    ].join('; '),
  }
}

const longestStandstillMs = (chaos: ChaosRun): number => {
  const { stateless, counting } = outputsOf(chaos)
  const all = [...standstills(stateless, chaos.marks), ...standstills(counting, chaos.marks)]
  return Math.max(0, ...all.map(({ longestMs }) => longestMs))
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms % 1_000 === 0 ? 0 : 1)} s`
