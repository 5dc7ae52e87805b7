import { join } from 'node:path'
import { Option } from 'commander'
import { messageOf } from '../src/base/fault.ts'
import { wholeNumber } from '../src/cli/options.ts'
import { brokersOption, npmCommand, someOf, someOption } from '../test/support/command-options.ts'
import { startKafka } from '../test/support/kafka/start-kafka.ts'
import { measureAgainst } from './against.ts'
import { growthSections } from './growth/cases.ts'
import { measureGrowth } from './growth/measure.ts'
import { latencyRecords } from './latency.ts'
import type { Guarantee, Workload } from './peers/workloads.ts'
import { guarantees, isStateless, workloads } from './peers/workloads.ts'
import type { Row } from './report.ts'
import { medianOf, tableOfRows } from './report.ts'
import type { Case, Runner, RunPlace } from './run-once.ts'
import { casesOf, coldRecords, defaultRecords, runOnce, warmRecords } from './run-once.ts'
import type { Codec } from './topics.ts'
import { BenchTopics, codecs } from './topics.ts'

/**
 * `npm run bench`: Millrace, Kafka Streams on the JVM and a plain kafkajs loop at the same workloads, in turn in the same
 * run, each in a process of its own. `--help` prints the options. Millrace runs with the bound of the young generation that
 * its README recommends, and Kafka Streams with a bound of its heap.
 *
 * W1 to W5 are measured warm by default: 5 M records, and the figures of the second half, when the compilers of both
 * platforms have done most of their work.
 */
const runners = {
  millrace: 'millrace-run.ts',
  'kafka-streams': 'peers/kafka-streams.ts',
  kafkajs: 'peers/kafkajs-loop.ts',
} as const
type RunnerName = keyof typeof runners
const runnerNames = Object.keys(runners) as RunnerName[]

interface BenchOptions {
  readonly growth?: boolean | readonly string[]
  readonly against?: string
  readonly codec: readonly Codec[]
  readonly brokers?: string
  readonly workload: readonly Workload[]
  readonly warm: boolean
  readonly records?: number
  readonly runs: number
  readonly only: readonly RunnerName[]
  readonly guarantee?: Guarantee
  readonly latencySeconds: number
}

const values = npmCommand('bench')
  .description(
    'Measures Millrace against Kafka Streams on the JVM and a plain kafkajs loop, and prints a table. ' +
      'Each run is printed on standard error as it ends; the whole takes about two hours, and half an hour with --no-warm.',
  )
  .addOption(someOption('--workload <names>', 'what is measured', workloads))
  .addOption(someOption('--only <names>', 'who is measured', runnerNames))
  .option('--runs <number>', 'runs of each, of which the median counts', wholeNumber(1), 3)
  .option('--warm', 'report the second half of each run of W1 to W5, and the first half as cold', true)
  .option('--no-warm', 'report each run from its first record on')
  .option(
    '--records <number>',
    `orders that a run processes (default: ${warmRecords} for W1 to W5, ${coldRecords} with --no-warm and for the others)`,
    wholeNumber(1),
  )
  .addOption(
    new Option('--guarantee <name>', 'one guarantee (default: those of the workload)').choices(guarantees),
  )
  .option('--latency-seconds <number>', 'how long a run of W7 is watched', wholeNumber(1), 10)
  .option(
    '--growth [names]',
    `what Millrace alone costs instead as these grow: ${growthSections.join(', ')}`,
    someOf(growthSections),
  )
  .option(
    '--against <folder>',
    'measure another checkout of Millrace in turn with this one instead, without --warm, and print what got slower or faster',
  )
  .addOption(
    someOption('--codec <names>', 'with --against: how the inputs are compressed', codecs).default(
      ['none'],
      'none',
    ),
  )
  .addOption(brokersOption())
  .parse()
  .opts<BenchOptions>()

const main = async (): Promise<void> => {
  await using kafka = values.brokers === undefined ? await startKafka({ via: 'jars' }) : undefined
  const brokers = values.brokers ?? kafka?.brokers ?? ''
  if (values.growth !== undefined)
    return await measureGrowth(brokers, typeof values.growth === 'object' ? values.growth : undefined)
  await using topics = new BenchTopics(brokers)
  await topics.connect()
  const rows: Row[] = []
  const cases = values.workload.flatMap((workload) => casesOf(workload, values.guarantee))
  if (values.against !== undefined)
    return await measureAgainst(
      { topics, brokers },
      { folder: values.against, cases, codecs: values.codec, runs: values.runs, recordsOf },
    )
  for (const each of cases) rows.push(...(await rowsOf({ topics, brokers }, each)))
  process.stdout.write(`${tableOfRows(rows, { warm: values.warm })}\n`)
}

/** The peers run in turn, as a machine gets slower or faster over minutes. */
const rowsOf = async (place: RunPlace, each: Case): Promise<readonly Row[]> => {
  const peers = values.only.filter((name) => name !== 'kafkajs' || isStateless(each.workload))
  const results = new Map<RunnerName, Row[]>(peers.map((peer) => [peer, []]))
  for (let run = 0; run < values.runs; run++)
    for (const peer of peers) {
      const result = await runOnce(place, runnerOf(peer), each, recordsOf(each)).catch(failed(peer, each))
      if (result === undefined) continue
      process.stderr.write(`${JSON.stringify(result)}\n`)
      results.get(peer)?.push(result)
    }
  return Array.from(results.values()).flatMap((rows) => (rows.length > 0 ? [medianOf(rows)] : []))
}

const runnerOf = (peer: RunnerName): Runner => ({
  script: join(import.meta.dirname, runners[peer]),
  isMillrace: peer === 'millrace',
})

const recordsOf = ({ workload }: Case): number => {
  if (workload === 'W7') return latencyRecords(values.latencySeconds)
  const warm = values.warm && values.against === undefined
  return values.records ?? defaultRecords(workload, warm)
}

/** A run that failed is reported and sets the exit code; the results of the others stand. */
const failed =
  (peer: RunnerName, { workload, guarantee }: Case) =>
  (error: unknown): undefined => {
    process.stderr.write(`${peer} failed at ${workload}, ${guarantee}: ${messageOf(error)}\n`)
    process.exitCode = 1
  }

await main()
