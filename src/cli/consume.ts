import { Command } from 'commander'
import type { Bytes } from '../base/bytes.ts'
import { utf8Decode } from '../base/bytes.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { Fetcher, FetchPosition } from '../kafka/fetcher.ts'
import { decodeHeaders } from '../topic/record-columns.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { commandConfigOption } from './command-config.ts'
import { withCluster } from './connect.ts'
import { bootstrapServerOption, property, unescape, wholeNumber } from './options.ts'
import { shutdownSignal } from './shutdown.ts'

interface ConsumeOptions {
  readonly topic: string
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly fromBeginning?: boolean
  readonly maxMessages?: number
  readonly timeoutMs?: number
  readonly partition?: number
  readonly offset?: string
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  readonly property: Readonly<Record<string, string>>
}

const properties = [
  'print.key',
  'print.value',
  'print.timestamp',
  'print.partition',
  'print.offset',
  'print.headers',
  'key.separator',
  'line.separator',
  'null.literal',
]

/** `millrace consume`, as Kafka's `kafka-console-consumer`: each record is a line of standard output. */
export const consumeCommand = (): Command =>
  new Command('consume')
    .description('print the records of a topic')
    .requiredOption('--topic <name>', 'the topic')
    .option('--from-beginning', 'begin with the oldest record; with what comes from now on unless given')
    .option('--max-messages <count>', 'end after that many records', wholeNumber(1))
    .option('--timeout-ms <ms>', 'end when nothing has come for that long', wholeNumber(1))
    .option('--partition <number>', 'read this partition alone', wholeNumber(0))
    .option('--offset <offset>', 'with --partition: begin at this offset, `earliest` or `latest`')
    .option('--isolation-level <level>', 'read_committed or read_uncommitted', 'read_uncommitted')
    .option('--property <name=value>', `one of ${properties.join(', ')}`, property(properties), {})
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action((options: ConsumeOptions) => withCluster(options, (cluster) => consumeRecords(cluster, options)))

const consumeRecords = async (cluster: Cluster, options: ConsumeOptions): Promise<void> => {
  const { partitions } = await cluster.topic(options.topic)
  const { Fetcher } = await import('../kafka/fetcher.ts')
  const fetcher = new Fetcher({ cluster, isolation: options.isolationLevel, offsetReset: 'earliest' })
  const { signal, dispose } = shutdownSignal()
  let stopped = false
  void signal.then(() => {
    stopped = true
    fetcher.wakeup()
  })
  try {
    fetcher.assign(
      positionsOf(
        partitions.map(({ partition }) => partition),
        options,
      ),
    )
    await printAll(fetcher, options, () => stopped)
  } finally {
    fetcher.close()
    dispose()
  }
}

const printAll = async (
  fetcher: Fetcher,
  options: ConsumeOptions,
  isStopped: () => boolean,
): Promise<void> => {
  const limit = options.maxMessages ?? Infinity
  let printed = 0
  let lastRecordMs = systemClock.now()
  while (printed < limit && !isStopped()) {
    for (const { columns, partition } of await fetcher.poll(Math.min(options.timeoutMs ?? 500, 500))) {
      for (let row = 0; row < columns.count && printed < limit; row++, printed++)
        await write(lineOf(columns, row, partition, options.property))
      if (columns.count > 0) lastRecordMs = systemClock.now()
    }
    if (options.timeoutMs !== undefined && systemClock.now() - lastRecordMs >= options.timeoutMs) return
  }
}

/** Waits where the reader of a pipe is slower than we are. */
const write = (text: string): Promise<void> =>
  new Promise((resolve) => {
    if (process.stdout.write(text)) resolve()
    else process.stdout.once('drain', resolve)
  })

const positionsOf = (all: readonly number[], options: ConsumeOptions): readonly FetchPosition[] => {
  const { topic, partition: only, offset } = options
  const start = offset ?? (options.fromBeginning === true ? 'earliest' : 'latest')
  const position = start === 'earliest' || start === 'latest' ? start : Number(start)
  return all
    .filter((partition) => only === undefined || partition === only)
    .map((partition) => ({ topic, partition, offset: position }))
}

const lineOf = (
  columns: RecordColumns,
  row: number,
  partition: number,
  given: Readonly<Record<string, string>>,
): string => {
  const nullText = given['null.literal'] ?? 'null'
  const text = (start: number, end: number): string =>
    start < 0 ? nullText : utf8Decode(columns.buffer, start, end)
  const parts = [
    given['print.timestamp'] === 'true' ? `CreateTime:${columns.timestamps[row]}` : undefined,
    given['print.partition'] === 'true' ? `Partition:${partition}` : undefined,
    given['print.offset'] === 'true' ? `Offset:${columns.offsets[row]}` : undefined,
    given['print.headers'] === 'true' ? headersOf(columns, row, nullText) : undefined,
    given['print.key'] === 'true'
      ? text(columns.keyStarts[row] as number, columns.keyEnds[row] as number)
      : undefined,
    given['print.value'] === 'false'
      ? undefined
      : text(columns.valueStarts[row] as number, columns.valueEnds[row] as number),
  ]
  const separator = unescape(given['key.separator'] ?? '\t')
  return (
    parts.filter((part) => part !== undefined).join(separator) + unescape(given['line.separator'] ?? '\n')
  )
}

const headersOf = (columns: RecordColumns, row: number, nullText: string): string => {
  const show = (value: Bytes | null): string => (value === null ? nullText : utf8Decode(value))
  const headers = decodeHeaders(columns, row).map(([name, value]) => `${name}:${show(value)}`)
  return headers.length === 0 ? 'NO_HEADERS' : headers.join(',')
}
