import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { connect } from 'millrace'
import { systemClock } from '../src/base/system-clock.ts'
import { Admin } from '../src/kafka/admin.ts'
import { Cluster } from '../src/kafka/cluster.ts'
import { TcpTransport } from '../src/kafka/connection/tcp-transport.ts'
import { wholeNumber } from '../src/cli/options.ts'
import { brokersOption } from '../test/support/command-options.ts'
import { startKafka } from '../test/support/kafka/start-kafka.ts'
import type { RunningProcess } from '../test/support/run-process.ts'
import { runProcess } from '../test/support/run-process.ts'
import { order } from './topics.ts'
import { printTable } from './table.ts'

/**
 * How work grows over threads and processes: W1 and W3 over partitions that several workers share. A run begins when the
 * tasks are dealt out and all stand still, and is over when everything is committed.
 */
interface ScaleOptions {
  readonly brokers?: string
  readonly records: number
  readonly runs: number
  readonly only: string
  readonly youngGenerationMb?: number
}

const values = new Command('node bench/scale.ts')
  .description('Measures how work grows over threads and processes, and prints a table.')
  .option('--records <number>', 'orders that a run processes', wholeNumber(1), 1_000_000)
  .option('--runs <number>', 'runs of each case', wholeNumber(1), 1)
  .option('--only <text>', 'cases whose workload/partitions/processes/threads begin so, as in W3/2', '')
  .option('--young-generation-mb <number>', "the bound of each process' young generation", wholeNumber(1))
  .addOption(brokersOption())
  .parse()
  .opts<ScaleOptions>()

interface Case {
  readonly workload: 'W1' | 'W3'
  readonly partitions: number
  readonly processes: number
  readonly threads: number
}

const workloads = ['W1', 'W3'] as const
const cases: readonly Case[] = workloads.flatMap((workload) => [
  ...[1, 2].map((threads) => ({ workload, partitions: 2, processes: 1, threads })),
  ...[1, 2, 3].map((processes) => ({ workload, partitions: 6, processes, threads: 1 })),
])

const { records } = values
const messagesPerWrite = 5_000

const main = async (): Promise<void> => {
  await using kafka = values.brokers === undefined ? await startKafka({ via: 'jars' }) : undefined
  const brokers = values.brokers ?? kafka?.brokers ?? ''
  const transport = new TcpTransport({ brokers, clientId: 'bench-scale' })
  const admin = new Admin(new Cluster({ transport, clock: systemClock }))
  const rows: (readonly string[])[] = []
  for (const partitions of [2, 6]) await fill(brokers, admin, partitions)
  for (const each of cases.filter((one) => Object.values(one).join('/').startsWith(values.only)))
    for (let run = 0; run < values.runs; run++) rows.push(await measure(brokers, admin, each))
  await transport.close()
  printTable(['workload', 'partitions', 'processes', 'threads', 'k rec/s', 'µs CPU', 'MB'], rows)
}

const ordersOf = (partitions: number): string => `bench-scale-orders-${partitions}-${records}`

const fill = async (brokers: string, admin: Admin, partitions: number): Promise<void> => {
  const name = ordersOf(partitions)
  if ((await admin.partitionCounts([name])).has(name)) return
  const client = connect({ bootstrapServers: brokers })
  await admin.createTopics([{ topic: name, partitions, configs: { 'retention.ms': '-1' } }])
  for (let from = 0; from < records; from += messagesPerWrite)
    await client.writeBytes(
      name,
      Array.from({ length: Math.min(messagesPerWrite, records - from) }, (_, index) => {
        const { key, value, timestamp } = order(from + index)
        return {
          key: Buffer.from(key as string),
          value: Buffer.from(value as string),
          timestamp: Number(timestamp),
        }
      }),
    )
  await client.close()
}

const measure = async (brokers: string, admin: Admin, each: Case): Promise<readonly string[]> => {
  const application = `bench-scale-${crypto.randomUUID().slice(0, 8)}`
  const output = `${application}-output`
  await admin.createTopics([{ topic: output, partitions: each.partitions }])
  const module = pathToFileURL(join(import.meta.dirname, 'scale/scale-topology.ts'))
  module.search = String(
    new URLSearchParams({ workload: each.workload, orders: ordersOf(each.partitions), output }),
  )
  const young = values.youngGenerationMb
  const processes = Array.from({ length: each.processes }, () =>
    runProcess(process.execPath, [
      join(import.meta.dirname, 'scale/scale-run.ts'),
      ...['--brokers', brokers, '--application', application, '--module', module.href],
      ...['--threads', String(each.threads)],
      ...(young === undefined ? [] : ['--young-generation-mb', `${young}`]),
    ]),
  )
  await ready(processes, each.partitions)
  const begun = performance.now()
  for (const running of processes) running.write('go\n')
  while ((await committed(admin, application)) < records)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const seconds = (performance.now() - begun) / 1000
  for (const running of processes) running.write('stop\n')
  const ended = await Promise.all(processes.map((running) => running.waitForExit()))
  const results = ended.map(
    ({ stdout }) =>
      JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { cpuMicros: number; peakRssMb: number },
  )
  const sum = (of: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  const topics = (await admin.listTopics()).filter((name) => name.startsWith(application))
  await admin.deleteTopics(topics)
  await admin.deleteGroup(application)
  const row = [
    each.workload,
    String(each.partitions),
    String(each.processes),
    String(each.threads),
    String(Math.round(records / seconds / 1000)),
    (sum(({ cpuMicros }) => cpuMicros) / records).toFixed(2),
    String(sum(({ peakRssMb }) => peakRssMb)),
  ]
  process.stderr.write(`${row.join('\t')}\n`)
  return row
}

/** Resolves when every task is with somebody, and everybody stands still. */
const ready = async (processes: readonly RunningProcess[], tasks: number): Promise<void> => {
  for (;;) {
    const last = processes.map(
      ({ lines }) =>
        JSON.parse(lines.at(-1) ?? '{}') as { state?: string; tasks?: number; failure?: unknown },
    )
    const failed = last.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new Error(JSON.stringify(failed))
    const dealtOut = last.reduce((sum, each) => sum + (each.tasks ?? 0), 0)
    if (dealtOut === tasks && last.every(({ state, tasks: own = 0 }) => state === 'paused' && own > 0)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const committed = async (admin: Admin, groupId: string): Promise<number> => {
  let sum = 0
  for (const { offset } of (await admin.groupOffsets(groupId)).values()) sum += offset
  return sum
}

await main()
