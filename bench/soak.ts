import { join } from 'node:path'
import { Option } from 'commander'
import { wholeNumber } from '../src/cli/options.ts'
import { brokersOption, npmCommand, share } from '../test/support/command-options.ts'
import { startKafka } from '../test/support/kafka/start-kafka.ts'
import type { RunningProcess } from '../test/support/run-process.ts'
import { runProcess } from '../test/support/run-process.ts'
import { TopicClient } from '../test/support/topic-client.ts'
import { millraceFlags } from './millrace-flags.ts'
import type { Guarantee } from './peers/workloads.ts'
import { guarantees } from './peers/workloads.ts'
import type { Sample } from './soak/samples.ts'
import { bounds, leaksIn, resourceCount, sampleOver, settledAfter, slopePerMinute } from './soak/samples.ts'

/**
 * `npm run soak`: the work of W1 and W3 in one application at 80 % of the throughput that it reaches here, for minutes.
 * It prints how the process fares, as means over each interval, and ends with 1 where memory, handles or listeners grow
 * beyond their bounds. The minutes of settling go at the same rate and are printed, but not judged.
 */
interface SoakOptions {
  readonly brokers?: string
  readonly minutes: number
  readonly settleMinutes: number
  readonly share: number
  readonly guarantee: Guarantee
  readonly intervalSeconds: number
}

const values = npmCommand('soak')
  .description(
    'Watches an application for minutes at a share of the throughput that it reaches here. ' +
      'Ends with 1 where its memory, handles or listeners grow.',
  )
  .option('--minutes <number>', 'how long it is judged', wholeNumber(1), 10)
  .option('--settle-minutes <number>', 'how long it works before that', wholeNumber(0), 5)
  .option('--share <number>', 'of the throughput that is reached', share, 0.8)
  .addOption(new Option('--guarantee <name>').choices(guarantees).default('exactly-once'))
  .option('--interval-seconds <number>', 'between two lines', wholeNumber(1), 10)
  .addOption(brokersOption())
  .parse()
  .opts<SoakOptions>()

const topicConfigs = { 'retention.bytes': '268435456', 'segment.bytes': '67108864' }
/** Logs are cut soon, or the disk would hold the whole run. */
const brokerProperties = { 'log.retention.check.interval.ms': '10000', 'log.segment.delete.delay.ms': '1000' }

const warmUpRecords = 500_000
const findSeconds = 15
const aheadRecords = 400_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const main = async (): Promise<void> => {
  const { minutes, settleMinutes } = values
  await using kafka =
    values.brokers === undefined
      ? await startKafka({ via: 'jars', exclusive: true, properties: brokerProperties })
      : undefined
  const brokers = values.brokers ?? kafka?.brokers ?? ''
  const orders = `soak-${crypto.randomUUID().slice(0, 8)}`
  await createTopics(brokers, orders)
  const run = new SoakRun(brokers, orders)
  await using _application = run.application
  const reached = await run.reach()
  const rate = Math.round(reached * values.share)
  say(
    `${values.guarantee}: ${Math.round(reached)} records/s are reached; now ${rate} for ${settleMinutes} min to settle and ${minutes} more`,
  )
  const samples = settledAfter(await run.soak(rate, settleMinutes + minutes), settleMinutes)
  report(samples)
  const { code, stderr } = await run.application.stop(30_000)
  const problems = [
    ...leaksIn(samples),
    ...(code === 0 ? [] : [`the application ended with ${code}: ${stderr}`]),
  ]
  for (const problem of problems) say(`LEAK: ${problem}`)
  if (problems.length === 0) say('flat')
  else process.exitCode = 1
}

class SoakRun {
  readonly application: RunningProcess
  readonly #brokers: string
  readonly #orders: string
  #written = 0

  constructor(brokers: string, orders: string) {
    this.#brokers = brokers
    this.#orders = orders
    this.application = this.#program('application', ['--guarantee', values.guarantee, '--interval-ms', '500'])
  }

  /** What the application works off while a writer is always ahead of it, but not by more than the topics keep. */
  async reach(): Promise<number> {
    await using writer = this.#program('writer', ['--rate', '0'])
    const sampleOnce = async (isEnough: (sample: Sample) => boolean): Promise<Sample> => {
      for (;;) {
        const sample = await this.#sample()
        writer.write(`${sample.processedRecords + aheadRecords}\n`)
        if (isEnough(sample)) return sample
      }
    }
    // Broker, writer and application compile their code first, which takes long where the machine is busy.
    const from = await sampleOnce(({ processedRecords }) => processedRecords >= warmUpRecords)
    const to = await sampleOnce(({ atMs }) => atMs >= from.atMs + findSeconds * 1_000)
    await this.#end(writer)
    await this.#drained()
    return ((to.processedRecords - from.processedRecords) / (to.atMs - from.atMs)) * 1_000
  }

  async soak(rate: number, minutes: number): Promise<readonly Sample[]> {
    const before = this.#written
    const samples: Sample[] = []
    await using writer = this.#program('writer', ['--rate', String(rate)])
    const endMs = Date.now() + minutes * 60_000
    while (Date.now() < endMs) {
      const { length } = this.application.lines
      await pause(values.intervalSeconds * 1_000)
      const last = await this.#sample()
      const sample = sampleOver(this.application.lines.slice(length).filter(isSample).map(sampleOf), last)
      samples.push(sample)
      say(lineOf(sample, Math.max(0, before + writtenBy(writer) - sample.processedRecords)))
    }
    await this.#end(writer)
    return samples
  }

  /** The next sample that the application tells. */
  async #sample(): Promise<Sample> {
    const { length } = this.application.lines
    let ended: string | undefined
    this.application.waitForExit(60_000).then(
      ({ code, stderr }) => (ended = `the application ended with ${code}: ${stderr}`),
      () => (ended = 'the application tells nothing'),
    )
    for (;;) {
      const line = this.application.lines.slice(length).findLast(isSample)
      if (line !== undefined) return sampleOf(line)
      if (ended !== undefined) throw new Error(ended)
      await pause(20)
    }
  }

  async #end(writer: RunningProcess): Promise<void> {
    await writer.stop(30_000)
    this.#written += writtenBy(writer)
  }

  async #drained(): Promise<void> {
    while ((await this.#sample()).processedRecords < this.#written);
  }

  #program(name: 'application' | 'writer', args: readonly string[]): RunningProcess {
    const file = join(import.meta.dirname, 'soak', `${name}.ts`)
    const where = ['--brokers', this.#brokers, '--orders', this.#orders]
    return runProcess(process.execPath, [...millraceFlags, file, ...where, ...args])
  }
}

const isSample = (line: string): boolean => line.startsWith('{')

const sampleOf = (line: string): Sample => JSON.parse(line) as Sample

const writtenBy = (writer: RunningProcess): number =>
  (JSON.parse(writer.lines.at(-1) ?? '{"written":0}') as { readonly written: number }).written

const createTopics = async (brokers: string, orders: string): Promise<void> => {
  await using client = new TopicClient(brokers)
  await client.admin.createTopics(
    [orders, `${orders}-priced`, `${orders}-counts`].map((topic) => ({
      topic,
      partitions: 1,
      configs: topicConfigs,
    })),
  )
}

const lineOf = (sample: Sample, behind: number): string => {
  const { rssMb, heapUsedMb, heapTotalMb, externalMb, resources, listeners, eventLoopDelayP99Ms } = sample
  return [
    new Date(sample.atMs).toISOString().slice(11, 19),
    `rss ${rssMb} MB, heap ${heapUsedMb} of ${heapTotalMb}, external ${externalMb}`,
    `${resourceCount(sample)} resources ${JSON.stringify(resources)}`,
    `${listeners} listeners`,
    `event loop p99 ${eventLoopDelayP99Ms} ms`,
    `${sample.processedRecords} processed, ${behind} behind`,
  ].join('; ')
}

const report = (samples: readonly Sample[]): void => {
  const slope = (valueOf: (sample: Sample) => number): string => slopePerMinute(samples, valueOf).toFixed(2)
  const first = samples[0]
  const end = samples.at(-1)
  if (first === undefined || end === undefined) return
  const rate = ((end.processedRecords - first.processedRecords) / (end.atMs - first.atMs)) * 1_000
  say(
    [
      `settled: ${Math.round(rate)} records/s over ${((end.atMs - first.atMs) / 60_000).toFixed(1)} min`,
      `rss ${slope(({ rssMb }) => rssMb)} MB/min (bound ${bounds.rssMbPerMinute}), heap ${slope(({ heapUsedMb }) => heapUsedMb)} of ${slope(({ heapTotalMb }) => heapTotalMb)}, external ${slope(({ externalMb }) => externalMb)}`,
      `resources ${slope(resourceCount)}/min, listeners ${slope(({ listeners }) => listeners)}/min`,
      `rss at most ${Math.max(...samples.map(({ rssMb }) => rssMb))} MB`,
    ].join('; '),
  )
}

await main()
