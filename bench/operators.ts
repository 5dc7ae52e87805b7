import { execFileSync } from 'node:child_process'
import { Command, Option } from 'commander'
import { wholeNumber } from '../src/cli/options.ts'
import type { Storage } from './operators/drive.ts'
import type { Measured } from './operators/measure.ts'
import { measure } from './operators/measure.ts'
import type { Operator } from './operators/operators.ts'
import { operators } from './operators/operators.ts'
import { printTable } from './table.ts'

/**
 * Measures every operator in process, without a broker, in memory and on LMDB, next to what Kafka Streams does.
 *
 * The ratio compares records per second of CPU with what Kafka Streams does on an idle machine: one thread works here
 * too, so that is the rate on a machine that nobody else uses, and it holds on one that others do use.
 *
 * Each operator has a process of its own, so that none profits or suffers from another's compiled code.
 */
interface OperatorsOptions {
  readonly records: number
  readonly runs: number
  readonly only: string
  readonly storage?: Storage
  readonly child?: boolean
}

const values = new Command('node bench/operators.ts')
  .description('Measures every operator in process, without a broker, and prints a table.')
  .option('--records <number>', 'records that a run processes', wholeNumber(1), 500_000)
  .option('--runs <number>', 'runs of each, of which the median counts', wholeNumber(1), 5)
  .option('--only <text>', 'operators whose name contains it, as in join', '')
  .addOption(new Option('--storage <name>', 'one kind of stores (default: both)').choices(['memory', 'disk']))
  .addOption(new Option('--child').hideHelp())
  .parse()
  .opts<OperatorsOptions>()

const main = (): void => {
  const chosen = operators.filter(({ name }) => name.includes(values.only))
  if (values.child === true) {
    const result = measure(chosen[0] as Operator, {
      storage: values.storage as Storage,
      records: values.records,
      runs: values.runs,
    })
    process.stdout.write(JSON.stringify(result))
    return
  }
  const rows = chosen.flatMap((operator) => storagesOf(operator).map((storage) => rowOf(operator, storage)))
  printTable(
    ['operator', 'stores', 'records/s', 'µs CPU/record', 'MB/100k keys', 'Kafka Streams records/s', 'ratio'],
    rows,
  )
}

const storagesOf = ({ keys }: Operator): readonly Storage[] => {
  const possible: readonly Storage[] = keys === undefined ? ['memory'] : ['memory', 'disk']
  return possible.filter((each) => values.storage === undefined || values.storage === each)
}

const rowOf = (operator: Operator, storage: Storage): readonly string[] => {
  const { recordsPerSecond, cpuMicrosPerRecord, heapMbPer100kKeys } = measureInChild(operator, storage)
  const theirs = operator.kafkaStreams[storage]
  const row = [
    operator.name,
    operator.keys === undefined ? '-' : storage === 'disk' ? 'LMDB' : 'memory',
    thousands(recordsPerSecond),
    cpuMicrosPerRecord.toFixed(2),
    heapMbPer100kKeys?.toFixed(1) ?? '-',
    theirs === undefined ? '-' : thousands(theirs),
    theirs === undefined ? '-' : (1_000_000 / cpuMicrosPerRecord / theirs).toFixed(2),
  ]
  process.stderr.write(`${row.join(', ')}\n`)
  return row
}

const thousands = (value: number): string => `${Math.round(value / 1000)} k`

const measureInChild = ({ name }: Operator, storage: Storage): Measured => {
  const script = [import.meta.filename, '--child', '--only', name, '--storage', storage]
  const extent = ['--records', `${values.records}`, '--runs', `${values.runs}`]
  const printed = execFileSync(process.execPath, [...script, ...extent], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(printed) as Measured
}

main()
