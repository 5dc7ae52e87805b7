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
import type { Case, Runner } from './run-once.ts'
import { casesOf, runOnce } from './run-once.ts'
import type { Codec } from './topics.ts'
import { BenchTopics, codecs } from './topics.ts'

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
type RunnerName = keyof typeof runners
const runnerNames = Object.keys(runners) as RunnerName[]

interface BenchOptions {
  readonly growth?: boolean | readonly string[]
  readonly against?: string
  readonly codec: readonly Codec[]
  readonly brokers?: string
  readonly workload: readonly Workload[]
  readonly records: number
  readonly runs: number
  readonly only: readonly RunnerName[]
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
  .option(
    '--against <folder>',
    'measure another checkout of Millrace in turn with this one instead, and print what got slower or faster',
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
  for (const each of cases)
    for (const peer of values.only.filter((name) => name !== 'kafkajs' || isStateless(each.workload))) {
      const results: Row[] = []
      for (let run = 0; run < values.runs; run++) {
        const result = await runOnce({ topics, brokers }, runnerOf(peer), each, recordsOf(each)).catch(
          failed(peer, each),
        )
        if (result === undefined) continue
        process.stderr.write(`${JSON.stringify(result)}\n`)
        results.push(result)
      }
      if (results.length > 0) rows.push(medianOf(results))
    }
  process.stdout.write(`${tableOfRows(rows)}\n`)
}

const runnerOf = (peer: RunnerName): Runner => ({
  script: join(import.meta.dirname, runners[peer]),
  isMillrace: peer === 'millrace',
})

const recordsOf = ({ workload }: Case): number =>
  workload === 'W7' ? latencyRecords(values.latencySeconds) : values.records

/** A run that failed is told of and counts against the whole; what the others measured stands. */
const failed =
  (peer: RunnerName, { workload, guarantee }: Case) =>
  (error: unknown): undefined => {
    process.stderr.write(`${peer} failed at ${workload}, ${guarantee}: ${messageOf(error)}\n`)
    process.exitCode = 1
  }

await main()
