import { Command } from 'commander'
import type { Bytes } from '../base/bytes.ts'
import { utf8Encode } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { checkTopicOption } from './check-topic-option.ts'
import { commandConfigOption } from './command-config.ts'
import { withCluster } from './connect.ts'
import { bootstrapServerOption, oneOf, property, unescape } from './options.ts'
import type { PropertyKind } from './options.ts'
import { readLines } from './read-lines.ts'

interface ProduceOptions {
  readonly topic: string
  readonly bootstrapServer: string
  readonly commandConfig?: string
  readonly property: Readonly<Record<string, string>>
  readonly compressionCodec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
}

const properties: Readonly<Record<string, PropertyKind>> = {
  'parse.key': 'flag',
  'key.separator': 'text',
  'ignore.error': 'flag',
  'null.marker': 'text',
}

/** `millrace produce`, as Kafka's `kafka-console-producer`: each line of standard input is a record; nothing is printed. */
export const produceCommand = (): Command =>
  new Command('produce')
    .description('write lines of standard input to a topic')
    .requiredOption('--topic <name>', 'the topic')
    .option(
      '--property <name=value>',
      'parse.key=true reads `key<separator>value`; key.separator (defaults to a tab); null.marker; ignore.error',
      property(properties),
      {},
    )
    .option(
      '--compression-codec <codec>',
      'none, gzip, snappy, lz4 or zstd',
      oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
      'none',
    )
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (options: ProduceOptions) => {
      await checkTopicOption(options.topic)
      // As Kafka's console producer: the broker decides.
      const clusterOptions = { allowAutoTopicCreation: true }
      await withCluster(options, (cluster) => produceLines(cluster, options), clusterOptions)
    })

const produceLines = async (cluster: Cluster, options: ProduceOptions): Promise<void> => {
  const { Producer } = await import('../kafka/producer.ts')
  const producer = new Producer({
    cluster,
    compressionType: options.compressionCodec,
    // The topic's max.message.bytes is the limit.
    maxRequestSize: 67_108_864,
  })
  const { topic } = options
  await producer.prepare([topic])
  try {
    let number = 0
    for await (const line of readLines(process.stdin)) {
      const { key, value } = parse(line, ++number, options)
      producer.send(topic, undefined, key, value, systemClock.now())
      if (producer.isFull) await producer.drained()
    }
  } finally {
    // What came before a bad line was sent in good faith and arrives.
    await producer.flush()
    producer.close()
  }
}

const parse = (
  line: string,
  number: number,
  { property: given }: ProduceOptions,
): { readonly key: Bytes | null; readonly value: Bytes | null } => {
  const encode = (text: string): Bytes | null => (text === given['null.marker'] ? null : utf8Encode(text))
  if (given['parse.key'] !== 'true') return { key: null, value: encode(line) }
  const separator = unescape(given['key.separator'] ?? '\t')
  const at = line.indexOf(separator)
  if (at >= 0) return { key: encode(line.slice(0, at)), value: encode(line.slice(at + separator.length)) }
  if (given['ignore.error'] === 'true') return { key: null, value: encode(line) }
  throw new Fault({
    code: 'KEY_MISSING',
    actor: 'record',
    message: `line ${number} has no key separator '${separator}'`,
    remedy: 'correct the line, name another key.separator, or set ignore.error=true',
  })
}
