import { join } from 'node:path'
import { Option } from 'commander'
import { messageOf } from '../src/base/fault.ts'
import { wholeNumber } from '../src/cli/options.ts'
import { brokersOption, npmCommand, someOf, someOption } from '../test/support/command-options.ts'
import { startKafka } from '../test/support/kafka/start-kafka.ts'
import { runToEnd } from '../test/support/run-process.ts'
import { growthSections } from './growth/cases.ts'
import { measureGrowth } from './growth/measure.ts'
import type { Latency } from './latency.ts'
import { latencyRecords, LatencyProbe } from './latency.ts'
import { millraceFlags } from './millrace-flags.ts'
import type { PeerResult } from './peers/peer-options.ts'
import type { Guarantee, Workload } from './peers/workloads.ts'
import { guarantees, isStateless, topicsOf, workloads } from './peers/workloads.ts'
import type { Row } from './report.ts'
import { medianOf, tableOfRows } from './report.ts'
import { BenchTopics, order } from './topics.ts'

/**
 * `npm run bench`: Millrace, Kafka Streams on the JVM and a plain kafkajs loop at the same workloads, one after the
 * other in the same run, each in a process of its own; `--help` tells the options. Millrace runs with the bound of the
 * young generation that its README advises, as Kafka Streams does with a bound of its heap.
 */
const runners = {
  millrace: 'millrace-run.ts',
  'kafka-streams': 'peers/kafka-streams.ts',
  kafkajs: 'peers/kafkajs-loop.ts',
} as const
type Runner = keyof typeof runners
const runnerNames = Object.keys(runners) as Runner[]

interface BenchOptions {
  readonly growth?: boolean | readonly string[]
  readonly brokers?: string
  readonly workload: readonly Workload[]
  readonly records: number
  readonly runs: number
  readonly only: readonly Runner[]
  readonly guarantee?: Guarantee
  readonly latencySeconds: number
}

const values = npmCommand('bench')
  .description(
    'Measures Millrace against Kafka Streams on the JVM and a plain kafkajs loop, and prints a table. ' +
      'Each run is told on standard error as it ends; the whole takes half an hour.',
  )
  .addOption(someOption('--workload <names>', 'what is measured', workloads))
  .addOption(someOption('--only <names>', 'who is measured', runnerNames))
  .option('--runs <number>', 'runs of each, of which the median counts', wholeNumber(1), 3)
  .option('--records <number>', 'orders that a run processes', wholeNumber(1), 1_000_000)
  .addOption(
    new Option('--guarantee <name>', 'one guarantee (default: those of the workload)').choices(guarantees),
  )
  .option('--latency-seconds <number>', 'how long a run of W7 is watched', wholeNumber(1), 10)
  .option(
    '--growth [names]',
    `what Millrace alone costs instead as these grow: ${growthSections.join(', ')}`,
    someOf(growthSections),
  )
  .addOption(brokersOption())
  .parse()
  .opts<BenchOptions>()

/** A workload under a guarantee; W3 and what goes at a pace are measured under both. */
interface Case {
  readonly workload: Workload
  readonly guarantee: Guarantee
}

const main = async (): Promise<void> => {
  await using kafka = values.brokers === undefined ? await startKafka({ via: 'jars' }) : undefined
  const brokers = values.brokers ?? kafka?.brokers ?? ''
  if (values.growth !== undefined)
    return measureGrowth(brokers, typeof values.growth === 'object' ? values.growth : undefined)
  await using topics = new BenchTopics(brokers)
  await topics.connect()
  const rows: Row[] = []
  for (const each of values.workload.flatMap(casesOf))
    for (const peer of values.only.filter((name) => name !== 'kafkajs' || isStateless(each.workload))) {
      const results: Row[] = []
      for (let run = 0; run < values.runs; run++) {
        const result = await runOnce(topics, brokers, peer, each).catch(failed(peer, each))
        if (result === undefined) continue
        process.stderr.write(`${JSON.stringify(result)}\n`)
        results.push(result)
      }
      if (results.length > 0) rows.push(medianOf(results))
    }
  process.stdout.write(`${tableOfRows(rows)}\n`)
}

/** A run that failed is told of and counts against the whole; what the others measured stands. */
const failed =
  (peer: Runner, { workload, guarantee }: Case) =>
  (error: unknown): undefined => {
    process.stderr.write(`${peer} failed at ${workload}, ${guarantee}: ${messageOf(error)}\n`)
    process.exitCode = 1
  }

const casesOf = (workload: Workload): readonly Case[] => {
  const own: readonly Guarantee[] =
    workload === 'W2'
      ? ['exactly-once']
      : ['W3', 'W7', 'W8', 'W9'].includes(workload)
        ? guarantees
        : ['at-least-once']
  const wanted = values.guarantee
  return (wanted === undefined ? own : [wanted]).map((guarantee) => ({
    workload,
    guarantee,
  }))
}

const runOnce = async (
  topics: BenchTopics,
  brokers: string,
  peer: Runner,
  { workload, guarantee }: Case,
): Promise<Row> => {
  const records = workload === 'W7' ? latencyRecords(values.latencySeconds) : values.records
  const applicationId = `bench-${crypto.randomUUID().slice(0, 8)}`
  await topics.prepare(workload, records, applicationId)
  const script = join(import.meta.dirname, runners[peer])
  const place = ['--brokers', brokers, '--application-id', applicationId]
  const work = ['--workload', workload, '--records', String(records), '--guarantee', guarantee]
  const flags = peer === 'millrace' ? millraceFlags : []
  const ended = runToEnd(process.execPath, [...flags, script, ...place, ...work], {
    deadlineMs: 10 * 60_000,
    env: { NODE_COMPILE_CACHE: compileCache },
  })
  const [{ stdout }, latency] = await Promise.all([
    ended,
    beside(ended, topics, workload, brokers, applicationId, records),
  ])
  const outputRecords = await topics.clean(applicationId)
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PeerResult
  return { workload, guarantee, outputRecords, ...result, ...latency }
}

/** A published package has its types taken out; so has whatever runs here, from its second run on. */
const compileCache = join(import.meta.dirname, '../.cache/bench/node')

/** What goes on while a run is under way: measuring latency, or a record now and then. */
const beside = async (
  ended: Promise<unknown>,
  topics: BenchTopics,
  workload: Workload,
  brokers: string,
  applicationId: string,
  records: number,
): Promise<Latency | undefined> => {
  if (workload === 'W7') return new LatencyProbe(brokers, applicationId, records).run(ended)
  if (workload !== 'W6' && workload !== 'W9') return undefined
  const { orders } = topicsOf(workload, records, applicationId)
  let index = 1
  const trickle = setInterval(() => void topics.append(orders, order(index++)), 50)
  await ended.finally(() => clearInterval(trickle))
  return undefined
}

await main()
