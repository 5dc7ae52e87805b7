import { Command } from 'commander'
import type { Bytes } from '../base/bytes.ts'
import { utf8Decode } from '../base/bytes.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Fault } from '../base/fault.ts'
import { changed, isFault } from '../base/fault.ts'
import type { Cluster } from '../kafka/cluster.ts'
import type { Fetcher } from '../kafka/fetcher.ts'
import type { FetchPosition } from '../kafka/fetch/fetch-position.ts'
import { decodeHeaders } from '../topic/record-columns.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { checkTopicOption } from './check-topic-option.ts'
import { commandConfigOption } from './command-config.ts'
import { withCluster } from './connect.ts'
import { bootstrapServerOption, offset, oneOf, property, unescape, wholeNumber } from './options.ts'
import type { PropertyKind } from './options.ts'
import { shutdownSignal } from './shutdown.ts'
import { outputText } from './terminal.ts'
import { usage } from './usage.ts'

interface ConsumeOptions {
  readonly topic: string
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly fromBeginning?: boolean
  readonly maxMessages?: number
  readonly timeoutMs?: number
  readonly partition?: number
  readonly offset?: 'earliest' | 'latest' | number
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  readonly property: Readonly<Record<string, string>>
}

const properties: Readonly<Record<string, PropertyKind>> = {
  'print.key': 'flag',
  'print.value': 'flag',
  'print.timestamp': 'flag',
  'print.partition': 'flag',
  'print.offset': 'flag',
  'print.headers': 'flag',
  'key.separator': 'text',
  'line.separator': 'text',
  'null.literal': 'text',
}

/** `millrace consume`, as Kafka's `kafka-console-consumer`: each record is a line of standard output, escaped on a terminal. */
export const consumeCommand = (): Command =>
  new Command('consume')
    .description('print the records of a topic')
    .requiredOption('--topic <name>', 'the topic')
    .option('--from-beginning', 'begin with the oldest record; defaults to records written from now on')
    .option('--max-messages <count>', 'end after that many records', wholeNumber(1))
    .option('--timeout-ms <ms>', 'end when nothing has come for that long', wholeNumber(1))
    .option('--partition <number>', 'read this partition alone', wholeNumber(0))
    .option('--offset <offset>', 'with --partition: begin at this offset, `earliest` or `latest`', offset)
    .option(
      '--isolation-level <level>',
      'read_committed or read_uncommitted',
      oneOf('read_committed', 'read_uncommitted'),
      'read_uncommitted',
    )
    .option(
      '--property <name=value>',
      `one of ${Object.keys(properties).join(', ')}`,
      property(properties),
      {},
    )
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (options: ConsumeOptions) => {
      await checkCall(options)
      // As Kafka's console consumer: the broker decides.
      const clusterOptions = { allowAutoTopicCreation: true }
      await withCluster(options, (cluster) => consumeRecords(cluster, options), clusterOptions)
    })

/** Kafka's console consumer refuses the same combinations. */
const checkCall = async ({ topic, partition, offset: at, fromBeginning }: ConsumeOptions): Promise<void> => {
  await checkTopicOption(topic)
  if (at !== undefined && partition === undefined) throw usage('--offset needs --partition')
  if (at !== undefined && fromBeginning === true)
    throw usage('--from-beginning and --offset exclude each other')
}

const consumeRecords = async (cluster: Cluster, options: ConsumeOptions): Promise<void> => {
  const { partitions } = await cluster.topic(options.topic)
  if (options.partition !== undefined && options.partition >= partitions.length)
    throw noPartition(options.topic, options.partition, partitions.length)
  await checkRange(cluster, options)
  const { Fetcher } = await import('../kafka/fetcher.ts')
  const fetcher = new Fetcher({ cluster, isolation: options.isolationLevel, offsetReset: 'earliest' })
  const { signal, dispose } = shutdownSignal()
  const stop = new AbortController()
  void signal.then(() => {
    stop.abort()
    fetcher.wakeup()
  })
  try {
    fetcher.assign(
      positionsOf(
        partitions.map(({ partition }) => partition),
        options,
      ),
    )
    await printAll(fetcher, options, stop.signal)
  } catch (error) {
    throw isFault(error) ? forConsume(error) : error
  } finally {
    fetcher.close()
    dispose()
  }
  // What waits for a reader that does not read would keep the process.
  if (stop.signal.aborted && process.stdout.writableNeedDrain) process.exit()
}

/** A batch that can't be read: an application has settings and committed offsets for it, this command has flags. */
const forConsume = (fault: Fault): Fault => {
  if (fault.code !== 'BATCH_TOO_LARGE' && fault.code !== 'BATCH_CORRUPT') return fault
  return changed(fault, { remedy: 'read what comes after it with --partition and a later --offset' })
}

const printAll = async (fetcher: Fetcher, options: ConsumeOptions, stop: AbortSignal): Promise<void> => {
  const limit = options.maxMessages ?? Infinity
  let printed = 0
  let lastRecordMs = systemClock.monotonicMs()
  while (printed < limit && !stop.aborted) {
    for (const { columns, partition } of await fetcher.poll(Math.min(options.timeoutMs ?? 500, 500))) {
      for (let row = 0; row < columns.count && printed < limit && !stop.aborted; row++, printed++)
        await write(lineOf(columns, row, partition, options.property), stop)
      if (columns.count > 0) lastRecordMs = systemClock.monotonicMs()
    }
    if (options.timeoutMs !== undefined && systemClock.monotonicMs() - lastRecordMs >= options.timeoutMs)
      return
  }
}

/** Waits where the reader of a pipe is slower than we are, until `stop`. */
const write = (text: string, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      stop.removeEventListener('abort', finish)
      resolve()
    }
    stop.addEventListener('abort', finish)
    // The callback comes also where the reader is gone, when no `drain` follows.
    if (process.stdout.write(text, finish)) finish()
  })

const positionsOf = (all: readonly number[], options: ConsumeOptions): readonly FetchPosition[] => {
  const { topic, partition: only } = options
  const start = options.offset ?? (options.fromBeginning === true ? 'earliest' : 'latest')
  return all
    .filter((partition) => only === undefined || partition === only)
    .map((partition) => ({ topic, partition, offset: start }))
}

/** An offset that the log does not hold would be replaced by the oldest one, and other records printed than asked for. */
const checkRange = async (
  cluster: Cluster,
  { topic, partition, offset: at }: ConsumeOptions,
): Promise<void> => {
  if (partition === undefined || typeof at !== 'number') return
  const { Admin } = await import('../kafka/admin.ts')
  const admin = new Admin(cluster)
  const { partitionName } = await import('../kafka/topic-partition.ts')
  const name = partitionName(topic, partition)
  const bound = async (spec: 'earliest' | 'latest'): Promise<number> =>
    (await admin.listOffsets([{ topic, partition, at: spec }])).get(name)?.offset ?? 0
  const [start, end] = [await bound('earliest'), await bound('latest')]
  if (at < start || at > end) throw usage(`${name} has no offset ${at}: it holds ${start} to ${end}`)
}

const noPartition = (topic: string, partition: number, count: number): Fault =>
  usage(
    `topic '${topic}' has no partition ${partition}: it has ${count === 1 ? 'partition 0 only' : `partitions 0 to ${count - 1}`}`,
  )

const lineOf = (
  columns: RecordColumns,
  row: number,
  partition: number,
  given: Readonly<Record<string, string>>,
): string => {
  const nullText = given['null.literal'] ?? 'null'
  const text = (start: number, end: number): string =>
    start < 0 ? nullText : outputText(utf8Decode(columns.buffer, start, end))
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
  const show = (value: Bytes | null): string => (value === null ? nullText : outputText(utf8Decode(value)))
  const headers = decodeHeaders(columns, row).map(([name, value]) => `${outputText(name)}:${show(value)}`)
  return headers.length === 0 ? 'NO_HEADERS' : headers.join(',')
}
